//! The products of eight rows of weights with N columns, for vectors of any width: a lane is a row.
#![allow(
    unsafe_code,
    reason = "kernels read from two running addresses, whose lengths `Walk` has checked"
)]

use super::blocks::{
    CACHE_LANES, F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES,
};
use super::lane::{F16_BIAS, GROUP_ROWS, Group, Lane};
use super::panel::{LAYOUT_Q4_0, LAYOUT_Q4K, LAYOUT_Q6K, LAYOUT_Q8, Panel};
use super::vector::{F16, Rows, Walk, opaque};

/// The starts of the sums of N columns.
///
/// # Safety
/// N words can be read at `words`.
#[inline(always)]
unsafe fn biases<R: Rows, const N: usize>(words: *const u32) -> [R; N] {
    // SAFETY: the caller's promise.
    std::array::from_fn(|column| unsafe { R::load_splat(words.add(column)) })
}

/// Adds the products of eight inputs of every column with their nibbles.
///
/// A word w holds the weights n₀ + 16 n₁ + 256 n₂ + 4096 n₃ for the pairs x₀ … x₃, and
/// Σ nᵢ xᵢ = Σ (w >> 4i) (xᵢ − 16 xᵢ₋₁), so no mask is needed for inputs that
/// [`cascade`](super::rounding::cascade) has encoded.
///
/// # Safety
/// Two lanes and four pairs of every column can be read there.
#[inline(always)]
unsafe fn add_nibbles<R: Rows, const N: usize>(
    sums: &mut [R; N],
    lanes: *const Lane,
    pairs: *const u32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let words = R::load(lanes);
        for p in 0..4 {
            let weights = words.shr_i16(4 * p as u32);
            for (column, sums) in sums.iter_mut().enumerate() {
                let pair = pairs.add(4 * column + p);
                *sums = sums.add_dot(weights, R::load_splat(pair));
            }
        }
    }
}

/// Constants that extract six-bit weights. They are opaque to the compiler, because V8 would recreate them at every
/// step.
#[derive(Clone, Copy)]
struct Masks<R> {
    two_weights: R,
    nibbles: [R; 2],
}

impl<R: Rows> Masks<R> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            two_weights: R::opaque_splat(0x0fff_0fff),
            nibbles: [0x00f0_00f0, 0x0f00_0f00].map(R::opaque_splat),
        }
    }
}

/// Adds the products of pairs `p` and `p + 1` with two weights of six bits in each word.
///
/// # Safety
/// Eight pairs of every column can be read at `pairs`.
#[inline(always)]
unsafe fn add_two_sixes<R: Rows, const N: usize>(
    sums: &mut [R; N],
    weights: R,
    pairs: *const u32,
    p: usize,
) {
    for (p, weights) in [(p, weights), (p + 1, weights.shr_u16(6))] {
        for (column, sums) in sums.iter_mut().enumerate() {
            // Four pairs of one column are adjacent.
            let pair = 4 * (N * (p / 4) + column) + p % 4;
            // SAFETY: the caller's promise.
            *sums = sums.add_dot(weights, unsafe { R::load_splat(pairs.add(pair)) });
        }
    }
}

/// Adds the products of 16 inputs of every column with their six-bit weights, see [`super::blocks::Q6K_LANES`].
///
/// # Safety
/// Six lanes and eight pairs of every column can be read there.
#[inline(always)]
unsafe fn add_sixes<R: Rows, const N: usize>(
    sums: &mut [R; N],
    lanes: *const Lane,
    pairs: *const u32,
    masks: Masks<R>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let words: [R; 3] = std::array::from_fn(|i| R::load(lanes.add(2 * i)));
        for (i, words) in words.iter().enumerate() {
            add_two_sixes(sums, words.and(masks.two_weights), pairs, 2 * i);
        }
        let [a, b, c] = words;
        let b = b.shr_u16(8).and(masks.nibbles[0]);
        let c = c.shr_u16(4).and(masks.nibbles[1]);
        add_two_sixes(sums, a.shr_u16(12).or(b).or(c), pairs, 6);
    }
}

/// Adds the sums of a sub-block, multiplied by its scales.
#[inline(always)]
pub(super) fn add_scaled<R: Rows, const N: usize>(sums: &mut [R; N], scales: R, part: [R; N]) {
    for (sums, part) in sums.iter_mut().zip(part) {
        *sums = sums.add(scales.mul(part));
    }
}

/// `(scale · x_scale) · sum`, the contribution of a quantization block as floats.
#[inline(always)]
fn scaled<R: Rows>(scale: R, x_scale: R, sum: R) -> R {
    scale.mul_f32(x_scale).mul_f32(sum.to_f32())
}

