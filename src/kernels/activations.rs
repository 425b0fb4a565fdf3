//! `Scratch`: one product's input vectors, quantized once and then used by every row.
//!
//! The integers are as wide as the 16-bit pair product allows without a sum leaving `i32`; only the
//! 4-bit types stay within 8 bits, where a relaxed 8-bit dot product would give the same integers.

use super::Kernel;
use super::pack::WeightType;

/// 32 quantized inputs for the types with a scale per 32 weights.
#[derive(Clone, Copy, Debug)]
pub struct Block32 {
    /// What one step of the integers is worth.
    pub scale: f32,
    /// Sum of the integers.
    pub sum: i32,
    /// Integers two by two: the even one in the low, the odd one in the high 16 bits.
    pub pairs: [u32; 16],
}

/// 256 quantized inputs for the types with a scale per 256 weights.
#[derive(Clone, Copy, Debug)]
pub struct Block256 {
    /// What one step of the integers is worth.
    pub scale: f32,
    /// Sums of the integers, 16 at a time.
    pub sums16: [i32; 16],
    /// Sums of the integers, 32 at a time.
    pub sums32: [i32; 8],
    /// Integers two by two, as in [`Block32`].
    pub pairs: [u32; 128],
}

/// Largest integer Q8_0 inputs are rounded to: 32 · 128 · 32767 < 2³¹.
pub const MAX_Q8_0: f32 = 32767.0;
/// Largest integer Q4_0 inputs are rounded to: eight bits, for a relaxed dot product's sake.
pub const MAX_Q4_0: f32 = 127.0;
/// Largest integer Q4_K inputs are rounded to: eight bits as for Q4_0.
pub const MAX_Q4K: f32 = 127.0;
/// Largest integer Q6_K inputs are rounded to: 256 · 32 · 128 · 2047 < 2³¹.
pub const MAX_Q6K: f32 = 2047.0;

/// Quantized inputs of the product under way; kept between products to reuse the memory.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// (n, cols / 32), used by Q8_0 and Q4_0.
    pub(super) blocks32: Vec<Block32>,
    /// (n, cols / 256), used by Q4_K and Q6_K.
    pub(super) blocks256: Vec<Block256>,
}

impl Block32 {
    const ZERO: Self = Self {
        scale: 0.0,
        sum: 0,
        pairs: [0; 16],
    };
}

impl Block256 {
    const ZERO: Self = Self {
        scale: 0.0,
        sums16: [0; 16],
        sums32: [0; 8],
        pairs: [0; 128],
    };
}

impl Scratch {
    /// Quantizes `x`, (n, cols), as weights of this type want it.
    pub(super) fn quantize<K: Kernel>(&mut self, dtype: WeightType, x: &[f32]) {
        match dtype {
            WeightType::F32 | WeightType::F16 => {}
            WeightType::Q8_0 => self.quantize32::<K>(x, MAX_Q8_0),
            WeightType::Q4_0 => self.quantize32::<K>(x, MAX_Q4_0),
            WeightType::Q4K => self.quantize256::<K>(x, MAX_Q4K),
            WeightType::Q6K => self.quantize256::<K>(x, MAX_Q6K),
        }
    }

    fn quantize32<K: Kernel>(&mut self, x: &[f32], max: f32) {
        self.blocks32.resize(x.len() / 32, Block32::ZERO);
        K::quantize32(x, max, &mut self.blocks32);
    }

    fn quantize256<K: Kernel>(&mut self, x: &[f32], max: f32) {
        self.blocks256.resize(x.len() / 256, Block256::ZERO);
        K::quantize256(x, max, &mut self.blocks256);
    }
}

/// `scale` and its inverse for a block whose largest magnitude has these bits.
///
/// A block too small to divide becomes zero; one with an infinity or a NaN gets a NaN scale and
/// zero integers, so that every output of its column is NaN.
#[inline(always)]
pub(super) fn block_scale(magnitude_bits: u32, max: f32) -> (f32, f32) {
    if magnitude_bits >= f32::INFINITY.to_bits() {
        return (f32::NAN, 0.0);
    }
    let scale = f32::from_bits(magnitude_bits) / max;
    if scale < f32::MIN_POSITIVE {
        return (0.0, 0.0);
    }
    (scale, 1.0 / scale)
}

/// 1.5 · 2²³: added to a number below 2²², it leaves the nearest integer (ties to even) in the low bits.
pub const ROUNDER: f32 = 12_582_912.0;
