//! Building blocks of the 128-bit kernels: vectors, loads, and `Walk`, the iteration over quantization blocks.
#![allow(
    unsafe_code,
    reason = "vector loads take a pointer, which is made from a reference to as many bytes"
)]

#[cfg(target_arch = "wasm32")]
pub(super) use std::arch::wasm32::*;

#[cfg(target_arch = "x86_64")]
pub(super) use super::sse2::*;

use super::lane::{F16_MASK, GROUP_ROWS, Lane};
use super::panel::{Layout, Panel};

/// Eight lanes of 32 bits, one per row of a group. Integer sums wrap.
pub(super) trait Rows: Copy {
    /// An integer in every lane.
    fn splat(value: i32) -> Self;
    /// A float in every lane.
    fn splat_f32(value: f32) -> Self;
    /// An integer in every lane, hidden from the compiler.
    fn opaque_splat(value: i32) -> Self;

    /// A word in every lane.
    ///
    /// # Safety
    /// A word can be read at `word`.
    #[inline(always)]
    unsafe fn load_splat(word: *const u32) -> Self {
        // SAFETY: the caller's promise.
        Self::splat(unsafe { *word }.cast_signed())
    }
    /// # Safety
    /// Two lanes can be read at `lanes`.
    unsafe fn load(lanes: *const Lane) -> Self;
    /// Eight signed 16-bit values.
    fn load_i16x8(lane: &Lane) -> Self;
    /// Sixteen unsigned bytes as 16-bit values.
    ///
    /// # Safety
    /// A lane can be read at `lane`.
    unsafe fn load_u8x16(lane: *const Lane) -> Self;
    /// Eight unsigned bytes.
    ///
    /// # Safety
    /// Eight bytes can be read at `bytes`.
    unsafe fn load_u8x8(bytes: *const u8) -> Self;
    /// Eight signed bytes.
    ///
    /// # Safety
    /// Eight bytes can be read at `bytes`.
    unsafe fn load_i8x8(bytes: *const i8) -> Self;

    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn shl(self, bits: u32) -> Self;
    fn shr_i16(self, bits: u32) -> Self;
    fn shr_u16(self, bits: u32) -> Self;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// Adds the sum of the two products of 16-bit integers to every lane.
    fn add_dot(self, weights: Self, inputs: Self) -> Self;
    fn to_f32(self) -> Self;
    fn add_f32(self, other: Self) -> Self;
    fn sub_f32(self, other: Self) -> Self;
    fn mul_f32(self, other: Self) -> Self;
    fn to_array(self) -> [f32; GROUP_ROWS];

    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0)
    }
}

/// Rows 0–3 and rows 4–7.
pub(super) type TwoVectors = [v128; 2];

/// An operation on both vectors. A macro, because wasm's functions are no values of a function type.
macro_rules! both {
    ($operation:ident($a:expr, $b:expr)) => {
        [$operation($a[0], $b[0]), $operation($a[1], $b[1])]
    };
    ($operation:ident($a:expr)) => {
        [$operation($a[0]), $operation($a[1])]
    };
}

impl Rows for TwoVectors {
    #[inline(always)]
    fn splat(value: i32) -> Self {
        [i32x4_splat(value); 2]
    }

    #[inline(always)]
    fn splat_f32(value: f32) -> Self {
        [f32x4_splat(value); 2]
    }

    #[inline(always)]
    fn opaque_splat(value: i32) -> Self {
        [opaque(i32x4_splat(value)); 2]
    }

    #[inline(always)]
    unsafe fn load(lanes: *const Lane) -> Self {
        // SAFETY: the caller's promise.
        unsafe { [load_at(lanes), load_at(lanes.add(1))] }
    }

    #[inline(always)]
    fn load_i16x8(lane: &Lane) -> Self {
        // SAFETY: both halves of a `Lane` are 8 readable bytes.
        unsafe {
            [
                i32x4_load_extend_i16x4(lane.0.as_ptr().cast()),
                i32x4_load_extend_i16x4(lane.0.as_ptr().add(8).cast()),
            ]
        }
    }

    #[inline(always)]
    unsafe fn load_u8x16(lane: *const Lane) -> Self {
        // SAFETY: the caller's promise.
        let bytes = unsafe { load_at(lane) };
        [
            u16x8_extend_low_u8x16(bytes),
            u16x8_extend_high_u8x16(bytes),
        ]
    }

    #[inline(always)]
    unsafe fn load_u8x8(bytes: *const u8) -> Self {
        // SAFETY: the caller's promise.
        let words = unsafe { u16x8_load_extend_u8x8(bytes) };
        [
            u32x4_extend_low_u16x8(words),
            u32x4_extend_high_u16x8(words),
        ]
    }

    #[inline(always)]
    unsafe fn load_i8x8(bytes: *const i8) -> Self {
        // SAFETY: the caller's promise.
        let words = unsafe { i16x8_load_extend_i8x8(bytes) };
        [
            i32x4_extend_low_i16x8(words),
            i32x4_extend_high_i16x8(words),
        ]
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        both!(v128_and(self, other))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        both!(v128_or(self, other))
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        self.map(|half| i32x4_shl(half, bits))
    }

