//! The scalar loops in wasm's 128-bit vectors: a lane is a row, two vectors are a group.
#![allow(
    unsafe_code,
    reason = "vector loads take a pointer; each is made from a reference to as many bytes"
)]

use std::arch::wasm32::*;

use super::Kernel;
use super::activations::{Block32, Block256, ROUNDER, block_scale};
use super::blocks::{F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES};
use super::lane::{F16_BIAS, F16_MASK, GROUP_ROWS, Lane};

/// WebAssembly's fixed-width SIMD.
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

/// The 16 signed bytes of a lane, widened to 16 bits.
#[inline(always)]
fn load_i8(lane: &Lane) -> Rows {
    // SAFETY: both halves of a `Lane` are 8 readable bytes.
    unsafe {
        [
            i16x8_load_extend_i8x8(lane.0.as_ptr().cast()),
            i16x8_load_extend_i8x8(lane.0.as_ptr().add(8).cast()),
        ]
    }
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
    let bytes = load_i8(lane)[half];
    [
        i32x4_extend_low_i16x8(bytes),
        i32x4_extend_high_i16x8(bytes),
    ]
}

/// A lane's four nibble fields: rows 0–3 and 4–7 of its first pair, then of its second.
#[inline(always)]
fn nibbles(lane: &Lane) -> [Rows; 2] {
    let (bits, low) = (load(lane), u16x8_splat(15));
    [
        [v128_and(bits, low), v128_and(u16x8_shr(bits, 4), low)],
        [v128_and(u16x8_shr(bits, 8), low), u16x8_shr(bits, 12)],
    ]
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
        // SAFETY: four `u32` are 16 writable bytes; the store needs no alignment.
        unsafe { v128_store(out.as_mut_ptr().cast(), narrow) };
    }
    scale
}

