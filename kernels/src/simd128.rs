//! `Simd128`: the scalar kernels in 128-bit vectors of WebAssembly or x86-64; a lane is a row, two vectors are a group.
#![allow(
    unsafe_code,
    reason = "kernels read from two running addresses, whose lengths `Walk` has checked"
)]

use super::blocks::{
    CACHE_LANES, F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES,
};
use super::exp::{self, EXP_BATCH};
use super::kernel::Kernel;
use super::lane::{F16_BIAS, GROUP_ROWS, Group, Lane};
use super::panel::{
    Block32, Block256, InputType, LAYOUT_Q4_0, LAYOUT_Q4K, LAYOUT_Q6K, LAYOUT_Q8, Panel, ROUNDER,
    pair,
};
use super::rounding::{cascade, cascade_two, quantize, weighted_sum};
use super::vector::*;

/// WebAssembly's fixed-width SIMD, or its equivalent in x86-64's baseline.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

/// The starts of the sums of N columns.
///
/// # Safety
/// N words can be read at `words`.
#[inline(always)]
unsafe fn biases<const N: usize>(words: *const u32) -> [Rows; N] {
    // SAFETY: the caller's promise.
    std::array::from_fn(|column| [i32x4_splat(unsafe { *words.add(column) }.cast_signed()); 2])
}

/// Adds the products of eight inputs of every column with their nibbles.
///
/// A word w holds the weights n₀ + 16 n₁ + 256 n₂ + 4096 n₃ for the pairs x₀ … x₃, and
/// Σ nᵢ xᵢ = Σ (w >> 4i) (xᵢ − 16 xᵢ₋₁), so no mask is needed for inputs that [`cascade`] has encoded.
///
/// # Safety
/// Two lanes and four pairs of every column can be read there.
#[inline(always)]
unsafe fn add_nibbles<const N: usize>(sums: &mut [Rows; N], lanes: *const Lane, pairs: *const u32) {
    // SAFETY: the caller's promise.
    unsafe {
        let words = [load_at(lanes), load_at(lanes.add(1))];
        for p in 0..4 {
            let weights = words.map(|words| i16x8_shr(words, 4 * p as u32));
            for (column, sums) in sums.iter_mut().enumerate() {
                let pair = pairs.add(4 * column + p);
                add_pair(sums, &weights, load_pair(pair));
            }
        }
    }
}

/// Constants that extract six-bit weights. They are opaque to the compiler, because V8 would recreate them at every
/// step.
#[derive(Clone, Copy)]
struct Masks {
    two_weights: v128,
    nibbles: [v128; 2],
}

impl Masks {
    #[inline(always)]
    fn new() -> Self {
        Self {
            two_weights: opaque(u16x8_splat(0x0fff)),
            nibbles: [0x00f0, 0x0f00].map(|mask| opaque(u16x8_splat(mask))),
        }
    }
}

/// Adds the products of 16 inputs of every column with their six-bit weights, see [`super::blocks::Q6K_LANES`].
///
/// # Safety
/// Six lanes and eight pairs of every column can be read there.
#[inline(always)]
unsafe fn add_sixes<const N: usize>(
    sums: &mut [Rows; N],
    lanes: *const Lane,
    pairs: *const u32,
    masks: Masks,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let words: [Rows; 3] =
            std::array::from_fn(|i| [load_at(lanes.add(2 * i)), load_at(lanes.add(2 * i + 1))]);
        let mut add_two = |weights: Rows, p: usize| {
            for (p, weights) in [(p, weights), (p + 1, weights.map(|two| u16x8_shr(two, 6)))] {
                for (column, sums) in sums.iter_mut().enumerate() {
                    // Four pairs of one column are adjacent.
                    let pair = pairs.add(4 * (N * (p / 4) + column) + p % 4);
                    add_pair(sums, &weights, load_pair(pair));
                }
            }
        };
        for (i, words) in words.iter().enumerate() {
            add_two(words.map(|words| v128_and(words, masks.two_weights)), 2 * i);
        }
        let fourth = std::array::from_fn(|half| {
            let [a, b, c] = words.map(|words| words[half]);
            let b = v128_and(u16x8_shr(b, 8), masks.nibbles[0]);
            let c = v128_and(u16x8_shr(c, 4), masks.nibbles[1]);
            v128_or(v128_or(u16x8_shr(a, 12), b), c)
        });
        add_two(fourth, 6);
    }
}

