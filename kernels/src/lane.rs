//! `Lane`: 16 aligned bytes, the unit of packed weights, and the `f16` values in it.

/// Rows that are interleaved in packed weights: one per lane of two 4-lane vectors.
pub const GROUP_ROWS: usize = 8;

/// Eight packed rows.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// Their lanes, block by block.
    pub lanes: &'a [Lane],
    /// Factor of a scale whose `f16` bits are shifted into an `f32`; [`F16_BIAS`] if scales are stored unchanged.
    pub scale_unit: f32,
}

/// 16 bytes on a 16-byte boundary, the operand of one vector load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Lane(pub [u8; 16]);

impl Lane {
    /// Sixteen zero bytes.
    pub const ZERO: Self = Self([0; 16]);

    /// The `i`-th of the eight little-endian 16-bit values, `i < 8`.
    #[inline(always)]
    pub fn u16(&self, i: usize) -> u16 {
        u16::from_le_bytes(self.0.as_chunks().0[i])
    }

    /// Writes the `i`-th 16-bit value, `i < 8`.
    #[inline(always)]
    pub fn set_u16(&mut self, i: usize, value: u16) {
        self.0[2 * i..2 * i + 2].copy_from_slice(&value.to_le_bytes());
    }

    /// All eight values as finite `f16`, one per row of the group, in units of `unit` / 2^112.
    #[inline(always)]
    pub fn f16x8(&self, unit: f32) -> [f32; GROUP_ROWS] {
        std::array::from_fn(|i| widened_f16(self.u16(i)) * unit)
    }

    /// The `i`-th of the four little-endian 32-bit values, `i < 4`.
    #[inline(always)]
    pub fn u32(&self, i: usize) -> u32 {
        u32::from_le_bytes(self.0.as_chunks().0[i])
    }

    /// Writes the `i`-th 32-bit value, `i < 4`.
    #[inline(always)]
    pub fn set_u32(&mut self, i: usize, value: u32) {
        self.0.as_chunks_mut().0[i] = value.to_le_bytes();
    }

    /// All four values as `f32`.
    #[inline(always)]
    pub fn f32x4(&self) -> [f32; 4] {
        std::array::from_fn(|i| f32::from_bits(self.u32(i)))
    }
}

/// Corrects the exponent of an `f16` whose bits are shifted into an `f32`: the two types have different biases.
pub const F16_BIAS: f32 = f32::from_bits((127 + 112) << 23); // 2^112

/// The sign and the low 28 bits an `f16` occupies once shifted into an `f32`.
pub const F16_MASK: i32 = 0x8fff_e000_u32 as i32;

/// The value of an `f16` that is neither infinite nor NaN, subnormal ones included.
///
/// Exact, and without a branch or a conversion instruction, so that every kernel computes the same.
#[inline(always)]
pub fn finite_f16(bits: u16) -> f32 {
    widened_f16(bits) * F16_BIAS
}

/// A finite `f16` whose bits are shifted into an `f32`: its value divided by 2^112.
#[inline(always)]
fn widened_f16(bits: u16) -> f32 {
    let widened = (i32::from(bits.cast_signed()) << 13) & F16_MASK;
    f32::from_bits(widened.cast_unsigned())
}

/// Whether the `f16` is neither infinite nor NaN, as [`finite_f16`] requires.
#[inline(always)]
pub fn is_finite_f16(bits: u16) -> bool {
    bits & 0x7c00 != 0x7c00
}