/// Adds the contribution of a quantization block to every column; `x_scales` are the columns' scales.
///
/// # Safety
/// N words can be read at `x_scales`.
#[inline(always)]
pub(super) unsafe fn accumulate<R: Rows, const N: usize>(
    acc: &mut [R; N],
    scales: R,
    x_scales: *const u32,
    sums: [R; N],
) {
    for (column, (acc, sums)) in acc.iter_mut().zip(sums).enumerate() {
        // SAFETY: the caller's promise.
        let x_scale = unsafe { R::load_splat(x_scales.add(column)) };
        *acc = acc.add_f32(scaled(scales, x_scale, sums));
    }
}

/// Adds the products of the sums of 32 inputs with Q4_K's mins.
///
/// # Safety
/// Four lanes and four words of every column can be read there.
#[inline(always)]
pub(super) unsafe fn add_minima<R: Rows, const N: usize>(
    minima: &mut [R; N],
    lanes: *const Lane,
    sums: *const u32,
) {
    for two in 0..opaque(4) {
        // SAFETY: the caller's promise.
        unsafe {
            let mins = R::load_u8x16(lanes.add(two));
            for (column, minima) in minima.iter_mut().enumerate() {
                *minima = minima.add_dot(mins, R::load_splat(sums.add(two * N + column)));
            }
        }
    }
}

/// [`accumulate`] for Q4_K, which subtracts a term for the mins: `scales` are the factors of `sums` and of `minima`.
///
/// # Safety
/// N words can be read at `x_scales`.
#[inline(always)]
pub(super) unsafe fn subtract_scaled<R: Rows, const N: usize>(
    acc: &mut [R; N],
    scales: [R; 2],
    x_scales: *const u32,
    sums: [R; N],
    minima: [R; N],
) {
    for c in 0..N {
        // SAFETY: the caller's promise.
        let x_scale = unsafe { R::load_splat(x_scales.add(c)) };
        let value =
            scaled(scales[0], x_scale, sums[c]).sub_f32(scaled(scales[1], x_scale, minima[c]));
        acc[c] = acc[c].add_f32(value);
    }
}

/// The product of eight rows of float weights, column by column, in four chains of additions.
#[inline(always)]
fn floats<R: Rows, const N: usize, const LANES: usize>(
    group: Group,
    x: [&[f32]; N],
    decode: impl Fn(&[Lane; LANES]) -> R,
) -> [[f32; GROUP_ROWS]; N] {
    let mut chains = [[R::zero(); 4]; N];
    let weights = group.lanes.as_chunks::<LANES>().0;
    let x = x.map(|column| &column[..weights.len()]);
    for (k, lanes) in weights.iter().enumerate() {
        let weight = decode(lanes);
        for (chain, column) in chains.iter_mut().zip(x) {
            let sum = &mut chain[k % 4];
            *sum = sum.add_f32(weight.mul_f32(R::splat_f32(column[k])));
        }
    }
    chains.map(|[a, b, c, d]| a.add_f32(b).add_f32(c.add_f32(d)).to_array())
}

/// [`Kernel::f32`](super::Kernel::f32).
#[inline(always)]
pub(super) fn f32<R: Rows, const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
    floats(group, x, |lanes: &[Lane; F32_LANES]| {
        // SAFETY: two lanes can be read.
        unsafe { R::load(lanes.as_ptr()) }
    })
}

/// [`Kernel::f16`](super::Kernel::f16).
#[inline(always)]
pub(super) fn f16<R: Rows, const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
    let f16 = F16::<R>::new(F16_BIAS);
    floats(group, x, |lanes: &[Lane; F16_LANES]| f16.load(&lanes[0]))
}

/// [`Kernel::q8_0`](super::Kernel::q8_0).
#[inline(always)]
pub(super) fn q8_0<R: Rows, const N: usize>(
    group: Group,
    panel: Panel<N>,
) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, Q8_0_LANES, panel, LAYOUT_Q8);
    let mut acc = [R::zero(); N];
    let (steps, f16) = (opaque(8), F16::<R>::new(group.scale_unit));
    while at.has_block() {
        // SAFETY: `Walk` has checked that the lanes and words of a block can be read.
        unsafe {
            let (mut lanes, mut pairs) = (at.lanes.add(1), at.words.add(LAYOUT_Q8.head() * N));
            let mut sums = biases::<R, N>(at.words.add(N));
            for _ in 0..steps {
                let words = R::load(lanes);
                let high = words.shr_i16(8);
                for (column, sums) in sums.iter_mut().enumerate() {
                    *sums = sums.add_dot(words, R::load_splat(pairs.add(2 * column)));
                    *sums = sums.add_dot(high, R::load_splat(pairs.add(2 * column + 1)));
                }
                (lanes, pairs) = (lanes.add(2), pairs.add(2 * N));
            }
            accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
        }
        at.advance();
    }
    acc.map(R::to_array)
}

