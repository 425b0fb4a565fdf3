//! The packed layout of each quantization type: conversion of one row's GGUF block to the lanes of its group and back,
//! and to floats.
//!
//! A lane of integers belongs to four rows: one lane to rows 0–3, the next to rows 4–7. Each of its eight 16-bit words
//! holds several weights of one row; the word of input `k` is `row % 4 * 2 + k % 2`. Shifts and masks turn a lane into
//! words of one weight each, and two adjacent words are the operand of a 16-bit pair product.
//!
//! Source of the GGUF layouts: ggml `ggml-common.h` (`block_q8_0` and its neighbours) and
//! `dequantize_row_*` in `ggml-quants.c`.

use super::lane::{GROUP_ROWS, Lane, finite_f16};

/// One column: 8 × f32 of the group's rows.
pub const F32_LANES: usize = 2;
/// One column: 8 × f16.
pub const F16_LANES: usize = 1;
/// 32 columns: 8 × f16 `d`; 16 lanes, two for every four inputs. The low byte of a word is a weight of the first pair
/// plus 128, the high byte a weight of the second pair.
pub const Q8_0_LANES: usize = 17;
/// 32 columns of a [`CacheMatrix`](super::CacheMatrix): as in Q8_0, without `d`.
pub const CACHE_LANES: usize = 16;
/// 32 columns: 8 × f16 `d`; 8 lanes of nibbles.
///
/// Here and below two lanes hold eight inputs; the four pairs are the words' nibbles from the lowest. The 4-bit types
/// store the highest nibble minus eight.
pub const Q4_0_LANES: usize = 9;
/// 256 columns: `d`; `dmin`; 4 lanes of scales, (2 of 32 columns) × 8 rows × u8; 4 of mins, 8 rows × (2 of 32 columns)
/// × u8; 64 lanes of nibbles. Scales and mins have a byte each, in GGUF six bits: 148 bytes instead of 144.
pub const Q4K_LANES: usize = 74;
/// 256 columns: `d`; 8 lanes of scales, (2 of 16 columns) × 8 rows × i8; 96 lanes, six for every 16 inputs: three words
/// per row and parity.
///
/// The weights of the eight pairs form four groups of twelve bits, each with one pair in the low six bits and the next
/// pair above. Three groups are the low twelve bits of the words; the fourth consists of the words' highest nibbles.
pub const Q6K_LANES: usize = 105;

/// The place of the nibbles or upper bits of eight adjacent inputs in a GGUF block: the first of eight bytes, and the
/// lowest bit in each.
type Eight = (usize, usize);

const NIBBLES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
const CRUMBS: u64 = 0x0303_0303_0303_0303;

/// Subtracts eight from the highest nibble of both words, so that an arithmetic shift extracts it.
const SIGNED: u32 = 0x8000_8000;

/// Packs eight nibbles, given as bytes, into the two words of one row: even ones in the first word, odd ones in the
/// second, from the lowest bits.
fn squeeze(bytes: u64) -> u32 {
    let [a0, a1, _, _, b0, b1, _, _] = (bytes | bytes >> 12).to_le_bytes();
    u32::from_le_bytes([a0, b0, a1, b1])
}

/// The inverse of [`squeeze`].
fn spread(words: u32) -> u64 {
    let [a0, b0, a1, b1] = words.to_le_bytes();
    let halves = u64::from_le_bytes([a0, a1, 0, 0, b0, b1, 0, 0]);
    (halves | halves << 12) & NIBBLES
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes[at..].first_chunk::<8>();
    u64::from_le_bytes(*eight.expect("places lie within a block"))
}

/// Stores eight values in a place of a GGUF block that is zero so far.
fn put_eight(bytes: &mut [u8], (at, shift): Eight, values: u64) {
    let merged = u64_at(bytes, at) | values << shift;
    bytes[at..at + 8].copy_from_slice(&merged.to_le_bytes());
}

/// Distributes a row's nibbles over the lanes of its group, two lanes for every eight inputs.
#[inline(always)]
fn scatter_nibbles(bytes: &[u8], row: usize, lanes: &mut [Lane], place: impl Fn(usize) -> Eight) {
    for (eight, lanes) in lanes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let (at, shift) = place(eight);
        let words = squeeze(u64_at(bytes, at) >> shift & NIBBLES) ^ SIGNED;
        lanes[row / 4 % 2].set_u32(row % 4, words);
    }
}

