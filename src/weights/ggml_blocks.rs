//! `BlockType`: the quantized types of GGML that candle does not know, decoded.
//!
//! Each decoder reads one block; numbers lie in the order in which they are written here. IQ types store indices into
//! the [`grids`](super::grids), with signs and scales beside them.
//!
//! Source: ggml `ggml-quants.c`, `dequantize_row_*` (MIT); gguf-py `gguf/quants.py` (MIT), which the test's numbers come
//! from.

use half::f16;

use super::grids;

/// Numbers in a super-block.
const QK_K: usize = 256;
/// The values of IQ4_NL and IQ4_XS.
const IQ4_VALUES: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];
/// The values of MXFP4, doubled.
const MXFP4_VALUES: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];
/// The values of the 2-bit grids.
const GRID_2_VALUES: [u8; 4] = [0x08, 0x19, 0x2b, 0];
/// The values of IQ3_XXS's grid.
const IQ3_XXS_VALUES: [u8; 8] = [0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3e];
/// The shift of the numbers of IQ1 types.
const IQ1_DELTA: f32 = 0.125;

/// A quantized type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BlockType {
    Iq1S,
    Iq1M,
    Iq2Xxs,
    Iq2Xs,
    Iq2S,
    Iq3Xxs,
    Iq3S,
    Iq4Nl,
    Iq4Xs,
    Tq1_0,
    Tq2_0,
    Mxfp4,
}

impl BlockType {
    /// Numbers in a block.
    pub(super) fn block_len(self) -> usize {
        match self {
            Self::Iq4Nl | Self::Mxfp4 => 32,
            _ => QK_K,
        }
    }

    /// Bytes of a block.
    pub(super) fn block_bytes(self) -> usize {
        match self {
            Self::Iq1S => 50,
            Self::Iq1M => 56,
            Self::Iq2Xxs => 66,
            Self::Iq2Xs => 74,
            Self::Iq2S => 82,
            Self::Iq3Xxs => 98,
            Self::Iq3S => 110,
            Self::Iq4Nl => 18,
            Self::Iq4Xs => 136,
            Self::Tq1_0 => 54,
            Self::Tq2_0 => 66,
            Self::Mxfp4 => 17,
        }
    }

    /// Decodes whole blocks and appends their numbers to `out`.
    pub(super) fn decode(self, bytes: &[u8], out: &mut Vec<f32>) {
        for block in bytes.chunks_exact(self.block_bytes()) {
            match self {
                Self::Iq1S => iq1_s(block, out),
                Self::Iq1M => iq1_m(block, out),
                Self::Iq2Xxs => iq2_xxs(block, out),
                Self::Iq2Xs => iq2_xs(block, out),
                Self::Iq2S => iq2_s(block, out),
                Self::Iq3Xxs => iq3_xxs(block, out),
                Self::Iq3S => iq3_s(block, out),
                Self::Iq4Nl => iq4(f16_at(block, 0), &block[2..], out),
                Self::Iq4Xs => iq4_xs(block, out),
                Self::Tq1_0 => tq1_0(block, out),
                Self::Tq2_0 => tq2_0(block, out),
                Self::Mxfp4 => halves(mxfp4_scale(block[0]), &MXFP4_VALUES, &block[1..], out),
            }
        }
    }
}

fn u16_at(block: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([block[at], block[at + 1]])
}

fn u32_at(block: &[u8], at: usize) -> u32 {
    u32::from(u16_at(block, at)) | u32::from(u16_at(block, at + 2)) << 16
}

fn f16_at(block: &[u8], at: usize) -> f32 {
    f16::from_bits(u16_at(block, at)).to_f32()
}

/// The nibble with this index, low ones first.
fn nibble(bytes: &[u8], idx: usize) -> u8 {
    bytes[idx / 2] >> (4 * (idx % 2)) & 15
}