/// Adds the sums of a sub-block, multiplied by its scales.
#[inline(always)]
pub(super) fn add_scaled<const N: usize>(sums: &mut [Rows; N], scales: Rows, part: [Rows; N]) {
    for (sums, part) in sums.iter_mut().zip(part) {
        for i in 0..2 {
            sums[i] = i32x4_add(sums[i], i32x4_mul(scales[i], part[i]));
        }
    }
}

/// Adds the products of one pair of inputs with two weights per row.
#[inline(always)]
fn add_pair(sums: &mut Rows, weights: &Rows, inputs: v128) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = i32x4_add(*sum, i32x4_dot_i16x8(*weight, inputs));
    }
}

/// `(scale · x_scale) · sum`, the contribution of a quantization block as floats.
#[inline(always)]
fn scaled(scale: v128, x_scale: v128, sum: v128) -> v128 {
    f32x4_mul(f32x4_mul(scale, x_scale), f32x4_convert_i32x4(sum))
}

/// Adds the contribution of a quantization block to every column; `x_scales` are the columns' scales.
///
/// # Safety
/// N words can be read at `x_scales`.
#[inline(always)]
pub(super) unsafe fn accumulate<const N: usize>(
    acc: &mut [Rows; N],
    scales: Rows,
    x_scales: *const u32,
    sums: [Rows; N],
) {
    for (column, (acc, sums)) in acc.iter_mut().zip(sums).enumerate() {
        // SAFETY: the caller's promise.
        let x_scale = f32x4_splat(f32::from_bits(unsafe { *x_scales.add(column) }));
        for i in 0..2 {
            acc[i] = f32x4_add(acc[i], scaled(scales[i], x_scale, sums[i]));
        }
    }
}

/// Adds the products of the sums of 32 inputs with Q4_K's mins.
///
/// # Safety
/// Four lanes and four words of every column can be read there.
#[inline(always)]
pub(super) unsafe fn add_minima<const N: usize>(
    minima: &mut [Rows; N],
    lanes: *const Lane,
    sums: *const u32,
) {
    for two in 0..opaque(4) {
        // SAFETY: the caller's promise.
        unsafe {
            let mins = load_at(lanes.add(two));
            let mins = [u16x8_extend_low_u8x16(mins), u16x8_extend_high_u8x16(mins)];
            for (column, minima) in minima.iter_mut().enumerate() {
                add_pair(minima, &mins, load_pair(sums.add(two * N + column)));
            }
        }
    }
}

/// [`accumulate`] for Q4_K, which subtracts a term for the mins: `scales` are the factors of `sums` and of `minima`.
///
/// # Safety
/// N words can be read at `x_scales`.
#[inline(always)]
pub(super) unsafe fn subtract_scaled<const N: usize>(
    acc: &mut [Rows; N],
    scales: [Rows; 2],
    x_scales: *const u32,
    sums: [Rows; N],
    minima: [Rows; N],
) {
    for c in 0..N {
        // SAFETY: the caller's promise.
        let x_scale = f32x4_splat(f32::from_bits(unsafe { *x_scales.add(c) }));
        for i in 0..2 {
            let value = f32x4_sub(
                scaled(scales[0][i], x_scale, sums[c][i]),
                scaled(scales[1][i], x_scale, minima[c][i]),
            );
            acc[c][i] = f32x4_add(acc[c][i], value);
        }
    }
}

