//! `Scalar`: the kernels as plain loops, the reference that every other kernel equals bit for bit.

use super::blocks::{
    CACHE_LANES, F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES,
};
use super::exp::{self, EXP_BATCH};
use super::kernel::Kernel;
use super::lane::{F16_BIAS, GROUP_ROWS, Group, Lane};
use super::panel::{Block32, Block256, InputType, Panel, ROUNDER, block_scale, pair};

/// Plain Rust, on every machine.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

/// The even and the odd input of a pair.
#[inline(always)]
fn unpair(pair: u32) -> (i32, i32) {
    let bits = pair.cast_signed();
    (bits << 16 >> 16, bits >> 16)
}

/// Adds the products of one pair of inputs with two 16-bit weights per row to `sums`.
///
/// `even` and `odd` hold each row's weight for the first and the second input of the pair.
#[inline(always)]
fn add_pair(
    sums: &mut [i32; GROUP_ROWS],
    pair: u32,
    even: [i32; GROUP_ROWS],
    odd: [i32; GROUP_ROWS],
) {
    let (x0, x1) = unpair(pair);
    for row in 0..GROUP_ROWS {
        sums[row] += even[row] * x0 + odd[row] * x1;
    }
}

/// The even and the odd weights of the eight rows for one pair of inputs; `word` extracts a weight from a 16-bit word
/// of the two lanes.
#[inline(always)]
fn weights(lanes: &[Lane; 2], word: impl Fn(u16) -> i32) -> ([i32; GROUP_ROWS], [i32; GROUP_ROWS]) {
    (
        std::array::from_fn(|row| word(lanes[row / 4].u16(row % 4 * 2))),
        std::array::from_fn(|row| word(lanes[row / 4].u16(row % 4 * 2 + 1))),
    )
}

/// The sums of the products of 32 inputs with the rows' 8-bit weights; two lanes and two pairs hold four inputs.
#[inline(always)]
fn byte_sums(lanes: &[Lane], pairs: &[u32; 16]) -> [i32; GROUP_ROWS] {
    let mut sums = [0; GROUP_ROWS];
    for (lanes, pairs) in lanes
        .as_chunks::<2>()
        .0
        .iter()
        .zip(pairs.as_chunks::<2>().0)
    {
        let (even, odd) = weights(lanes, |word| i32::from(word & 255) - 128);
        add_pair(&mut sums, pairs[0], even, odd);
        let (even, odd) = weights(lanes, |word| i32::from(word.cast_signed() >> 8));
        add_pair(&mut sums, pairs[1], even, odd);
    }
    sums
}

/// Adds the products of the four pairs of eight inputs with their nibbles; the highest nibble is stored minus eight.
#[inline(always)]
fn add_nibbles(sums: &mut [i32; GROUP_ROWS], lanes: &[Lane; 2], pairs: &[u32; 4]) {
    for (p, &pair) in pairs.iter().enumerate() {
        let (even, odd) = weights(lanes, |word| i32::from((word ^ 0x8000) >> (4 * p) & 15));
        add_pair(sums, pair, even, odd);
    }
}

/// Quantizes `L` values into pairs.
#[inline(always)]
fn quantize<const L: usize>(x: &[f32; L], max: f32, pairs: &mut [u32]) -> f32 {
    let mut magnitude = 0;
    for value in x {
        magnitude = magnitude.max(value.to_bits() & 0x7fff_ffff);
    }
    let (scale, inverse) = block_scale(magnitude, max);
    if inverse == 0.0 {
        pairs.fill(0);
        return scale;
    }
    let integer = |value: f32| {
        (value * inverse + ROUNDER)
            .to_bits()
            .wrapping_sub(ROUNDER.to_bits())
    };
    for (pair, two) in pairs.iter_mut().zip(x.as_chunks::<2>().0) {
        *pair = integer(two[0]) & 0xffff | integer(two[1]) << 16;
    }
    scale
}