/// Sum of the integers in these pairs.
#[inline(always)]
fn sum(pairs: &[u32]) -> i32 {
    let mut sums = zero();
    for four in pairs.as_chunks::<4>().0 {
        // SAFETY: four `u32` are 16 readable bytes; the load needs no alignment.
        let integers = unsafe { v128_load(four.as_ptr().cast()) };
        sums = i32x4_add(sums, i32x4_dot_i16x8(integers, i16x8_splat(1)));
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
    const NAME: &'static str = "simd128";

    fn quantize32(x: &[f32], max: f32, out: &mut [Block32]) {
        for (values, block) in x.as_chunks::<32>().0.iter().zip(out) {
            block.scale = quantize(values, max, &mut block.pairs);
            block.sum = sum(&block.pairs);
        }
    }

    fn quantize256(x: &[f32], max: f32, out: &mut [Block256]) {
        for (values, block) in x.as_chunks::<256>().0.iter().zip(out) {
            block.scale = quantize(values, max, &mut block.pairs);
            for (sum16, pairs) in block.sums16.iter_mut().zip(block.pairs.as_chunks::<8>().0) {
                *sum16 = sum(pairs);
            }
            for (sum32, sums16) in block.sums32.iter_mut().zip(block.sums16.as_chunks::<2>().0) {
                *sum32 = sums16[0] + sums16[1];
            }
        }
    }

    fn f32<const N: usize>(group: &[Lane], x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F32_LANES]| {
            [load(&lanes[0]), load(&lanes[1])]
        })
    }

    fn f16<const N: usize>(group: &[Lane], x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F16_LANES]| load_f16(&lanes[0]))
    }

    fn q8_0<const N: usize>(group: &[Lane], x: [&[Block32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q8_0_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        for (b, block) in blocks.iter().enumerate() {
            let mut sums = [[zero(); 2]; N];
            for p in 0..16 {
                let weights = load_i8(&block[1 + p]);
                for (sums, column) in sums.iter_mut().zip(x) {
                    add_pair(sums, &weights, column[b].pairs[p]);
                }
            }
            let scales = load_f16(&block[0]);
            for ((acc, sums), column) in acc.iter_mut().zip(sums).zip(x) {
                let x_scale = f32x4_splat(column[b].scale);
                for i in 0..2 {
                    acc[i] = f32x4_add(acc[i], scaled(scales[i], x_scale, sums[i]));
                }
            }
        }
        acc.map(to_array)
    }

    fn q4_0<const N: usize>(group: &[Lane], x: [&[Block32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q4_0_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        for (b, block) in blocks.iter().enumerate() {
            let mut sums = x.map(|column| [i32x4_splat(-8 * column[b].sum); 2]);
            for p in 0..8 {
                let [first, second] = nibbles(&block[1 + p]);
                for (sums, column) in sums.iter_mut().zip(x) {
                    add_pair(sums, &first, column[b].pairs[2 * p]);
                    add_pair(sums, &second, column[b].pairs[2 * p + 1]);
                }
            }
            let scales = load_f16(&block[0]);
            for ((acc, sums), column) in acc.iter_mut().zip(sums).zip(x) {
                let x_scale = f32x4_splat(column[b].scale);
                for i in 0..2 {
                    acc[i] = f32x4_add(acc[i], scaled(scales[i], x_scale, sums[i]));
                }
            }
        }
        acc.map(to_array)
    }

    fn q4k<const N: usize>(group: &[Lane], x: [&[Block256]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q4K_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        for (b, block) in blocks.iter().enumerate() {
            let mut sums = [[zero(); 2]; N];
            let mut min_sums = [[zero(); 2]; N];
            for sub in 0..8 {
                let mut sub_sums = [[zero(); 2]; N];
                for p in 0..8 {
                    let [first, second] = nibbles(&block[10 + 8 * sub + p]);
                    for (sums, column) in sub_sums.iter_mut().zip(x) {
                        add_pair(sums, &first, column[b].pairs[16 * sub + 2 * p]);
                        add_pair(sums, &second, column[b].pairs[16 * sub + 2 * p + 1]);
                    }
                }
                let scales = load_u8_half(&block[2 + sub / 2], sub % 2);
                let mins = load_u8_half(&block[6 + sub / 2], sub % 2);
                for c in 0..N {
                    let x_sum = i32x4_splat(x[c][b].sums32[sub]);
                    for i in 0..2 {
                        sums[c][i] = i32x4_add(sums[c][i], i32x4_mul(scales[i], sub_sums[c][i]));
                        min_sums[c][i] = i32x4_add(min_sums[c][i], i32x4_mul(mins[i], x_sum));
                    }
                }
            }
            let (scales, mins) = (load_f16(&block[0]), load_f16(&block[1]));
            for c in 0..N {
                let x_scale = f32x4_splat(x[c][b].scale);
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

    fn q6k<const N: usize>(group: &[Lane], x: [&[Block256]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[zero(); 2]; N];
        let blocks = group.as_chunks::<Q6K_LANES>().0;
        let x = x.map(|column| &column[..blocks.len()]);
        let upper = u16x8_splat(0x30);
        for (b, block) in blocks.iter().enumerate() {
            let mut sums = [[zero(); 2]; N];
            for sub in 0..16 {
                let mut sub_sums = x.map(|column| [i32x4_splat(-32 * column[b].sums16[sub]); 2]);
                for half in 0..2 {
                    // One lane with the upper two bits of eight inputs, two with their nibbles.
                    let crumbs = load(&block[73 + 2 * sub + half]);
                    let low = nibbles(&block[9 + 4 * sub + 2 * half]);
                    let high = nibbles(&block[9 + 4 * sub + 2 * half + 1]);
                    let fields = [
                        u16x8_shl(crumbs, 4),
                        u16x8_shl(crumbs, 2),
                        crumbs,
                        u16x8_shr(crumbs, 2),
                        u16x8_shr(crumbs, 4),
                        u16x8_shr(crumbs, 6),
                        u16x8_shr(crumbs, 8),
                        u16x8_shr(crumbs, 10),
                    ];
                    let whole =
                        |nibble, field: usize| v128_or(nibble, v128_and(fields[field], upper));
                    for (i, nibbles) in [low[0], low[1], high[0], high[1]].into_iter().enumerate() {
                        let weights = [whole(nibbles[0], 2 * i), whole(nibbles[1], 2 * i + 1)];
                        for (sums, column) in sub_sums.iter_mut().zip(x) {
                            add_pair(sums, &weights, column[b].pairs[8 * sub + 4 * half + i]);
                        }
                    }
                }
                let scales = load_i8_half(&block[1 + sub / 2], sub % 2);
                for (sums, sub_sums) in sums.iter_mut().zip(sub_sums) {
                    for i in 0..2 {
                        sums[i] = i32x4_add(sums[i], i32x4_mul(scales[i], sub_sums[i]));
                    }
                }
            }
            let scales = load_f16(&block[0]);
            for ((acc, sums), column) in acc.iter_mut().zip(sums).zip(x) {
                let x_scale = f32x4_splat(column[b].scale);
                for i in 0..2 {
                    acc[i] = f32x4_add(acc[i], scaled(scales[i], x_scale, sums[i]));
                }
            }
        }
        acc.map(to_array)
    }
}