/// Seven stored signs; the eighth makes their number even.
fn eight_signs(seven: u32) -> u8 {
    let seven = (seven & 127) as u8;
    seven | ((seven.count_ones() % 2) as u8) << 7
}

/// Appends numbers with a scale; bit i of `signs` is number i's.
fn push_signed(scale: f32, values: impl Iterator<Item = u8>, signs: u8, out: &mut Vec<f32>) {
    out.extend(values.enumerate().map(|(i, value)| {
        let value = scale * f32::from(value);
        if signs >> i & 1 == 1 { -value } else { value }
    }));
}

/// The eight numbers of an entry of a 2-bit grid.
fn grid_2(entry: u16) -> impl Iterator<Item = u8> {
    (0..8).map(move |i| GRID_2_VALUES[usize::from(entry >> (2 * i) & 3)])
}

/// The four 4-bit indices of an entry of an IQ3 grid.
fn grid_3(entry: u16) -> impl Iterator<Item = u8> {
    (0..4).map(move |i| (entry >> (4 * i) & 15) as u8)
}

fn iq2_xxs(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 0);
    for group in block[2..].chunks_exact(8) {
        let signs = u32_at(group, 4);
        let scale = d * (0.5 + (signs >> 28) as f32) * 0.25;
        for (i, idx) in group[..4].iter().enumerate() {
            let values = grid_2(grids::IQ2_XXS[usize::from(*idx)]);
            push_signed(scale, values, eight_signs(signs >> (7 * i)), out);
        }
    }
}

fn iq2_xs(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 0);
    for i in 0..QK_K / 8 {
        let index = u16_at(block, 2 + 2 * i);
        let scale = d * (0.5 + f32::from(nibble(&block[66..], i / 2))) * 0.25;
        let values = grid_2(grids::IQ2_XS[usize::from(index & 511)]);
        push_signed(scale, values, eight_signs(u32::from(index >> 9)), out);
    }
}

fn iq2_s(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 0);
    let (low, signs, high, scales) = (&block[2..34], &block[34..66], &block[66..74], &block[74..]);
    for i in 0..QK_K / 8 {
        let high = usize::from(high[i / 4] >> (2 * (i % 4)) & 3) << 8;
        let scale = d * (0.5 + f32::from(nibble(scales, i / 2))) * 0.25;
        let values = grid_2(grids::IQ2_S[usize::from(low[i]) | high]);
        push_signed(scale, values, signs[i], out);
    }
}

fn iq3_xxs(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 0);
    let (indices, signs) = (&block[2..66], &block[66..]);
    for (group, indices) in indices.chunks_exact(8).enumerate() {
        let signs = u32_at(signs, 4 * group);
        let scale = d * (0.5 + (signs >> 28) as f32) * 0.5;
        for (i, pair) in indices.chunks_exact(2).enumerate() {
            let entries = pair.iter().map(|idx| grids::IQ3_XXS[usize::from(*idx)]);
            let values = entries.flat_map(grid_3);
            let values = values.map(|value| IQ3_XXS_VALUES[usize::from(value & 7)]);
            push_signed(scale, values, eight_signs(signs >> (7 * i)), out);
        }
    }
}

fn iq3_s(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 0);
    let (low, high, signs, scales) = (
        &block[2..66],
        &block[66..74],
        &block[74..106],
        &block[106..],
    );
    for (i, pair) in low.chunks_exact(2).enumerate() {
        let entry = |of: usize| {
            let idx = 2 * i + of;
            let high = usize::from(high[idx / 8] >> (idx % 8) & 1) << 8;
            grids::IQ3_S[usize::from(pair[of]) | high]
        };
        let values = [entry(0), entry(1)].into_iter().flat_map(grid_3);
        let values = values.map(|value| 2 * (value & 7) + 1);
        let scale = d * f32::from(1 + 2 * nibble(scales, i / 4));
        push_signed(scale, values, signs[i], out);
    }
}