    #[inline(always)]
    fn shr_i16(self, bits: u32) -> Self {
        self.map(|half| i16x8_shr(half, bits))
    }

    #[inline(always)]
    fn shr_u16(self, bits: u32) -> Self {
        self.map(|half| u16x8_shr(half, bits))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        both!(i32x4_add(self, other))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        both!(i32x4_mul(self, other))
    }

    #[inline(always)]
    fn add_dot(self, weights: Self, inputs: Self) -> Self {
        self.add(both!(i32x4_dot_i16x8(weights, inputs)))
    }

    #[inline(always)]
    fn to_f32(self) -> Self {
        both!(f32x4_convert_i32x4(self))
    }

    #[inline(always)]
    fn add_f32(self, other: Self) -> Self {
        both!(f32x4_add(self, other))
    }

    #[inline(always)]
    fn sub_f32(self, other: Self) -> Self {
        both!(f32x4_sub(self, other))
    }

    #[inline(always)]
    fn mul_f32(self, other: Self) -> Self {
        both!(f32x4_mul(self, other))
    }

    #[inline(always)]
    fn to_array(self) -> [f32; GROUP_ROWS] {
        let [low, high] = self;
        [
            f32x4_extract_lane::<0>(low),
            f32x4_extract_lane::<1>(low),
            f32x4_extract_lane::<2>(low),
            f32x4_extract_lane::<3>(low),
            f32x4_extract_lane::<0>(high),
            f32x4_extract_lane::<1>(high),
            f32x4_extract_lane::<2>(high),
            f32x4_extract_lane::<3>(high),
        ]
    }
}

/// Four `f32` as one vector.
#[inline(always)]
pub(super) fn load_f32(values: &[f32; 4]) -> v128 {
    // SAFETY: four `f32` are 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(values.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store_f32(values: &mut [f32; 4], vector: v128) {
    // SAFETY: four `f32` are 16 writable bytes; the store needs no alignment.
    unsafe { v128_store(values.as_mut_ptr().cast(), vector) }
}

#[inline(always)]
pub(super) fn load_pairs(pairs: &[u32; 4]) -> v128 {
    // SAFETY: four `u32` are 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(pairs.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store_pairs(pairs: &mut [u32; 4], integers: v128) {
    // SAFETY: four `u32` are 16 writable bytes; the store needs no alignment.
    unsafe { v128_store(pairs.as_mut_ptr().cast(), integers) }
}

/// The constants for widening finite `f16`s, see [`super::lane::finite_f16`]. The mask is opaque to the compiler,
/// because V8 would recreate it for every quantization block.
pub(super) struct F16<R> {
    mask: R,
    unit: R,
}

impl<R: Rows> F16<R> {
    #[inline(always)]
    pub(super) fn new(unit: f32) -> Self {
        Self {
            mask: R::opaque_splat(F16_MASK),
            unit: R::splat_f32(unit),
        }
    }

    /// Eight finite `f16` as `f32`.
    #[inline(always)]
    pub(super) fn load(&self, lane: &Lane) -> R {
        R::load_i16x8(lane)
            .shl(13)
            .and(self.mask)
            .mul_f32(self.unit)
    }
}

/// The position of a kernel in the lanes of a group and the words of a panel, block by block.
pub(super) struct Walk {
    pub(super) lanes: *const Lane,
    pub(super) words: *const u32,
    end: *const Lane,
    block_lanes: usize,
    block_words: usize,
}

impl Walk {
    /// Begins at the first block.
    ///
    /// # Panics
    /// If weights and inputs have different numbers of blocks.
    #[inline(always)]
    pub(super) fn new<const N: usize>(
        group: &[Lane],
        block_lanes: usize,
        panel: Panel<N>,
        layout: Layout,
    ) -> Self {
        let (n_blocks, rest) = (group.len() / block_lanes, group.len() % block_lanes);
        let block_words = layout.block_words(N);
        assert!(
            rest == 0 && panel.0.len() == n_blocks * block_words,
            "a panel has as many blocks as the weights"
        );
        Self {
            lanes: group.as_ptr(),
            words: panel.0.as_ptr(),
            end: group.as_ptr_range().end,
            block_lanes,
            block_words,
        }
    }

    /// Whether a block is left, whose lanes and words can be read.
    #[inline(always)]
    pub(super) fn has_block(&self) -> bool {
        self.lanes != self.end
    }

    /// Moves to the next block.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        self.lanes = self.lanes.wrapping_add(self.block_lanes);
        self.words = self.words.wrapping_add(self.block_words);
    }
}

/// # Safety
/// A lane can be read at `lane`.
#[inline(always)]
pub(super) unsafe fn load_at(lane: *const Lane) -> v128 {
    // SAFETY: the caller's promise.
    unsafe { v128_load(lane.cast()) }
}

/// Hides a value, such as a loop count, from the compiler. An unrolled loop sums in another order and needs more
/// registers than there are (Q8_0 decode: 156 tok/s with the hidden count, 115 unrolled).
#[inline(always)]
pub(super) fn opaque<T>(value: T) -> T {
    std::hint::black_box(value)
}

#[inline(always)]
pub(super) fn zero() -> v128 {
    i32x4_splat(0)
}
