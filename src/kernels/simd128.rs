//! The scalar loops in 128-bit vectors, wasm's or x86-64's: a lane is a row, two vectors are a group.
#![allow(
    unsafe_code,
    reason = "vector loads take a pointer; each is made from a reference to as many bytes"
)]

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::*;

#[cfg(target_arch = "x86_64")]
use super::sse2::*;

use super::activations::{Block32, Block256, ROUNDER, block_scale, integer_max, pair};
use super::blocks::{F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES};
use super::lane::{F16_BIAS, F16_MASK, GROUP_ROWS, Lane};
use super::{Kernel, WeightType};

/// WebAssembly's fixed-width SIMD, or what every x86-64 processor has of it.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

/// Rows 0–3 and rows 4–7.
type Rows = [v128; 2];

#[inline(always)]
fn load(lane: &Lane) -> v128 {
    // SAFETY: a `Lane` is 16 readable bytes.
    unsafe { v128_load(lane.0.as_ptr().cast()) }
}

/// Eight f32 that the slice type guarantees, as two vectors.
#[inline(always)]
fn load_f32(values: &[f32; 4]) -> v128 {
    // SAFETY: four `f32` are 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(values.as_ptr().cast()) }
}

#[inline(always)]
fn load_pairs(pairs: &[u32; 4]) -> v128 {
    // SAFETY: four `u32` are 16 readable bytes; the load needs no alignment.
    unsafe { v128_load(pairs.as_ptr().cast()) }
}

#[inline(always)]
fn store_pairs(pairs: &mut [u32; 4], integers: v128) {
    // SAFETY: four `u32` are 16 writable bytes; the store needs no alignment.
    unsafe { v128_store(pairs.as_mut_ptr().cast(), integers) }
}

/// Eight finite `f16` as `f32`; see [`super::lane::finite_f16`].
#[inline(always)]
fn load_f16(lane: &Lane) -> Rows {
    // SAFETY: both halves of a `Lane` are 8 readable bytes.
    let halves = unsafe {
        [
            i32x4_load_extend_i16x4(lane.0.as_ptr().cast()),
            i32x4_load_extend_i16x4(lane.0.as_ptr().add(8).cast()),
        ]
    };
    halves.map(|bits| {
        let widened = v128_and(i32x4_shl(bits, 13), i32x4_splat(F16_MASK));
        f32x4_mul(widened, f32x4_splat(F16_BIAS))
    })
}

/// Eight of a lane's bytes, the `half`-th, as unsigned 32-bit values.
#[inline(always)]
fn load_u8_half(lane: &Lane, half: usize) -> Rows {
    let bytes = if half == 0 {
        u16x8_extend_low_u8x16(load(lane))
    } else {
        u16x8_extend_high_u8x16(load(lane))
    };
    [
        u32x4_extend_low_u16x8(bytes),
        u32x4_extend_high_u16x8(bytes),
    ]
}

/// Eight of a lane's bytes, the `half`-th, as signed 32-bit values.
#[inline(always)]
fn load_i8_half(lane: &Lane, half: usize) -> Rows {
    let bytes = if half == 0 {
        i16x8_extend_low_i8x16(load(lane))
    } else {
        i16x8_extend_high_i8x16(load(lane))
    };
    [
        i32x4_extend_low_i16x8(bytes),
        i32x4_extend_high_i16x8(bytes),
    ]
}

/// A loop count the compiler cannot know: it would unroll the loop, sum in an order of its own and
/// so need more registers than there are (Q8_0 decode: 156 tok/s this way, 115 unrolled).
#[inline(always)]
fn opaque(count: usize) -> usize {
    std::hint::black_box(count)
}

/// The low bytes of a lane's words as unsigned words.
#[inline(always)]
fn low_bytes(words: v128) -> v128 {
    v128_and(words, u16x8_splat(255))
}

/// Adds what eight inputs make with their nibbles.
///
/// A word w holds the weights n₀ + 16 n₁ + 256 n₂ + 4096 n₃ for the pairs x₀ … x₃, and
/// Σ nᵢ xᵢ = Σ (w >> 4i) (xᵢ − 16 xᵢ₋₁), so no mask is needed once [`cascade`] has prepared the inputs.
#[inline(always)]
fn add_nibbles<const N: usize>(sums: &mut [Rows; N], lanes: &[Lane; 2], pairs: [&[u32; 4]; N]) {
    let words = [load(&lanes[0]), load(&lanes[1])];
    for p in 0..4 {
        let weights = words.map(|words| i16x8_shr(words, 4 * p as u32));
        for (sums, pairs) in sums.iter_mut().zip(pairs) {
            add_pair(sums, &weights, pairs[p]);
        }
    }
}