/// Sum of the integers in these pairs.
#[inline(always)]
fn sum(pairs: &[u32]) -> i32 {
    pairs
        .iter()
        .map(|&pair| {
            let (x0, x1) = unpair(pair);
            x0 + x1
        })
        .sum()
}

/// The product of eight rows of float weights, column by column, in four chains of additions.
#[inline(always)]
fn floats<const N: usize, const LANES: usize>(
    group: Group,
    x: [&[f32]; N],
    decode: impl Fn(&[Lane; LANES]) -> [f32; GROUP_ROWS],
) -> [[f32; GROUP_ROWS]; N] {
    let weights = group.lanes.as_chunks::<LANES>().0;
    let mut chains = [[[0.0; GROUP_ROWS]; 4]; N];
    for (k, lanes) in weights.iter().enumerate() {
        let weight = decode(lanes);
        for (chain, column) in chains.iter_mut().zip(x) {
            let input = column[k];
            for row in 0..GROUP_ROWS {
                chain[k % 4][row] += weight[row] * input;
            }
        }
    }
    chains.map(|[a, b, c, d]| std::array::from_fn(|row| (a[row] + b[row]) + (c[row] + d[row])))
}

impl Kernel for Scalar {
    const NAME: &'static str = "scalar";

    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32 {
        let mut pairs = [0; 16];
        let scale = quantize(x, input.integer_max(), &mut pairs);
        let bias = match input {
            InputType::Q4_0 => -8 * sum(&pairs),
            _ => 0,
        };
        Block32 { scale, bias, pairs }
    }

    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256 {
        let mut block = Block256::ZERO;
        block.scale = quantize(x, input.integer_max(), &mut block.pairs);
        if input == InputType::Q6K {
            for (bias, pairs) in block.biases.iter_mut().zip(block.pairs.as_chunks::<8>().0) {
                *bias = -32 * sum(pairs);
            }
        } else {
            for (total, pairs) in block.sums.iter_mut().zip(block.pairs.as_chunks::<32>().0) {
                *total = pair(sum(&pairs[..16]), sum(&pairs[16..]));
            }
        }
        block
    }

    fn exp(x: &mut [f32; EXP_BATCH]) {
        for x in x {
            let clamped = x.clamp(exp::RANGE.0, exp::RANGE.1);
            let t = clamped * std::f32::consts::LOG2_E + ROUNDER;
            let n = t - ROUNDER;
            let r = clamped - n * exp::LN_2.0 - n * exp::LN_2.1;
            let [first, rest @ ..] = exp::COEFFICIENTS;
            let p = rest.into_iter().fold(first, |p, c| p * r + c);
            let p = p * r * r + r + 1.0;
            *x = f32::from_bits(p.to_bits().wrapping_add(t.to_bits() << 23));
        }
    }

