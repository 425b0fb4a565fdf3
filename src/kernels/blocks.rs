//! How one row's GGUF quantization block lies among the lanes of its group, and what it is worth.
//!
//! Each type's section starts with the lane order for one block of eight rows. A weight's place
//! follows its input: inputs go two by two, the pair of one row fills two neighbouring values.
//!
//! Source of the GGUF layouts: ggml `ggml-common.h` (`block_q8_0` and its neighbours) and
//! `dequantize_row_*` in `ggml-quants.c`.

use super::lane::{GROUP_ROWS, Lane, finite_f16};

/// One column: 8 × f32 of the group's rows.
pub const F32_LANES: usize = 2;
/// One column: 8 × f16.
pub const F16_LANES: usize = 1;
/// 32 columns: 8 × f16 `d`; 16 lanes, one per pair of inputs, of 8 × 2 × i8.
pub const Q8_0_LANES: usize = 17;
/// 32 columns: 8 × f16 `d`; 8 lanes of nibbles, one per two pairs of inputs.
pub const Q4_0_LANES: usize = 9;
/// 256 columns: `d`; `dmin`; 4 lanes of scales, 4 of mins, (8 of 32 columns) × 8 rows of u8; 64
/// lanes of nibbles. The scales take a byte each where GGUF packs them in six bits: 148 bytes for 144.
pub const Q4K_LANES: usize = 74;
/// 256 columns: `d`; 8 lanes of scales, (16 of 16 columns) × 8 rows of i8; 64 lanes of nibbles; 32
/// lanes of the upper two bits.
pub const Q6K_LANES: usize = 105;

/// Writes nibble `value` for input `k` of `row`; `lanes` start at input 0.
fn set_nibble(lanes: &mut [Lane], row: usize, k: usize, value: u8) {
    let (i, field) = (row % 4 * 2 + k % 2, row / 4 + k / 2 % 2 * 2);
    let lane = &mut lanes[k / 4];
    lane.set_u16(i, lane.u16(i) | u16::from(value & 15) << (4 * field));
}

/// Reads what [`set_nibble`] wrote.
fn nibble(lanes: &[Lane], row: usize, k: usize) -> u8 {
    let (i, field) = (row % 4 * 2 + k % 2, row / 4 + k / 2 % 2 * 2);
    (lanes[k / 4].u16(i) >> (4 * field)) as u8 & 15
}

/// Writes two bits for input `k` of `row`; `lanes` start at input 0.
fn set_crumb(lanes: &mut [Lane], row: usize, k: usize, value: u8) {
    let (i, field) = (row % 4 * 2 + k % 2, row / 4 + k / 2 % 4 * 2);
    let lane = &mut lanes[k / 8];
    lane.set_u16(i, lane.u16(i) | u16::from(value & 3) << (2 * field));
}

/// Reads what [`set_crumb`] wrote.
fn crumb(lanes: &[Lane], row: usize, k: usize) -> u8 {
    let (i, field) = (row % 4 * 2 + k % 2, row / 4 + k / 2 % 4 * 2);
    (lanes[k / 8].u16(i) >> (2 * field)) as u8 & 3
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Q8_0: `d` f16, 32 × i8. weight = d · q.
pub mod q8_0 {
    use super::*;

    /// Bytes of a block in GGUF.
    pub const BYTES: usize = 34;

    /// Spreads a GGUF block over zeroed lanes.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        lanes[0].set_u16(row, u16_at(bytes, 0));
        for (lane, pair) in lanes[1..].iter_mut().zip(bytes[2..].as_chunks::<2>().0) {
            lane.set_u16(row, u16::from_le_bytes(*pair));
        }
    }

    /// Collects the GGUF block again.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        for (lane, pair) in lanes[1..].iter().zip(bytes[2..].as_chunks_mut::<2>().0) {
            *pair = lane.u16(row).to_le_bytes();
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

    /// Bytes of a block in GGUF.
    pub const BYTES: usize = 18;

    /// Spreads a GGUF block over zeroed lanes.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        lanes[0].set_u16(row, u16_at(bytes, 0));
        for (k, &byte) in bytes[2..].iter().enumerate() {
            set_nibble(&mut lanes[1..], row, k, byte);
            set_nibble(&mut lanes[1..], row, k + 16, byte >> 4);
        }
    }

    /// Collects the GGUF block again.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        for (k, byte) in bytes[2..].iter_mut().enumerate() {
            *byte = nibble(&lanes[1..], row, k) | nibble(&lanes[1..], row, k + 16) << 4;
        }
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