/// Turns the pairs of every eight inputs into what [`add_nibbles`] wants.
#[inline(always)]
fn cascade(pairs: &mut [u32]) {
    for four in pairs.as_chunks_mut::<4>().0 {
        let integers = load_pairs(four);
        let before = i32x4_shuffle::<0, 4, 5, 6>(zero(), integers);
        store_pairs(four, i16x8_sub(integers, i16x8_shl(before, 4)));
    }
}

/// Adds what two weights per row make of one pair of inputs.
#[inline(always)]
fn add_pair(sums: &mut Rows, weights: &Rows, pair: u32) {
    let inputs = i32x4_splat(pair.cast_signed());
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = i32x4_add(*sum, i32x4_dot_i16x8(*weight, inputs));
    }
}

/// `(scale · x_scale) · sum`, the float end of a quantization block.
#[inline(always)]
fn scaled(scale: v128, x_scale: v128, sum: v128) -> v128 {
    f32x4_mul(f32x4_mul(scale, x_scale), f32x4_convert_i32x4(sum))
}

/// The float end of a quantization block for every column.
#[inline(always)]
fn accumulate<const N: usize>(
    acc: &mut [Rows; N],
    scales: Rows,
    x_scales: [f32; N],
    sums: [Rows; N],
) {
    for ((acc, sums), x_scale) in acc.iter_mut().zip(sums).zip(x_scales) {
        let x_scale = f32x4_splat(x_scale);
        for i in 0..2 {
            acc[i] = f32x4_add(acc[i], scaled(scales[i], x_scale, sums[i]));
        }
    }
}

#[inline(always)]
fn zero() -> v128 {
    i32x4_splat(0)
}

