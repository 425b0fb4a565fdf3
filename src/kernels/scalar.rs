//! The plain loops: what every other kernel must equal, bit for bit.

use super::Kernel;
use super::activations::{Block32, Block256, ROUNDER, block_scale};
use super::blocks::{F16_LANES, F32_LANES, Q4_0_LANES, Q4K_LANES, Q6K_LANES, Q8_0_LANES};
use super::lane::{GROUP_ROWS, Lane};

/// Plain Rust, for every machine.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

/// The even and the odd input of a pair.
#[inline(always)]
fn unpair(pair: u32) -> (i32, i32) {
    let bits = pair.cast_signed();
    (bits << 16 >> 16, bits >> 16)
}

/// Adds to `sums` what two 16-bit weights per row make of one pair of inputs.
///
/// `even` and `odd` give the weight of a row for the pair's first and second input.
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

/// Nibble field `field` (0..4) of the four rows a lane's 16-bit values hold for even, then odd inputs.
///
/// Fields 0 and 1 are rows 0–3 and 4–7 of the lane's first pair, 2 and 3 of its second.
#[inline(always)]
fn nibbles(lane: &Lane, pair: usize) -> ([i32; GROUP_ROWS], [i32; GROUP_ROWS]) {
    let nibble = |row: usize, odd: usize| {
        let field = row / 4 + 2 * pair;
        i32::from(lane.u16(row % 4 * 2 + odd) >> (4 * field) & 15)
    };
    (
        std::array::from_fn(|row| nibble(row, 0)),
        std::array::from_fn(|row| nibble(row, 1)),
    )
}

/// Two-bit field of the four rows a lane's 16-bit values hold; a lane has four pairs.
#[inline(always)]
fn crumbs(lane: &Lane, pair: usize) -> ([i32; GROUP_ROWS], [i32; GROUP_ROWS]) {
    let crumb = |row: usize, odd: usize| {
        let field = row / 4 + 2 * pair;
        i32::from(lane.u16(row % 4 * 2 + odd) >> (2 * field) & 3)
    };
    (
        std::array::from_fn(|row| crumb(row, 0)),
        std::array::from_fn(|row| crumb(row, 1)),
    )
}

/// Quantizes `L` values; two by two into `pairs`.
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

/// Eight rows of float weights, column by column, on four chains.
#[inline(always)]
fn floats<const N: usize, const LANES: usize>(
    group: &[Lane],
    x: [&[f32]; N],
    decode: impl Fn(&[Lane; LANES]) -> [f32; GROUP_ROWS],
) -> [[f32; GROUP_ROWS]; N] {
    let weights = group.as_chunks::<LANES>().0;
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
            let (low, high) = (lanes[0].f32x4(), lanes[1].f32x4());
            [
                low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3],
            ]
        })
    }

    fn f16<const N: usize>(group: &[Lane], x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        floats(group, x, |lanes: &[Lane; F16_LANES]| lanes[0].f16x8())
    }

    fn q8_0<const N: usize>(group: &[Lane], x: [&[Block32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.as_chunks::<Q8_0_LANES>().0.iter().enumerate() {
            let scales = block[0].f16x8();
            for (acc, column) in acc.iter_mut().zip(x) {
                let inputs = &column[b];
                let mut sums = [0; GROUP_ROWS];
                for (lane, &pair) in block[1..].iter().zip(&inputs.pairs) {
                    let weight = |i: usize| i32::from(lane.0[i].cast_signed());
                    let even = std::array::from_fn(|row| weight(2 * row));
                    let odd = std::array::from_fn(|row| weight(2 * row + 1));
                    add_pair(&mut sums, pair, even, odd);
                }
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32;
                }
            }
        }
        acc
    }

    fn q4_0<const N: usize>(group: &[Lane], x: [&[Block32]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.as_chunks::<Q4_0_LANES>().0.iter().enumerate() {
            let scales = block[0].f16x8();
            for (acc, column) in acc.iter_mut().zip(x) {
                let inputs = &column[b];
                let mut sums = [-8 * inputs.sum; GROUP_ROWS];
                for (lane, pairs) in block[1..].iter().zip(inputs.pairs.as_chunks::<2>().0) {
                    for (p, &pair) in pairs.iter().enumerate() {
                        let (even, odd) = nibbles(lane, p);
                        add_pair(&mut sums, pair, even, odd);
                    }
                }
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32;
                }
            }
        }
        acc
    }

    fn q4k<const N: usize>(group: &[Lane], x: [&[Block256]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.as_chunks::<Q4K_LANES>().0.iter().enumerate() {
            let (scales, mins) = (block[0].f16x8(), block[1].f16x8());
            for (acc, column) in acc.iter_mut().zip(x) {
                let inputs = &column[b];
                let mut sums = [0; GROUP_ROWS];
                let mut min_sums = [0; GROUP_ROWS];
                for sub in 0..8 {
                    let mut sub_sums = [0; GROUP_ROWS];
                    let lanes = &block[10 + 8 * sub..18 + 8 * sub];
                    let pairs = &inputs.pairs[16 * sub..16 * sub + 16];
                    for (lane, pairs) in lanes.iter().zip(pairs.as_chunks::<2>().0) {
                        for (p, &pair) in pairs.iter().enumerate() {
                            let (even, odd) = nibbles(lane, p);
                            add_pair(&mut sub_sums, pair, even, odd);
                        }
                    }
                    for row in 0..GROUP_ROWS {
                        let i = sub % 2 * 8 + row;
                        sums[row] += i32::from(block[2 + sub / 2].0[i]) * sub_sums[row];
                        min_sums[row] += i32::from(block[6 + sub / 2].0[i]) * inputs.sums32[sub];
                    }
                }
                for row in 0..GROUP_ROWS {
                    acc[row] += (scales[row] * inputs.scale) * sums[row] as f32
                        - (mins[row] * inputs.scale) * min_sums[row] as f32;
                }
            }
        }
        acc
    }

    fn q6k<const N: usize>(group: &[Lane], x: [&[Block256]; N]) -> [[f32; GROUP_ROWS]; N] {
        let mut acc = [[0.0; GROUP_ROWS]; N];
        for (b, block) in group.as_chunks::<Q6K_LANES>().0.iter().enumerate() {
            let scales = block[0].f16x8();
            for (acc, column) in acc.iter_mut().zip(x) {
                let inputs = &column[b];
                let mut sums = [0; GROUP_ROWS];
                for sub in 0..16 {
                    let mut sub_sums = [-32 * inputs.sums16[sub]; GROUP_ROWS];
                    for pair_idx in 0..8 {
                        // Lanes of four inputs' nibbles, then lanes of eight inputs' upper two bits.
                        let (even, odd) = nibbles(&block[9 + 4 * sub + pair_idx / 2], pair_idx % 2);
                        let (high_even, high_odd) =
                            crumbs(&block[73 + 2 * sub + pair_idx / 4], pair_idx % 4);
                        add_pair(
                            &mut sub_sums,
                            inputs.pairs[8 * sub + pair_idx],
                            std::array::from_fn(|row| even[row] | high_even[row] << 4),
                            std::array::from_fn(|row| odd[row] | high_odd[row] << 4),
                        );
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