/// Q4_K: `d`, `dmin` f16, 12 bytes with eight 6-bit scales and mins, 128 bytes of nibbles, each 32 of
/// which hold one 32 in the low and the next 32 in the high halves. weight = d·sc·q − dmin·m.
pub mod q4k {
    use super::*;

    /// Bytes of a block in GGUF.
    pub const BYTES: usize = 144;

    /// Scale and min number `sub` of the 12 packed bytes.
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

    /// Spreads a GGUF block over zeroed lanes.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        lanes[0].set_u16(row, u16_at(bytes, 0));
        lanes[1].set_u16(row, u16_at(bytes, 2));
        for sub in 0..8 {
            let (scale, min) = scale_min(&bytes[4..16], sub);
            lanes[2 + sub / 2].0[sub % 2 * GROUP_ROWS + row] = scale;
            lanes[6 + sub / 2].0[sub % 2 * GROUP_ROWS + row] = min;
        }
        for (i, &byte) in bytes[16..].iter().enumerate() {
            let k = i / 32 * 64 + i % 32;
            set_nibble(&mut lanes[10..], row, k, byte);
            set_nibble(&mut lanes[10..], row, k + 32, byte >> 4);
        }
    }

    /// Collects the GGUF block again.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        bytes[2..4].copy_from_slice(&lanes[1].u16(row).to_le_bytes());
        let at = |lane: usize, sub: usize| lanes[lane + sub / 2].0[sub % 2 * GROUP_ROWS + row];
        for sub in 0..4 {
            bytes[4 + sub] = at(2, sub) | at(2, sub + 4) >> 4 << 6;
            bytes[8 + sub] = at(6, sub) | at(6, sub + 4) >> 4 << 6;
            bytes[12 + sub] = at(2, sub + 4) & 15 | at(6, sub + 4) << 4;
        }
        for (i, byte) in bytes[16..].iter_mut().enumerate() {
            let k = i / 32 * 64 + i % 32;
            *byte = nibble(&lanes[10..], row, k) | nibble(&lanes[10..], row, k + 32) << 4;
        }
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

/// Q6_K: 128 bytes of nibbles, 64 of upper two bits, 16 scales i8, `d` f16. weight = d·sc·(q − 32).
pub mod q6k {
    use super::*;

    /// Bytes of a block in GGUF.
    pub const BYTES: usize = 210;

    /// Byte and shift of a weight's nibble, then byte and shift of its upper two bits.
    fn places(k: usize) -> (usize, usize, usize, usize) {
        let (half, quarter, l) = (k / 128, k / 32 % 4, k % 32);
        (
            half * 64 + quarter % 2 * 32 + l,
            quarter / 2 * 4,
            128 + half * 32 + l,
            quarter * 2,
        )
    }

    /// Spreads a GGUF block over zeroed lanes.
    pub fn scatter(bytes: &[u8], row: usize, lanes: &mut [Lane]) {
        lanes[0].set_u16(row, u16_at(bytes, 208));
        for sub in 0..16 {
            lanes[1 + sub / 2].0[sub % 2 * GROUP_ROWS + row] = bytes[192 + sub];
        }
        for k in 0..256 {
            let (low, low_shift, high, high_shift) = places(k);
            set_nibble(&mut lanes[9..73], row, k, bytes[low] >> low_shift);
            set_crumb(&mut lanes[73..], row, k, bytes[high] >> high_shift);
        }
    }

    /// Collects the GGUF block again.
    pub fn gather(lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        bytes[..192].fill(0);
        bytes[208..].copy_from_slice(&lanes[0].u16(row).to_le_bytes());
        for sub in 0..16 {
            bytes[192 + sub] = lanes[1 + sub / 2].0[sub % 2 * GROUP_ROWS + row];
        }
        for k in 0..256 {
            let (low, low_shift, high, high_shift) = places(k);
            bytes[low] |= nibble(&lanes[9..73], row, k) << low_shift;
            bytes[high] |= crumb(&lanes[73..], row, k) << high_shift;
        }
    }

    /// The 256 weights of a GGUF block.
    pub fn dequantize(bytes: &[u8], out: &mut [f32]) {
        let d = finite_f16(u16_at(bytes, 208));
        for (k, value) in out.iter_mut().enumerate() {
            let (low, low_shift, high, high_shift) = places(k);
            let q = bytes[low] >> low_shift & 15 | (bytes[high] >> high_shift & 3) << 4;
            let scale = f32::from(bytes[192 + k / 16].cast_signed());
            *value = d * scale * (f32::from(q) - 32.0);
        }
    }
}