#[inline(always)]
fn to_array([low, high]: Rows) -> [f32; GROUP_ROWS] {
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

/// Quantizes `x`; two by two into `pairs`.
#[inline(always)]
fn quantize(x: &[f32], max: f32, pairs: &mut [u32]) -> f32 {
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

/// Sum of the integers in these pairs, each times the weight in its place of eight.
#[inline(always)]
fn weighted_sum(pairs: &[u32], weights: v128) -> i32 {
    let mut sums = zero();
    for four in pairs.as_chunks::<4>().0 {
        sums = i32x4_add(sums, i32x4_dot_i16x8(load_pairs(four), weights));
    }
    i32x4_extract_lane::<0>(sums)
        + i32x4_extract_lane::<1>(sums)
        + i32x4_extract_lane::<2>(sums)
        + i32x4_extract_lane::<3>(sums)
}

/// Eight rows of float weights, column by column, on four chains.
#[inline(always)]
fn floats<const N: usize, const LANES: usize>(
    group: &[Lane],
    x: [&[f32]; N],
    decode: impl Fn(&[Lane; LANES]) -> Rows,
) -> [[f32; GROUP_ROWS]; N] {
    let mut chains = [[[zero(); 2]; 4]; N];
    let weights = group.as_chunks::<LANES>().0;
    let x = x.map(|column| &column[..weights.len()]);
    for (k, lanes) in weights.iter().enumerate() {
        let weight = decode(lanes);
        for (chain, column) in chains.iter_mut().zip(x) {
            let input = f32x4_splat(column[k]);
            for (sum, weight) in chain[k % 4].iter_mut().zip(weight) {
                *sum = f32x4_add(*sum, f32x4_mul(weight, input));
            }
        }
    }
    chains.map(|[a, b, c, d]| {
        to_array(std::array::from_fn(|i| {
            f32x4_add(f32x4_add(a[i], b[i]), f32x4_add(c[i], d[i]))
        }))
    })
}

impl Kernel for Simd128 {
    const NAME: &'static str = if cfg!(target_arch = "wasm32") {
        "simd128"
    } else {
        "sse2"
    };

    fn quantize32(dtype: WeightType, x: &[f32], out: &mut [Block32]) {
        for (values, block) in x.as_chunks::<32>().0.iter().zip(out) {
            block.scale = quantize(values, integer_max(dtype), &mut block.pairs);
            if dtype == WeightType::Q4_0 {
                // Eight less for every weight; those of the last pair are stored so already.
                block.bias = weighted_sum(&block.pairs, i16x8(-8, -8, -8, -8, -8, -8, 0, 0));
                cascade(&mut block.pairs);
            } else {
                // 128 less for the low bytes.
                let low = i16x8(-128, -128, 0, 0, -128, -128, 0, 0);
                block.bias = weighted_sum(&block.pairs, low);
            }
        }
    }

    fn quantize256(dtype: WeightType, x: &[f32], out: &mut [Block256]) {
        for (values, block) in x.as_chunks::<256>().0.iter().zip(out) {
            block.scale = quantize(values, integer_max(dtype), &mut block.pairs);
            if dtype == WeightType::Q6K {
                for (bias, pairs) in block.biases.iter_mut().zip(block.pairs.as_chunks::<8>().0) {
                    *bias = weighted_sum(pairs, i16x8_splat(-32));
                }
            } else {
                let mut subs = [0; 8];
                let pairs = block.pairs.as_chunks::<16>().0;
                for ((sub, bias), pairs) in subs.iter_mut().zip(&mut block.biases).zip(pairs) {
                    *sub = weighted_sum(pairs, i16x8_splat(1));
                    // Eight more for the weights of the last pair, stored with eight less.
                    *bias = weighted_sum(pairs, i16x8(0, 0, 0, 0, 0, 0, 8, 8));
                }
                for (sums, two) in block.sums.iter_mut().zip(subs.as_chunks::<2>().0) {
                    *sums = pair(two[0], two[1]);
                }
                cascade(&mut block.pairs);
            }
        }
    }

    #[inline(never)]
    fn f32<const N: usize>(group: &[Lane], x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F32_LANES]| {
            [load(&lanes[0]), load(&lanes[1])]
        })
    }

    #[inline(never)]
    fn f16<const N: usize>(group: &[Lane], x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F16_LANES]| load_f16(&lanes[0]))
    }

    #[inline(never)]
    fn q8_0<const N: usize>(group: &[Lane], x: [&[Block32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q8_0_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        let fours = opaque(8);
        for (b, block) in blocks.iter().enumerate() {
            let inputs = x.map(|column| &column[b]);
            let mut sums = inputs.map(|inputs| [i32x4_splat(inputs.bias); 2]);
            for four in 0..fours {
                let [first, second] = &block[1..].as_chunks::<2>().0[four];
                let pairs = inputs.map(|inputs| &inputs.pairs.as_chunks::<2>().0[four]);
                let words = [load(first), load(second)];
                let low = words.map(low_bytes);
                for (sums, pairs) in sums.iter_mut().zip(pairs) {
                    add_pair(sums, &low, pairs[0]);
                }
                let high = words.map(|words| i16x8_shr(words, 8));
                for (sums, pairs) in sums.iter_mut().zip(pairs) {
                    add_pair(sums, &high, pairs[1]);
                }
            }
            accumulate(
                &mut acc,
                load_f16(&block[0]),
                inputs.map(|inputs| inputs.scale),
                sums,
            );
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q4_0<const N: usize>(group: &[Lane], x: [&[Block32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q4_0_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        let steps = opaque(4);
        for (b, block) in blocks.iter().enumerate() {
            let inputs = x.map(|column| &column[b]);
            let mut sums = inputs.map(|inputs| [i32x4_splat(inputs.bias); 2]);
            for step in 0..steps {
                let lanes = &block[1..].as_chunks::<2>().0[step];
                let pairs = inputs.map(|inputs| &inputs.pairs.as_chunks::<4>().0[step]);
                add_nibbles(&mut sums, lanes, pairs);
            }
            accumulate(
                &mut acc,
                load_f16(&block[0]),
                inputs.map(|inputs| inputs.scale),
                sums,
            );
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q4k<const N: usize>(group: &[Lane], x: [&[Block256]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q4K_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        let (subs, steps) = (opaque(8), opaque(4));
        for (b, block) in blocks.iter().enumerate() {
            let inputs = x.map(|column| &column[b]);
            let mut sums = [[zero(); 2]; N];
            for sub in 0..subs {
                let mut sub_sums = inputs.map(|inputs| [i32x4_splat(inputs.biases[sub]); 2]);
                let lanes = &block[10..].as_chunks::<8>().0[sub];
                let pairs = inputs.map(|inputs| &inputs.pairs.as_chunks::<16>().0[sub]);
                for step in 0..steps {
                    let lanes = &lanes.as_chunks::<2>().0[step];
                    let pairs = pairs.map(|pairs| &pairs.as_chunks::<4>().0[step]);
                    add_nibbles(&mut sub_sums, lanes, pairs);
                }
                let scales = load_u8_half(&block[2 + sub / 2], sub % 2);
                for (sums, sub_sums) in sums.iter_mut().zip(sub_sums) {
                    for i in 0..2 {
                        sums[i] = i32x4_add(sums[i], i32x4_mul(scales[i], sub_sums[i]));
                    }
                }
            }
            let mut min_sums = [[zero(); 2]; N];
            for (two, lane) in block[6..10].iter().enumerate().take(steps) {
                let mins = load(lane);
                let mins = [u16x8_extend_low_u8x16(mins), u16x8_extend_high_u8x16(mins)];
                for (sums, inputs) in min_sums.iter_mut().zip(inputs) {
                    add_pair(sums, &mins, inputs.sums[two]);
                }
            }
            let (scales, mins) = (load_f16(&block[0]), load_f16(&block[1]));
            for c in 0..N {
                let x_scale = f32x4_splat(inputs[c].scale);
                for i in 0..2 {
                    let value = f32x4_sub(
                        scaled(scales[i], x_scale, sums[c][i]),
                        scaled(mins[i], x_scale, min_sums[c][i]),
                    );
                    acc[c][i] = f32x4_add(acc[c][i], value);
                }
            }
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q6k<const N: usize>(group: &[Lane], x: [&[Block256]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q6K_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        let (subs, quarters) = (opaque(16), opaque(4));
        let (lower, upper) = (u8x16_splat(0x0f), u8x16_splat(0x30));
        for (b, block) in blocks.iter().enumerate() {
            let inputs = x.map(|column| &column[b]);
            let mut sums = [[zero(); 2]; N];
            for sub in 0..subs {
                let mut sub_sums = inputs.map(|inputs| [i32x4_splat(inputs.biases[sub]); 2]);
                let pairs = inputs.map(|inputs| &inputs.pairs.as_chunks::<8>().0[sub]);
                let nibbles = &block[9..73].as_chunks::<4>().0[sub];
                let crumbs = &block[73..].as_chunks::<2>().0[sub];
                let crumbs = [load(&crumbs[0]), load(&crumbs[1])];
                // Two pairs at a time, the weights of the first in the low bytes.
                for quarter in 0..quarters {
                    let lanes = &nibbles.as_chunks::<2>().0[quarter / 2];
                    let words: Rows = std::array::from_fn(|i| {
                        let low = u16x8_shr(load(&lanes[i]), quarter as u32 % 2 * 4);
                        let high = u16x8_shl(u16x8_shr(crumbs[i], quarter as u32 * 2), 4);
                        v128_or(v128_and(low, lower), v128_and(high, upper))
                    });
                    let pair = quarter / 2 * 4 + quarter % 2;
                    let low = words.map(low_bytes);
                    for (sums, pairs) in sub_sums.iter_mut().zip(pairs) {
                        add_pair(sums, &low, pairs[pair]);
                    }
                    let high = words.map(|words| u16x8_shr(words, 8));
                    for (sums, pairs) in sub_sums.iter_mut().zip(pairs) {
                        add_pair(sums, &high, pairs[pair + 2]);
                    }
                }
                let scales = load_i8_half(&block[1 + sub / 2], sub % 2);
                for (sums, sub_sums) in sums.iter_mut().zip(sub_sums) {
                    for i in 0..2 {
                        sums[i] = i32x4_add(sums[i], i32x4_mul(scales[i], sub_sums[i]));
                    }
                }
            }
            accumulate(
                &mut acc,
                load_f16(&block[0]),
                inputs.map(|inputs| inputs.scale),
                sums,
            );
        }
        acc.map(to_array)
    }
}
