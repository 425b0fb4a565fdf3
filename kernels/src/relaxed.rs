//! `Relaxed`: the 4-bit kernels in WebAssembly's relaxed SIMD, 16 products per instruction instead of eight.
//!
//! The result of `i16x8.relaxed_dot_i8x16_i7x16` depends on the machine if its second operand has the top bit set or a
//! sum exceeds 16 bits. Nibbles do not set the top bit, and 16 products with inputs up to ±127 sum to at most 30480, so
//! the results are exact on every machine.
#![allow(
    unsafe_code,
    reason = "kernels read from two running addresses, whose lengths `Walk` has checked"
)]

use super::blocks::{Q4_0_LANES, Q4K_LANES};
use super::exp::EXP_BATCH;
use super::kernel::Kernel;
use super::lane::{GROUP_ROWS, Group, Lane};
use super::panel::{Block32, Block256, InputType, Layout, Panel, pair};
use super::products::{accumulate, add_minima, add_scaled, subtract_scaled};
use super::rounding::{quantize, weighted_sum};
use super::simd128::Simd128;
use super::vector::*;

/// WebAssembly's relaxed SIMD for Q4_0 and Q4_K, fixed-width SIMD for the rest.
#[derive(Clone, Copy, Debug)]
pub struct Relaxed;

/// The layout for Q4_0: a byte for each input.
const LAYOUT_Q4_0: Layout = Layout {
    biases: 1,
    sums: 0,
    words: 8,
    step: 2,
};
/// The layout for Q4_K.
const LAYOUT_Q4K: Layout = Layout {
    biases: 0,
    sums: 4,
    words: 64,
    step: 2,
};

/// Replaces the four pairs of every eight inputs by two words, at the front of `pairs`: inputs 0, 4, 1, 5 are
/// multiplied by the low nibbles of a row's four bytes, inputs 2, 6, 3, 7 by the high nibbles.
#[inline(always)]
fn to_bytes(pairs: &mut [u32]) {
    const LOW: u32 = 0x00ff_00ff;
    for eight in 0..pairs.len() / 4 {
        let [a, b, c, d] = *pairs[4 * eight..]
            .first_chunk()
            .expect("eight inputs are four pairs");
        pairs[2 * eight] = a & LOW | (c & LOW) << 8;
        pairs[2 * eight + 1] = b & LOW | (d & LOW) << 8;
    }
}

/// Constants that extract nibbles. They are opaque to the compiler, because V8 would recreate them at every step.
#[derive(Clone, Copy)]
struct Masks {
    nibbles: v128,
    /// Corrects the highest nibble of a word, which is stored minus eight.
    signs: v128,
}

impl Masks {
    #[inline(always)]
    fn new() -> Self {
        Self {
            nibbles: opaque(u8x16_splat(0x0f)),
            signs: opaque(u16x8_splat(0x8000)),
        }
    }
}

/// The sums of the products of 32 inputs of every column with their nibbles.
///
/// # Safety
/// Eight lanes and eight words of every column can be read there.
#[inline]
#[target_feature(enable = "relaxed-simd")]
unsafe fn nibble_sums<const N: usize>(
    mut lanes: *const Lane,
    mut bytes: *const u32,
    masks: Masks,
) -> [TwoVectors; N] {
    let mut sums = [[zero(); 2]; N];
    for _ in 0..opaque(4) {
        // SAFETY: the caller's promise.
        unsafe {
            let words = [load_at(lanes), load_at(lanes.add(1))].map(|w| v128_xor(w, masks.signs));
            let mut add = |nibbles: TwoVectors, bytes: *const u32| {
                let nibbles = nibbles.map(|nibbles| v128_and(nibbles, masks.nibbles));
                for (column, sums) in sums.iter_mut().enumerate() {
                    let inputs = TwoVectors::load_splat(bytes.add(2 * column));
                    for ((sum, nibbles), inputs) in sums.iter_mut().zip(nibbles).zip(inputs) {
                        *sum = i16x8_add(*sum, i16x8_relaxed_dot_i8x16_i7x16(inputs, nibbles));
                    }
                }
            };
            add(words, bytes);
            add(words.map(|words| u16x8_shr(words, 4)), bytes.add(1));
            (lanes, bytes) = (lanes.add(2), bytes.add(2 * N));
        }
    }
    sums.map(|sums| sums.map(|sum| i32x4_extadd_pairwise_i16x8(sum)))
}