/// The inverse of [`scatter_nibbles`], into zeroed bytes.
#[inline(always)]
fn gather_nibbles(lanes: &[Lane], row: usize, bytes: &mut [u8], place: impl Fn(usize) -> Eight) {
    for (eight, lanes) in lanes.as_chunks::<2>().0.iter().enumerate() {
        put_eight(
            bytes,
            place(eight),
            spread(lanes[row / 4].u32(row % 4) ^ SIGNED),
        );
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Q8_0: `d` f16, 32 × i8. weight = d · q.
pub mod q8_0 {
    use super::*;

    /// Size of a GGUF block.
    pub const BYTES: usize = 34;

    /// Distributes a row's GGUF block over the zeroed lanes of its group.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        let (bytes, lanes) = (&bytes[..BYTES], &mut lanes[..Q8_0_LANES]);
        lanes[0].set_u16(row, u16_at(bytes, 0));
        for (i, word) in bytes[2..].as_chunks::<4>().0.iter().enumerate() {
            let word = u32::from_le_bytes(*word);
            // The bytes a, b, c, d become a ^ 0x80, c, b ^ 0x80, d.
            let swapped = word & 0xff00_00ff | word >> 8 & 0xff00 | (word & 0xff00) << 8;
            lanes[1 + 2 * i + row / 4].set_u32(row % 4, swapped ^ 0x0080_0080);
        }
    }

    /// The inverse of [`scatter`]: the GGUF block of a row.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        for (i, four) in bytes[2..].as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let [a, c, b, d] = lanes[1 + 2 * i + row / 4].0.as_chunks().0[row % 4];
            *four = [a ^ 0x80, b ^ 0x80, c, d];
        }
    }

    /// The 32 weights of a GGUF block.
    pub fn dequantize(bytes: &[u8], out: &mut [f32]) {
        let d = finite_f16(u16_at(bytes, 0));
        for (value, &q) in out.iter_mut().zip(&bytes[2..]) {
            *value = f32::from(q.cast_signed()) * d;
        }
    }
}

/// Q4_0: `d` f16, 16 bytes whose low nibbles are weights 0–15, high nibbles 16–31. weight = d · (q − 8).
pub mod q4_0 {
    use super::*;

    /// Size of a GGUF block.
    pub const BYTES: usize = 18;

    fn place(eight: usize) -> Eight {
        (2 + eight % 2 * 8, eight / 2 * 4)
    }

    /// Distributes a row's GGUF block over the zeroed lanes of its group.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        let (bytes, lanes) = (&bytes[..BYTES], &mut lanes[..Q4_0_LANES]);
        lanes[0].set_u16(row, u16_at(bytes, 0));
        scatter_nibbles(bytes, row, &mut lanes[1..], place);
    }

    /// The inverse of [`scatter`]: the GGUF block of a row.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        bytes[2..].fill(0);
        gather_nibbles(&lanes[1..], row, bytes, place);
    }

    /// The 32 weights of a GGUF block.
    pub fn dequantize(bytes: &[u8], out: &mut [f32]) {
        let d = finite_f16(u16_at(bytes, 0));
        for (k, &byte) in bytes[2..].iter().enumerate() {
            out[k] = (f32::from(byte & 15) - 8.0) * d;
            out[k + 16] = (f32::from(byte >> 4) - 8.0) * d;
        }
    }
}

/// Q4_K: `d`, `dmin` f16, 12 bytes with eight 6-bit scales and mins, 128 bytes of nibbles: each 32 bytes hold 32
/// weights in the low halves and the next 32 in the high halves. weight = d·sc·q − dmin·m.
pub mod q4k {
    use super::*;

    /// Size of a GGUF block.
    pub const BYTES: usize = 144;

    fn place(eight: usize) -> Eight {
        let sub = eight / 4;
        (16 + sub / 2 * 32 + eight % 4 * 8, sub % 2 * 4)
    }

    /// The scale and the min of sub-block `sub`, unpacked from the 12 bytes.
    fn scale_min(packed: &[u8], sub: usize) -> (u8, u8) {
        if sub < 4 {
            (packed[sub] & 63, packed[sub + 4] & 63)
        } else {
            (
                packed[sub + 4] & 15 | packed[sub - 4] >> 6 << 4,
                packed[sub + 4] >> 4 | packed[sub] >> 6 << 4,
            )
        }
    }

    /// Distributes a row's GGUF block over the zeroed lanes of its group.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        let (bytes, lanes) = (&bytes[..BYTES], &mut lanes[..Q4K_LANES]);
        lanes[0].set_u16(row, u16_at(bytes, 0));
        lanes[1].set_u16(row, u16_at(bytes, 2));
        for sub in 0..8 {
            let (scale, min) = scale_min(&bytes[4..16], sub);
            lanes[2 + sub / 2].0[sub % 2 * GROUP_ROWS + row] = scale;
            lanes[6 + sub / 2].0[row * 2 + sub % 2] = min;
        }
        scatter_nibbles(bytes, row, &mut lanes[10..], place);
    }

    /// The inverse of [`scatter`]: the GGUF block of a row.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        bytes[2..4].copy_from_slice(&lanes[1].u16(row).to_le_bytes());
        let scale = |sub: usize| lanes[2 + sub / 2].0[sub % 2 * GROUP_ROWS + row];
        let min = |sub: usize| lanes[6 + sub / 2].0[row * 2 + sub % 2];
        for sub in 0..4 {
            bytes[4 + sub] = scale(sub) | scale(sub + 4) >> 4 << 6;
            bytes[8 + sub] = min(sub) | min(sub + 4) >> 4 << 6;
            bytes[12 + sub] = scale(sub + 4) & 15 | min(sub + 4) << 4;
        }
        bytes[16..].fill(0);
        gather_nibbles(&lanes[10..], row, bytes, place);
    }

    /// The 256 weights of a GGUF block.
    pub fn dequantize(bytes: &[u8], out: &mut [f32]) {
        let (d, dmin) = (finite_f16(u16_at(bytes, 0)), finite_f16(u16_at(bytes, 2)));
        for (k, value) in out.iter_mut().enumerate() {
            let (scale, min) = scale_min(&bytes[4..16], k / 32);
            let byte = bytes[16 + k / 64 * 32 + k % 32];
            let q = if k / 32 % 2 == 0 {
                byte & 15
            } else {
                byte >> 4
            };
            *value = d * f32::from(scale) * f32::from(q) - dmin * f32::from(min);
        }
    }
}

