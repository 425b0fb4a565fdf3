//! The scalar loops in 128-bit vectors, wasm's or x86-64's: a lane is a row, two vectors are a group.
#![allow(
    unsafe_code,
    reason = "vector loads take a pointer; each is made from a reference to as many bytes"
)]

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::*;

#[cfg(target_arch = "x86_64")]
use super::sse2::*;

use super::Kernel;
use super::activations::{
    Block32, Block256, InputType, LAYOUT_32, LAYOUT_Q4K, LAYOUT_Q6K, Layout, Panel, ROUNDER,
    block_scale, pair,
};
use super::blocks::{
    CACHE_LANES, F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES,
};
use super::exp::{self, EXP_BATCH};
use super::lane::{F16_BIAS, F16_MASK, GROUP_ROWS, Group, Lane};

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
fn store_f32(values: &mut [f32; 4], vector: v128) {
    // SAFETY: four `f32` are 16 writable bytes; the store needs no alignment.
    unsafe { v128_store(values.as_mut_ptr().cast(), vector) }
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

/// What widening finite `f16`s takes, see [`super::lane::finite_f16`]. In opaque values: V8 would
/// otherwise make the constants anew for every quantization block.
struct F16 {
    mask: v128,
    unit: v128,
}

impl F16 {
    #[inline(always)]
    fn new(unit: f32) -> Self {
        Self {
            mask: opaque(i32x4_splat(F16_MASK)),
            unit: f32x4_splat(unit),
        }
    }

    /// Eight finite `f16` as `f32`.
    #[inline(always)]
    fn load(&self, lane: &Lane) -> Rows {
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

/// Where a kernel is: the lanes of a group and the words of a panel, block by block.
struct Walk {
    lanes: *const Lane,
    words: *const u32,
    end: *const Lane,
    block_lanes: usize,
    block_words: usize,
}

impl Walk {
    /// At the first block.
    ///
    /// # Panics
    /// If weights and inputs are not as many blocks.
    #[inline(always)]
    fn new<const N: usize>(
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

    /// Whether a block's lanes and words can be read from here.
    #[inline(always)]
    fn has_block(&self) -> bool {
        self.lanes != self.end
    }

    /// On to the next block.
    #[inline(always)]
    fn advance(&mut self) {
        self.lanes = self.lanes.wrapping_add(self.block_lanes);
        self.words = self.words.wrapping_add(self.block_words);
    }
}

/// # Safety
/// A lane can be read there.
#[inline(always)]
unsafe fn load_at(lane: *const Lane) -> v128 {
    // SAFETY: the caller's promise.
    unsafe { v128_load(lane.cast()) }
}

/// Eight bytes as unsigned 32-bit values.
///
/// # Safety
/// They can be read there.
#[inline(always)]
unsafe fn load_u8x8(bytes: *const u8) -> Rows {
    // SAFETY: the caller's promise.
    let words = unsafe { u16x8_load_extend_u8x8(bytes) };
    [
        u32x4_extend_low_u16x8(words),
        u32x4_extend_high_u16x8(words),
    ]
}

/// Eight bytes as signed 32-bit values.
///
/// # Safety
/// They can be read there.
#[inline(always)]
unsafe fn load_i8x8(bytes: *const i8) -> Rows {
    // SAFETY: the caller's promise.
    let words = unsafe { i16x8_load_extend_i8x8(bytes) };
    [
        i32x4_extend_low_i16x8(words),
        i32x4_extend_high_i16x8(words),
    ]
}

/// What the sums of N columns start from.
///
/// # Safety
/// N words can be read there.
#[inline(always)]
unsafe fn biases<const N: usize>(words: *const u32) -> [Rows; N] {
    // SAFETY: the caller's promise.
    std::array::from_fn(|column| [i32x4_splat(unsafe { *words.add(column) }.cast_signed()); 2])
}

/// A loop count the compiler cannot know: it would unroll the loop, sum in an order of its own and
/// so need more registers than there are (Q8_0 decode: 156 tok/s this way, 115 unrolled).
#[inline(always)]
fn opaque<T>(value: T) -> T {
    std::hint::black_box(value)
}

/// The low bytes of a lane's words as unsigned words.
#[inline(always)]
fn low_bytes(words: v128) -> v128 {
    v128_and(words, u16x8_splat(255))
}

/// Adds what eight inputs of every column make with their nibbles.
///
/// A word w holds the weights n₀ + 16 n₁ + 256 n₂ + 4096 n₃ for the pairs x₀ … x₃, and
/// Σ nᵢ xᵢ = Σ (w >> 4i) (xᵢ − 16 xᵢ₋₁), so no mask is needed once [`cascade`] has prepared the inputs.
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

/// Adds what eight inputs of every column make with weights of four and two bits.
///
/// The first eight inputs have the lowest two bits of the nibbles of `crumbs`; see
/// [`super::blocks::Q6K_LANES`].
///
/// # Safety
/// Four pairs of every column can be read there.
#[inline(always)]
unsafe fn add_sixes<const N: usize>(
    sums: &mut [Rows; N],
    nibbles: Rows,
    crumbs: Rows,
    pairs: *const u32,
) {
    let (lower, upper) = (u8x16_splat(0x0f), u8x16_splat(0x30));
    // Two pairs at a time, the weights of the first in the low bytes.
    for p in 0..2 {
        let words: Rows = std::array::from_fn(|i| {
            let low = u16x8_shr(nibbles[i], 4 * p as u32);
            let high = if p == 0 {
                u16x8_shl(crumbs[i], 4)
            } else {
                u16x8_shl(crumbs[i], 2)
            };
            v128_or(v128_and(low, lower), v128_and(high, upper))
        });
        let low = words.map(low_bytes);
        let high = words.map(|words| u16x8_shr(words, 8));
        for (column, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let pair = pairs.add(4 * column + p);
                add_pair(sums, &low, load_pair(pair));
                add_pair(sums, &high, load_pair(pair.add(2)));
            }
        }
    }
}

/// Adds the sums of a part of a block, times its scales.
#[inline(always)]
fn add_scaled<const N: usize>(sums: &mut [Rows; N], scales: Rows, part: [Rows; N]) {
    for (sums, part) in sums.iter_mut().zip(part) {
        for i in 0..2 {
            sums[i] = i32x4_add(sums[i], i32x4_mul(scales[i], part[i]));
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

/// A pair in every lane.
///
/// # Safety
/// A pair can be read there.
#[inline(always)]
unsafe fn load_pair(pair: *const u32) -> v128 {
    // SAFETY: the caller's promise.
    i32x4_splat(unsafe { *pair }.cast_signed())
}

/// Turns the pairs of every four inputs, x₀ and x₁, into x₀ and x₁ − 256 x₀.
///
/// A word w of Q8_0 holds the weights q₀ + 256 q₁, and q₀ x₀ + q₁ x₁ = w x₀ + (w >> 8) (x₁ − 256 x₀),
/// so no mask is needed.
#[inline(always)]
fn cascade_two(pairs: &mut [u32]) {
    for four in pairs.as_chunks_mut::<4>().0 {
        let integers = load_pairs(four);
        let before = i64x2_shl(integers, 32);
        store_pairs(four, i16x8_sub(integers, i16x8_shl(before, 8)));
    }
}

/// Adds what two weights per row make of one pair of inputs.
#[inline(always)]
fn add_pair(sums: &mut Rows, weights: &Rows, inputs: v128) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = i32x4_add(*sum, i32x4_dot_i16x8(*weight, inputs));
    }
}

/// `(scale · x_scale) · sum`, the float end of a quantization block.
#[inline(always)]
fn scaled(scale: v128, x_scale: v128, sum: v128) -> v128 {
    f32x4_mul(f32x4_mul(scale, x_scale), f32x4_convert_i32x4(sum))
}

/// The float end of a quantization block for every column; `x_scales` are their scales.
///
/// # Safety
/// N words can be read there.
#[inline(always)]
unsafe fn accumulate<const N: usize>(
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
            // Eight less for every weight; those of the last pair are stored so already.
            let bias = weighted_sum(&pairs, i16x8(-8, -8, -8, -8, -8, -8, 0, 0));
            cascade(&mut pairs);
            bias
        } else {
            // 128 less for the low bytes.
            let bias = weighted_sum(&pairs, i16x8(-128, -128, 0, 0, -128, -128, 0, 0));
            if input == InputType::Q8_0 {
                cascade_two(&mut pairs);
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
        let mut at = Walk::new::<N>(group.lanes, Q8_0_LANES, panel, LAYOUT_32);
        let mut acc = [[zero(); 2]; N];
        let (steps, f16) = (opaque(8), F16::new(group.scale_unit));
        while at.has_block() {
            // SAFETY: `Walk` has checked that the lanes and words of a block are there.
            unsafe {
                let (mut lanes, mut pairs) = (at.lanes.add(1), at.words.add(LAYOUT_32.head() * N));
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
        let mut at = Walk::new::<N>(group.lanes, CACHE_LANES, panel, LAYOUT_32);
        let mut acc = [[zero(); 2]; N];
        let (steps, low_byte) = (opaque(8), opaque(u16x8_splat(255)));
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut lanes, mut pairs) = (at.lanes, at.words.add(LAYOUT_32.head() * N));
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
        let mut at = Walk::new::<N>(group.lanes, Q4_0_LANES, panel, LAYOUT_32);
        let mut acc = [[zero(); 2]; N];
        let f16 = F16::new(group.scale_unit);
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut lanes, mut pairs) = (at.lanes.add(1), at.words.add(LAYOUT_32.head() * N));
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
                let mut min_sums = [[zero(); 2]; N];
                for two in 0..opaque(4) {
                    let mins = load_at(at.lanes.add(6 + two));
                    let mins = [u16x8_extend_low_u8x16(mins), u16x8_extend_high_u8x16(mins)];
                    for (column, sums) in min_sums.iter_mut().enumerate() {
                        let pair = at.words.add((9 + two) * N + column);
                        add_pair(sums, &mins, load_pair(pair));
                    }
                }
                let (scales, mins) = (f16.load(&*at.lanes), f16.load(&*at.lanes.add(1)));
                for c in 0..N {
                    let x_scale = f32x4_splat(f32::from_bits(*at.words.add(c)));
                    for i in 0..2 {
                        let value = f32x4_sub(
                            scaled(scales[i], x_scale, sums[c][i]),
                            scaled(mins[i], x_scale, min_sums[c][i]),
                        );
                        acc[c][i] = f32x4_add(acc[c][i], value);
                    }
                }
            }
            at.advance();
        }
        acc.map(to_array)
    }

    #[inline(never)]
    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut at = Walk::new::<N>(group.lanes, Q6K_LANES, panel, LAYOUT_Q6K);
        let mut acc = [[zero(); 2]; N];
        let f16 = F16::new(group.scale_unit);
        while at.has_block() {
            // SAFETY: as in `q8_0`.
            unsafe {
                let (mut nibbles, mut pairs) =
                    (at.lanes.add(9), at.words.add(LAYOUT_Q6K.head() * N));
                let mut sums = [[zero(); 2]; N];
                for sub in 0..opaque(16) {
                    let mut sub_sums = biases::<N>(at.words.add((1 + sub) * N));
                    let crumbs = at.lanes.add(73 + 2 * sub);
                    let mut crumbs = [load_at(crumbs), load_at(crumbs.add(1))];
                    for _ in 0..opaque(2) {
                        add_sixes(
                            &mut sub_sums,
                            [load_at(nibbles), load_at(nibbles.add(1))],
                            crumbs,
                            pairs,
                        );
                        crumbs = crumbs.map(|crumbs| u16x8_shr(crumbs, 4));
                        (nibbles, pairs) = (nibbles.add(2), pairs.add(4 * N));
                    }
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