/// [`Kernel::q4_0`].
#[inline(never)]
#[target_feature(enable = "relaxed-simd")]
fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, Q4_0_LANES, panel, LAYOUT_Q4_0);
    let mut acc = [[zero(); 2]; N];
    let (f16, masks) = (F16::<TwoVectors>::new(group.scale_unit), Masks::new());
    while at.has_block() {
        // SAFETY: `Walk` has checked that the lanes and words of a block can be read.
        unsafe {
            let bytes = at.words.add(LAYOUT_Q4_0.head() * N);
            let mut sums = nibble_sums::<N>(at.lanes.add(1), bytes, masks);
            for (column, sums) in sums.iter_mut().enumerate() {
                *sums = sums.add(TwoVectors::load_splat(at.words.add(N + column)));
            }
            accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
        }
        at.advance();
    }
    acc.map(TwoVectors::to_array)
}

/// [`Kernel::q4k`].
#[inline(never)]
#[target_feature(enable = "relaxed-simd")]
fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, Q4K_LANES, panel, LAYOUT_Q4K);
    let mut acc = [[zero(); 2]; N];
    let (f16, masks) = (F16::<TwoVectors>::new(group.scale_unit), Masks::new());
    while at.has_block() {
        // SAFETY: as in `q4_0`.
        unsafe {
            let (mut lanes, mut bytes) = (at.lanes.add(10), at.words.add(LAYOUT_Q4K.head() * N));
            let mut sums = [[zero(); 2]; N];
            for sub in 0..opaque(8) {
                let sub_sums = nibble_sums::<N>(lanes, bytes, masks);
                (lanes, bytes) = (lanes.add(8), bytes.add(8 * N));
                let scales = TwoVectors::load_u8x8(at.lanes.add(2).cast::<u8>().add(8 * sub));
                add_scaled(&mut sums, scales, sub_sums);
            }
            let mut minima = [[zero(); 2]; N];
            add_minima(&mut minima, at.lanes.add(6), at.words.add(N));
            let scales = [&*at.lanes, &*at.lanes.add(1)].map(|lane| f16.load(lane));
            subtract_scaled(&mut acc, scales, at.words, sums, minima);
        }
        at.advance();
    }
    acc.map(TwoVectors::to_array)
}

impl Kernel for Relaxed {
    const NAME: &'static str = "relaxed";

    #[inline(always)]
    fn layout(input: InputType) -> Layout {
        match input {
            InputType::Q4_0 => LAYOUT_Q4_0,
            InputType::Q4K => LAYOUT_Q4K,
            InputType::Q8_0 | InputType::Q6K | InputType::Cache => input.layout(),
        }
    }

    #[inline(always)]
    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32 {
        if input != InputType::Q4_0 {
            return Simd128::quantize32(input, x);
        }
        let mut pairs = [0; 16];
        let scale = quantize(x, input.integer_max(), &mut pairs);
        let bias = weighted_sum(&pairs, i16x8_splat(-8));
        to_bytes(&mut pairs);
        Block32 { scale, bias, pairs }
    }

    #[inline(always)]
    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256 {
        if input != InputType::Q4K {
            return Simd128::quantize256(input, x);
        }
        let mut block = Block256::ZERO;
        block.scale = quantize(x, input.integer_max(), &mut block.pairs);
        for (sums, pairs) in block.sums.iter_mut().zip(block.pairs.as_chunks::<32>().0) {
            let sum = |pairs| weighted_sum(pairs, i16x8_splat(1));
            *sums = pair(sum(&pairs[..16]), sum(&pairs[16..]));
        }
        to_bytes(&mut block.pairs);
        block
    }

    #[inline(always)]
    fn exp(x: &mut [f32; EXP_BATCH]) {
        Simd128::exp(x);
    }

    #[inline(always)]
    fn f32<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        Simd128::f32(group, x)
    }

    #[inline(always)]
    fn f16<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        Simd128::f16(group, x)
    }

    #[inline(always)]
    fn q8_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        Simd128::q8_0(group, panel)
    }

    #[inline(always)]
    fn cache<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        Simd128::cache(group, panel)
    }

    #[inline(always)]
    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        Simd128::q6k(group, panel)
    }

    #[inline(always)]
    fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        q4_0(group, panel)
    }

    #[inline(always)]
    fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        q4k(group, panel)
    }
}