    fn f32<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F32_LANES]| {
            let (low, high) = (lanes[0].f32x4(), lanes[1].f32x4());
            [
                low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3],
            ]
        })
    }

    fn f16<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F16_LANES]| {
            lanes[0].f16x8(F16_BIAS)
        })
    }

    fn q8_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.lanes.as_chunks::<Q8_0_LANES>().0.iter().enumerate() {
            let scales = block[0].f16x8(group.scale_unit);
            for (column, acc) in acc.iter_mut().enumerate() {
                let inputs = &panel.block32(InputType::Q8_0, b, column);
                let sums = byte_sums(&block[1..], &inputs.pairs);
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32;
                }
            }
        }
        acc
    }

    fn cache<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.lanes.as_chunks::<CACHE_LANES>().0.iter().enumerate() {
            for (column, acc) in acc.iter_mut().enumerate() {
                let inputs = &panel.block32(InputType::Cache, b, column);
                let sums = byte_sums(block, &inputs.pairs);
                for row in 0..GROUP_ROWS {
                    acc[row] += inputs.scale * sums[row] as f32;
                }
            }
        }
        acc
    }

    fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.lanes.as_chunks::<Q4_0_LANES>().0.iter().enumerate() {
            let scales = block[0].f16x8(group.scale_unit);
            for (column, acc) in acc.iter_mut().enumerate() {
                let inputs = &panel.block32(InputType::Q4_0, b, column);
                let mut sums = [inputs.bias; GROUP_ROWS];
                let eights = block[1..].as_chunks::<2>().0.iter();
                for (lanes, pairs) in eights.zip(inputs.pairs.as_chunks::<4>().0) {
                    add_nibbles(&mut sums, lanes, pairs);
                }
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32;
                }
            }
        }
        acc
    }

    fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.lanes.as_chunks::<Q4K_LANES>().0.iter().enumerate() {
            let (scales, mins) = (
                block[0].f16x8(group.scale_unit),
                block[1].f16x8(group.scale_unit),
            );
            for (column, acc) in acc.iter_mut().enumerate() {
                let inputs = &panel.q4k(b, column);
                let mut sums = [0; GROUP_ROWS];
                let mut min_sums = [0; GROUP_ROWS];
                for sub in 0..8 {
                    let mut sub_sums = [0; GROUP_ROWS];
                    let eights = block[10 + 8 * sub..].as_chunks::<2>().0.iter();
                    let pairs = &inputs.pairs[16 * sub..16 * sub + 16];
                    for (lanes, pairs) in eights.zip(pairs.as_chunks::<4>().0) {
                        add_nibbles(&mut sub_sums, lanes, pairs);
                    }
                    for row in 0..GROUP_ROWS {
                        let i = sub % 2 * 8 + row;
                        sums[row] += i32::from(block[2 + sub / 2].0[i]) * sub_sums[row];
                    }
                }
                for (lane, &pair) in block[6..10].iter().zip(&inputs.sums) {
                    let even = std::array::from_fn(|row| i32::from(lane.0[2 * row]));
                    let odd = std::array::from_fn(|row| i32::from(lane.0[2 * row + 1]));
                    add_pair(&mut min_sums, pair, even, odd);
                }
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32
                        - (mins[row] * inputs.scale) * min_sums[row] as f32;
                }
            }
        }
        acc
    }

    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.lanes.as_chunks::<Q6K_LANES>().0.iter().enumerate() {
            let scales = block[0].f16x8(group.scale_unit);
            for (column, acc) in acc.iter_mut().enumerate() {
                let inputs = &panel.q6k(b, column);
                let mut sums = [0; GROUP_ROWS];
                for sub in 0..16 {
                    let mut sub_sums = [inputs.biases[sub]; GROUP_ROWS];
                    let words = block[9 + 6 * sub..].as_chunks::<2>().0;
                    for (p, &pair) in inputs.pairs[8 * sub..8 * sub + 8].iter().enumerate() {
                        // See `blocks::Q6K_LANES`.
                        let (mut even, mut odd) = ([0; GROUP_ROWS], [0; GROUP_ROWS]);
                        for (i, words) in words[..3].iter().enumerate() {
                            let bits = |word: u16| match p / 2 {
                                3 => i32::from(word >> 12) << (4 * i),
                                at if at == i => i32::from(word),
                                _ => 0,
                            };
                            let (some_even, some_odd) = weights(words, bits);
                            for row in 0..GROUP_ROWS {
                                even[row] |= some_even[row];
                                odd[row] |= some_odd[row];
                            }
                        }
                        let weight = |twelve: i32| twelve >> (p % 2 * 6) & 63;
                        let (even, odd) = (even.map(weight), odd.map(weight));
                        add_pair(&mut sub_sums, pair, even, odd);
                    }
                    for row in 0..GROUP_ROWS {
                        let scale = block[1 + sub / 2].0[sub % 2 * 8 + row].cast_signed();
                        sums[row] += i32::from(scale) * sub_sums[row];
                    }
                }
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32;
                }
            }
        }
        acc
    }
}