/// [`Kernel::cache`](super::Kernel::cache).
#[inline(always)]
pub(super) fn cache<R: Rows, const N: usize>(
    group: Group,
    panel: Panel<N>,
) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, CACHE_LANES, panel, LAYOUT_Q8);
    let mut acc = [R::zero(); N];
    let (steps, low_byte) = (opaque(8), R::opaque_splat(0x00ff_00ff));
    while at.has_block() {
        // SAFETY: as in `q8_0`.
        unsafe {
            let (mut lanes, mut pairs) = (at.lanes, at.words.add(LAYOUT_Q8.head() * N));
            let mut sums = biases::<R, N>(at.words.add(N));
            for _ in 0..steps {
                let words = R::load(lanes);
                let (low, high) = (words.and(low_byte), words.shr_i16(8));
                for (column, sums) in sums.iter_mut().enumerate() {
                    *sums = sums.add_dot(low, R::load_splat(pairs.add(2 * column)));
                    *sums = sums.add_dot(high, R::load_splat(pairs.add(2 * column + 1)));
                }
                (lanes, pairs) = (lanes.add(2), pairs.add(2 * N));
            }
            for (column, (acc, sums)) in acc.iter_mut().zip(sums).enumerate() {
                let x_scale = R::load_splat(at.words.add(column));
                *acc = acc.add_f32(x_scale.mul_f32(sums.to_f32()));
            }
        }
        at.advance();
    }
    acc.map(R::to_array)
}

/// [`Kernel::q4_0`](super::Kernel::q4_0).
#[inline(always)]
pub(super) fn q4_0<R: Rows, const N: usize>(
    group: Group,
    panel: Panel<N>,
) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, Q4_0_LANES, panel, LAYOUT_Q4_0);
    let mut acc = [R::zero(); N];
    let f16 = F16::<R>::new(group.scale_unit);
    while at.has_block() {
        // SAFETY: as in `q8_0`.
        unsafe {
            let (mut lanes, mut pairs) = (at.lanes.add(1), at.words.add(LAYOUT_Q4_0.head() * N));
            let mut sums = biases::<R, N>(at.words.add(N));
            for _ in 0..opaque(4) {
                add_nibbles(&mut sums, lanes, pairs);
                (lanes, pairs) = (lanes.add(2), pairs.add(4 * N));
            }
            accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
        }
        at.advance();
    }
    acc.map(R::to_array)
}

/// [`Kernel::q4k`](super::Kernel::q4k).
#[inline(always)]
pub(super) fn q4k<R: Rows, const N: usize>(
    group: Group,
    panel: Panel<N>,
) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, Q4K_LANES, panel, LAYOUT_Q4K);
    let mut acc = [R::zero(); N];
    let f16 = F16::<R>::new(group.scale_unit);
    while at.has_block() {
        // SAFETY: as in `q8_0`.
        unsafe {
            let (mut lanes, mut pairs) = (at.lanes.add(10), at.words.add(LAYOUT_Q4K.head() * N));
            let mut sums = [R::zero(); N];
            for sub in 0..opaque(8) {
                let mut sub_sums = biases::<R, N>(at.words.add((1 + sub) * N));
                for _ in 0..opaque(4) {
                    add_nibbles(&mut sub_sums, lanes, pairs);
                    (lanes, pairs) = (lanes.add(2), pairs.add(4 * N));
                }
                let scales = R::load_u8x8(at.lanes.add(2).cast::<u8>().add(8 * sub));
                add_scaled(&mut sums, scales, sub_sums);
            }
            let mut minima = [R::zero(); N];
            add_minima(&mut minima, at.lanes.add(6), at.words.add(9 * N));
            let scales = [&*at.lanes, &*at.lanes.add(1)].map(|lane| f16.load(lane));
            subtract_scaled(&mut acc, scales, at.words, sums, minima);
        }
        at.advance();
    }
    acc.map(R::to_array)
}

/// [`Kernel::q6k`](super::Kernel::q6k).
#[inline(always)]
pub(super) fn q6k<R: Rows, const N: usize>(
    group: Group,
    panel: Panel<N>,
) -> [[f32; GROUP_ROWS]; N] {
    let mut at = Walk::new::<N>(group.lanes, Q6K_LANES, panel, LAYOUT_Q6K);
    let mut acc = [R::zero(); N];
    let (f16, masks) = (F16::<R>::new(group.scale_unit), Masks::<R>::new());
    while at.has_block() {
        // SAFETY: as in `q8_0`.
        unsafe {
            let (mut lanes, mut pairs) = (at.lanes.add(9), at.words.add(LAYOUT_Q6K.head() * N));
            let mut sums = [R::zero(); N];
            for sub in 0..opaque(16) {
                let mut sub_sums = biases::<R, N>(at.words.add((1 + sub) * N));
                add_sixes(&mut sub_sums, lanes, pairs, masks);
                (lanes, pairs) = (lanes.add(6), pairs.add(8 * N));
                let scales = R::load_i8x8(at.lanes.add(1).cast::<i8>().add(8 * sub));
                add_scaled(&mut sums, scales, sub_sums);
            }
            accumulate(&mut acc, f16.load(&*at.lanes), at.words, sums);
        }
        at.advance();
    }
    acc.map(R::to_array)
}