/// Eight numbers -1, 0 or 1 of IQ1's grid, shifted and scaled.
fn push_iq1(scale: f32, idx: usize, is_below: bool, out: &mut Vec<f32>) {
    let entry = grids::IQ1_S[idx];
    let delta = if is_below { -IQ1_DELTA } else { IQ1_DELTA };
    out.extend((0..8).map(|i| scale * (f32::from(entry >> (2 * i) & 3) - 1.0 + delta)));
}

fn iq1_s(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 0);
    for (group, low) in block[2..34].chunks_exact(4).enumerate() {
        let high = u16_at(block, 34 + 2 * group);
        let scale = d * f32::from(2 * (high >> 12 & 7) + 1);
        for (i, low) in low.iter().enumerate() {
            let idx = usize::from(*low) | usize::from(high >> (3 * i) & 7) << 8;
            push_iq1(scale, idx, high & 0x8000 != 0, out);
        }
    }
}

fn iq1_m(block: &[u8], out: &mut Vec<f32>) {
    let scales: [u16; 4] = std::array::from_fn(|i| u16_at(block, 48 + 2 * i));
    // The scale's four nibbles stand at the top of the four words.
    let d = scales.iter().rev().fold(0, |d, word| d << 4 | word >> 12);
    let d = f16::from_bits(d).to_f32();
    for (i, low) in block[..32].iter().enumerate() {
        let high = nibble(&block[32..48], i);
        let scale = scales[i / 8] >> (3 * (i / 2 % 4)) & 7;
        let idx = usize::from(*low) | usize::from(high & 7) << 8;
        push_iq1(d * f32::from(2 * scale + 1), idx, high & 8 != 0, out);
    }
}

/// The low halves of all bytes, then the high ones, as values of a table.
fn halves(scale: f32, values: &[i8; 16], bytes: &[u8], out: &mut Vec<f32>) {
    for shift in [0, 4] {
        let of_byte = |byte: &u8| scale * f32::from(values[usize::from(byte >> shift & 15)]);
        out.extend(bytes.iter().map(of_byte));
    }
}

fn iq4(scale: f32, bytes: &[u8], out: &mut Vec<f32>) {
    halves(scale, &IQ4_VALUES, bytes, out);
}

fn iq4_xs(block: &[u8], out: &mut Vec<f32>) {
    let (d, high) = (f16_at(block, 0), u16_at(block, 2));
    for (i, bytes) in block[8..].chunks_exact(16).enumerate() {
        let scale = u16::from(nibble(&block[4..8], i)) | (high >> (2 * i) & 3) << 4;
        iq4(d * (f32::from(scale) - 32.0), bytes, out);
    }
}

/// 2^(e - 128): half of the exponent's power of two, because the values are doubled.
fn mxfp4_scale(exponent: u8) -> f32 {
    f32::from_bits(match exponent {
        0 | 1 => 0x0020_0000 << exponent,
        _ => u32::from(exponent - 1) << 23,
    })
}

fn tq1_0(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 52);
    // Five digits to the base 3 in a byte, as the fraction of 256; four in the last bytes.
    for (bytes, n_digits) in [(&block[..32], 5), (&block[32..48], 5), (&block[48..52], 4)] {
        let mut power = 1_u8;
        for _ in 0..n_digits {
            out.extend(bytes.iter().map(|byte| {
                let digit = (u16::from(byte.wrapping_mul(power)) * 3) >> 8;
                d * (f32::from(digit) - 1.0)
            }));
            power = power.wrapping_mul(3);
        }
    }
}

fn tq2_0(block: &[u8], out: &mut Vec<f32>) {
    let d = f16_at(block, 64);
    for bytes in block[..64].chunks_exact(32) {
        for shift in [0, 2, 4, 6] {
            let of_byte = |byte: &u8| d * (f32::from(byte >> shift & 3) - 1.0);
            out.extend(bytes.iter().map(of_byte));
        }
    }
}