/// The product of eight rows of float weights, column by column, in four chains of additions.
#[inline(always)]
fn floats<const N: usize, const LANES: usize>(
    group: Group,
    x: [&[f32]; N],
    decode: impl Fn(&[Lane; LANES]) -> Rows,
) -> [[f32; GROUP_ROWS]; N] {
    let mut chains = [[[zero(); 2]; 4]; N];
    let weights = group.lanes.as_chunks::<LANES>().0;
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

    #[inline(always)]
    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32 {
        let mut pairs = [0; 16];
        let scale = quantize(x, input.integer_max(), &mut pairs);
        let bias = if input == InputType::Q4_0 {
            // Minus eight for every weight; the weights of the last pair are already stored minus eight.
            let bias = weighted_sum(&pairs, i16x8(-8, -8, -8, -8, -8, -8, 0, 0));
            cascade(&mut pairs);
            bias
        } else {
            // Minus 128 for the low bytes.
            let bias = weighted_sum(&pairs, i16x8(-128, -128, 0, 0, -128, -128, 0, 0));
            if input == InputType::Q8_0 {
                cascade_two::<8>(&mut pairs);
            }
            bias
        };
        Block32 { scale, bias, pairs }
    }

    #[inline(always)]
    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256 {
        let mut block = Block256::ZERO;
        block.scale = quantize(x, input.integer_max(), &mut block.pairs);
        if input == InputType::Q6K {
            for (bias, pairs) in block.biases.iter_mut().zip(block.pairs.as_chunks::<8>().0) {
                *bias = weighted_sum(pairs, i16x8_splat(-32));
            }
            cascade_two::<6>(&mut block.pairs);
        } else {
            let mut subs = [0; 8];
            let pairs = block.pairs.as_chunks::<16>().0;
            for ((sub, bias), pairs) in subs.iter_mut().zip(&mut block.biases).zip(pairs) {
                *sub = weighted_sum(pairs, i16x8_splat(1));
                // Plus eight for the weights of the last pair, which are stored minus eight.
                *bias = weighted_sum(pairs, i16x8(0, 0, 0, 0, 0, 0, 8, 8));
            }
            for (sums, two) in block.sums.iter_mut().zip(subs.as_chunks::<2>().0) {
                *sums = pair(two[0], two[1]);
            }
            cascade(&mut block.pairs);
        }
        block
    }

    #[inline(always)]
    fn exp(x: &mut [f32; EXP_BATCH]) {
        let fours = x.as_chunks_mut::<4>().0;
        let clamped: [v128; EXP_BATCH / 4] = std::array::from_fn(|i| {
            let x = f32x4_pmax(load_f32(&fours[i]), f32x4_splat(exp::RANGE.0));
            f32x4_pmin(x, f32x4_splat(exp::RANGE.1))
        });
        let t = clamped.map(|x| {
            let x = f32x4_mul(x, f32x4_splat(std::f32::consts::LOG2_E));
            f32x4_add(x, f32x4_splat(ROUNDER))
        });
        let r: [v128; EXP_BATCH / 4] = std::array::from_fn(|i| {
            let n = f32x4_sub(t[i], f32x4_splat(ROUNDER));
            let r = f32x4_sub(clamped[i], f32x4_mul(n, f32x4_splat(exp::LN_2.0)));
            f32x4_sub(r, f32x4_mul(n, f32x4_splat(exp::LN_2.1)))
        });
        let [first, rest @ ..] = exp::COEFFICIENTS;
        let mut p = [f32x4_splat(first); EXP_BATCH / 4];
        for c in rest {
            p = std::array::from_fn(|i| f32x4_add(f32x4_mul(p[i], r[i]), f32x4_splat(c)));
        }
        for (i, four) in fours.iter_mut().enumerate() {
            let p = f32x4_mul(f32x4_mul(p[i], r[i]), r[i]);
            let p = f32x4_add(f32x4_add(p, r[i]), f32x4_splat(1.0));
            store_f32(four, i32x4_add(p, i32x4_shl(t[i], 23)));
        }
    }

    #[inline(never)]
    fn f32<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F32_LANES]| {
            [load(&lanes[0]), load(&lanes[1])]
        })
    }

    #[inline(never)]
    fn f16<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let f16 = F16::new(F16_BIAS);
        floats(group, x, |lanes: &[Lane; F16_LANES]| f16.load(&lanes[0]))
    }

    #[inline(never)]
    fn q8_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut at = Walk::new::<N>(group.lanes, Q8_0_LANES, panel, LAYOUT_Q8);
        let mut acc = [[zero(); 2]; N];
        let (steps, f16) = (opaque(8), F16::new(group.scale_unit));
        while at.has_block() {
            // SAFETY: `Walk` has checked that the lanes and words of a block can be read.
            unsafe {
                let (mut lanes, mut pairs) = (at.lanes.add(1), at.words.add(LAYOUT_Q8.head() * N));
                let mut sums = biases::<N>(at.words.add(N));
                for _ in 0..steps {
                    let words = [load_at(lanes), load_at(lanes.add(1))];
                    let high = words.map(|words| i16x8_shr(words, 8));
                    for (column, sums) in sums.iter_mut().enumerate() {
                        add_pair(sums, &words, load_pair(pairs.add(2 * column)));
                        add_pair(sums, &high, load_pair(pairs.add(2 * column + 1)));
                    }
                    (lanes, pairs) = (lanes.add(2), pairs.add(2 * N));
                }
                accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
            }
            at.advance();
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn cache<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut at = Walk::new::<N>(group.lanes, CACHE_LANES, panel, LAYOUT_Q8);
        let mut acc = [[zero(); 2]; N];
        let (steps, low_byte) = (opaque(8), opaque(u16x8_splat(255)));
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut lanes, mut pairs) = (at.lanes, at.words.add(LAYOUT_Q8.head() * N));
                let mut sums = biases::<N>(at.words.add(N));
                for _ in 0..steps {
                    let words = [load_at(lanes), load_at(lanes.add(1))];
                    let low = words.map(|words| v128_and(words, low_byte));
                    let high = words.map(|words| i16x8_shr(words, 8));
                    for (column, sums) in sums.iter_mut().enumerate() {
                        add_pair(sums, &low, load_pair(pairs.add(2 * column)));
                        add_pair(sums, &high, load_pair(pairs.add(2 * column + 1)));
                    }
                    (lanes, pairs) = (lanes.add(2), pairs.add(2 * N));
                }
                for (column, (acc, sums)) in acc.iter_mut().zip(sums).enumerate() {
                    let x_scale = f32x4_splat(f32::from_bits(*at.words.add(column)));
                    for i in 0..2 {
                        acc[i] =
                            f32x4_add(acc[i], f32x4_mul(x_scale, f32x4_convert_i32x4(sums[i])));
                    }
                }
            }
            at.advance();
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut at = Walk::new::<N>(group.lanes, Q4_0_LANES, panel, LAYOUT_Q4_0);
        let mut acc = [[zero(); 2]; N];
        let f16 = F16::new(group.scale_unit);
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut lanes, mut pairs) =
                    (at.lanes.add(1), at.words.add(LAYOUT_Q4_0.head() * N));
                let mut sums = biases::<N>(at.words.add(N));
                for _ in 0..opaque(4) {
                    add_nibbles(&mut sums, lanes, pairs);
                    (lanes, pairs) = (lanes.add(2), pairs.add(4 * N));
                }
                accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
            }
            at.advance();
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut at = Walk::new::<N>(group.lanes, Q4K_LANES, panel, LAYOUT_Q4K);
        let mut acc = [[zero(); 2]; N];
        let f16 = F16::new(group.scale_unit);
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut lanes, mut pairs) =
                    (at.lanes.add(10), at.words.add(LAYOUT_Q4K.head() * N));
                let mut sums = [[zero(); 2]; N];
                for sub in 0..opaque(8) {
                    let mut sub_sums = biases::<N>(at.words.add((1 + sub) * N));
                    for _ in 0..opaque(4) {
                        add_nibbles(&mut sub_sums, lanes, pairs);
                        (lanes, pairs) = (lanes.add(2), pairs.add(4 * N));
                    }
                    let scales = load_u8x8(at.lanes.add(2).cast::<u8>().add(8 * sub));
                    add_scaled(&mut sums, scales, sub_sums);
                }
                let mut minima = [[zero(); 2]; N];
                add_minima(&mut minima, at.lanes.add(6), at.words.add(9 * N));
                let scales = [&*at.lanes, &*at.lanes.add(1)].map(|lane| f16.load(lane));
                subtract_scaled(&mut acc, scales, at.words, sums, minima);
            }
            at.advance();
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut at = Walk::new::<N>(group.lanes, Q6K_LANES, panel, LAYOUT_Q6K);
        let mut acc = [[zero(); 2]; N];
        let (f16, masks) = (F16::new(group.scale_unit), Masks::new());
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut lanes, mut pairs) = (at.lanes.add(9), at.words.add(LAYOUT_Q6K.head() * N));
                let mut sums = [[zero(); 2]; N];
                for sub in 0..opaque(16) {
                    let mut sub_sums = biases::<N>(at.words.add((1 + sub) * N));
                    add_sixes(&mut sub_sums, lanes, pairs, masks);
                    (lanes, pairs) = (lanes.add(6), pairs.add(8 * N));
                    let scales = load_i8x8(at.lanes.add(1).cast::<i8>().add(8 * sub));
                    add_scaled(&mut sums, scales, sub_sums);
                }
                accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
            }
            at.advance();
        }
        acc.map(to_array)
    }
}