/// Q6_K: 128 bytes of low nibbles, 64 bytes of upper two bits, 16 scales i8, `d` f16. weight = d·sc·(q − 32).
pub mod q6k {
    use super::*;

    /// Size of a GGUF block.
    pub const BYTES: usize = 210;

    /// Selects the weights of one parity from eight bytes.
    const PARITY: u64 = 0x00ff_00ff_00ff_00ff;

    /// The three words of eight weights, which are given as four 16-bit parts of each integer.
    fn words([first, second]: [u64; 2]) -> [u64; 3] {
        let two = |at: u64| (at | at >> 10) & 0xfff;
        let fourth = two(second >> 32);
        let with_nibble = |low: u64, i: u64| low | (fourth >> (4 * i) & 15) << 12;
        [
            with_nibble(two(first), 0),
            with_nibble(two(first >> 32), 1),
            with_nibble(two(second), 2),
        ]
    }

    /// The inverse of [`words`].
    fn weights([a, b, c]: [u64; 3]) -> [u64; 2] {
        let two = |word: u64| word & 63 | (word >> 6 & 63) << 16;
        let fourth = a >> 12 | b >> 12 << 4 | c >> 12 << 8;
        [two(a) | two(b) << 32, two(c) | two(fourth) << 32]
    }

    fn place(eight: usize) -> Eight {
        let (half, quarter) = (eight / 16, eight / 4 % 4);
        (
            half * 64 + quarter % 2 * 32 + eight % 4 * 8,
            quarter / 2 * 4,
        )
    }

    fn crumb_place(eight: usize) -> Eight {
        let (half, quarter) = (eight / 16, eight / 4 % 4);
        (128 + half * 32 + eight % 4 * 8, quarter * 2)
    }

    /// Distributes a row's GGUF block over the zeroed lanes of its group.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        let (bytes, lanes) = (&bytes[..BYTES], &mut lanes[..Q6K_LANES]);
        lanes[0].set_u16(row, u16_at(bytes, 208));
        for sub in 0..16 {
            lanes[1 + sub / 2].0[sub % 2 * GROUP_ROWS + row] = bytes[192 + sub];
        }
        for (sixteen, lanes) in lanes[9..].as_chunks_mut::<6>().0.iter_mut().enumerate() {
            let eights = [2 * sixteen, 2 * sixteen + 1].map(|eight| {
                let ((low, low_shift), (high, high_shift)) = (place(eight), crumb_place(eight));
                u64_at(bytes, low) >> low_shift & NIBBLES
                    | (u64_at(bytes, high) >> high_shift & CRUMBS) << 4
            });
            let even = words(eights.map(|eight| eight & PARITY));
            let odd = words(eights.map(|eight| eight >> 8 & PARITY));
            for (i, (even, odd)) in even.into_iter().zip(odd).enumerate() {
                lanes[2 * i + row / 4].set_u32(row % 4, (even | odd << 16) as u32);
            }
        }
    }

    /// The inverse of [`scatter`]: the GGUF block of a row.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..192].fill(0);
        bytes[208..].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        for sub in 0..16 {
            bytes[192 + sub] = lanes[1 + sub / 2].0[sub % 2 * GROUP_ROWS + row];
        }
        for (sixteen, lanes) in lanes[9..].as_chunks::<6>().0.iter().enumerate() {
            let words = [0, 2, 4].map(|i| u64::from(lanes[i + row / 4].u32(row % 4)));
            let even = weights(words.map(|word| word & 0xffff));
            let odd = weights(words.map(|word| word >> 16));
            for i in 0..2 {
                let (eight, weights) = (2 * sixteen + i, even[i] | odd[i] << 8);
                put_eight(bytes, place(eight), weights & NIBBLES);
                put_eight(bytes, crumb_place(eight), weights >> 4 & CRUMBS);
            }
        }
    }

    /// The 256 weights of a GGUF block.
    pub fn dequantize(bytes: &[u8], out: &mut [f32]) {
        let d = finite_f16(u16_at(bytes, 208));
        for (k, value) in out.iter_mut().enumerate() {
            let ((low, low_shift), (high, high_shift)) = (place(k / 8), crumb_place(k / 8));
            let low = bytes[low + k % 8] >> low_shift & 15;
            let q = low | (bytes[high + k % 8] >> high_shift & 3) << 4;
            let scale = f32::from(bytes[192 + k / 16].cast_signed());
            *value = d * scale * (f32::from(q) - 32.0);
        }
    }
}
