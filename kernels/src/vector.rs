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

/// Rows 0–3 and rows 4–7.
pub(super) type Rows = [v128; 2];

#[inline(always)]
pub(super) fn load(lane: &Lane) -> v128 {
    // SAFETY: a `Lane` is 16 readable bytes.
    unsafe { v128_load(lane.0.as_ptr().cast()) }
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
pub(super) struct F16 {
    mask: v128,
    unit: v128,
}

impl F16 {
    #[inline(always)]
    pub(super) fn new(unit: f32) -> Self {
        Self {
            mask: opaque(i32x4_splat(F16_MASK)),
            unit: f32x4_splat(unit),
        }
    }

    /// Eight finite `f16` as `f32`.
    #[inline(always)]
    pub(super) fn load(&self, lane: &Lane) -> Rows {
        // SAFETY: both halves of a `Lane` are 8 readable bytes.
        let halves = unsafe {
            [
                i32x4_load_extend_i16x4(lane.0.as_ptr().cast()),
                i32x4_load_extend_i16x4(lane.0.as_ptr().add(8).cast()),
            ]
        };
        halves.map(|bits| f32x4_mul(v128_and(i32x4_shl(bits, 13), self.mask), self.unit))
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

/// Loads eight bytes as unsigned 32-bit values.
///
/// # Safety
/// Eight bytes at `bytes` can be read.
#[inline(always)]
pub(super) unsafe fn load_u8x8(bytes: *const u8) -> Rows {
    // SAFETY: the caller's promise.
    let words = unsafe { u16x8_load_extend_u8x8(bytes) };
    [
        u32x4_extend_low_u16x8(words),
        u32x4_extend_high_u16x8(words),
    ]
}

/// Loads eight bytes as signed 32-bit values.
///
/// # Safety
/// Eight bytes at `bytes` can be read.
#[inline(always)]
pub(super) unsafe fn load_i8x8(bytes: *const i8) -> Rows {
    // SAFETY: the caller's promise.
    let words = unsafe { i16x8_load_extend_i8x8(bytes) };
    [
        i32x4_extend_low_i16x8(words),
        i32x4_extend_high_i16x8(words),
    ]
}

/// Hides a value, such as a loop count, from the compiler. An unrolled loop sums in another order and needs more
/// registers than there are (Q8_0 decode: 156 tok/s with the hidden count, 115 unrolled).
#[inline(always)]
pub(super) fn opaque<T>(value: T) -> T {
    std::hint::black_box(value)
}

/// A pair in every lane.
///
/// # Safety
/// A pair can be read at `pair`.
#[inline(always)]
pub(super) unsafe fn load_pair(pair: *const u32) -> v128 {
    // SAFETY: the caller's promise.
    i32x4_splat(unsafe { *pair }.cast_signed())
}

#[inline(always)]
pub(super) fn zero() -> v128 {
    i32x4_splat(0)
}

#[inline(always)]
pub(super) fn to_array([low, high]: Rows) -> [f32; GROUP_ROWS] {
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
