//! Quantization of inputs in 128-bit vectors, and the encoding of the integers that `simd128` multiplies.

use super::panel::{ROUNDER, block_scale};
use super::vector::*;

/// Replaces the pairs x₀ … x₃ of every eight inputs by xᵢ − 16 xᵢ₋₁, as `simd128::add_nibbles` takes them.
#[inline(always)]
pub(super) fn cascade(pairs: &mut [u32]) {
    for four in pairs.as_chunks_mut::<4>().0 {
        let integers = load_pairs(four);
        let before = i32x4_shuffle::<0, 4, 5, 6>(zero(), integers);
        store_pairs(four, i16x8_sub(integers, i16x8_shl(before, 4)));
    }
}

/// Replaces the pairs x₀ and x₁ of every four inputs by x₀ and x₁ − 2ᵇ x₀ with b = `BITS`.
///
/// A word w of Q8_0 holds the weights q₀ + 256 q₁, and q₀ x₀ + q₁ x₁ = w x₀ + (w >> 8) (x₁ − 256 x₀),
/// so no mask is needed. Twelve bits of a word of Q6_K hold q₀ + 64 q₁.
#[inline(always)]
pub(super) fn cascade_two<const BITS: u32>(pairs: &mut [u32]) {
    for four in pairs.as_chunks_mut::<4>().0 {
        let integers = load_pairs(four);
        let before = i64x2_shl(integers, 32);
        store_pairs(four, i16x8_sub(integers, i16x8_shl(before, BITS)));
    }
}

/// Quantizes `x` into `pairs`.
#[inline(always)]
pub(super) fn quantize(x: &[f32], max: f32, pairs: &mut [u32]) -> f32 {
    let fours = x.as_chunks::<4>().0;
    let mut magnitudes = zero();
    for four in fours {
        let bits = v128_and(load_f32(four), i32x4_splat(i32::MAX));
        magnitudes = u32x4_max(magnitudes, bits);
    }
    let magnitude = u32x4_extract_lane::<0>(magnitudes)
        .max(u32x4_extract_lane::<1>(magnitudes))
        .max(u32x4_extract_lane::<2>(magnitudes))
        .max(u32x4_extract_lane::<3>(magnitudes));
    let (scale, inverse) = block_scale(magnitude, max);
    if inverse == 0.0 {
        pairs.fill(0);
        return scale;
    }
    let integers = |four: &[f32; 4]| {
        let rounded = f32x4_add(
            f32x4_mul(load_f32(four), f32x4_splat(inverse)),
            f32x4_splat(ROUNDER),
        );
        i32x4_sub(rounded, f32x4_splat(ROUNDER))
    };
    for (out, eight) in pairs
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .zip(fours.as_chunks::<2>().0)
    {
        let narrow = i16x8_narrow_i32x4(integers(&eight[0]), integers(&eight[1]));
        store_pairs(out, narrow);
    }
    scale
}

/// Sum of the integers in these pairs, each multiplied by the weight of its position among eight.
#[inline(always)]
pub(super) fn weighted_sum(pairs: &[u32], weights: v128) -> i32 {
    let mut sums = zero();
    for four in pairs.as_chunks::<4>().0 {
        sums = i32x4_add(sums, i32x4_dot_i16x8(load_pairs(four), weights));
    }
    i32x4_extract_lane::<0>(sums)
        + i32x4_extract_lane::<1>(sums)
        + i32x4_extract_lane::<2>(sums)
        + i32x4_extract_lane::<3>(sums)
}
