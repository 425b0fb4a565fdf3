//! `Scratch`: one product's input vectors, quantized once and then used by every row.
//!
//! The integers are as wide as the 16-bit pair product allows without a sum leaving `i32`; only the
//! 4-bit types stay within 8 bits, where a relaxed 8-bit dot product would give the same integers.

use super::Kernel;
use super::pack::WeightType;
use crate::parallel::Threads;

/// 32 quantized inputs for the types with a scale per 32 weights.
///
/// How a kernel writes `bias` and `pairs` is its own affair; only its own products read them.
#[derive(Clone, Copy, Debug)]
pub struct Block32 {
    /// What one step of the integers is worth.
    pub scale: f32,
    /// What every row's sum starts from, because weights are stored with an offset.
    pub bias: i32,
    /// The integers two by two: the even one in the low, the odd one in the high 16 bits.
    pub pairs: [u32; 16],
}

/// 256 quantized inputs for the types with a scale per 256 weights; see [`Block32`].
#[derive(Clone, Copy, Debug)]
pub struct Block256 {
    /// What one step of the integers is worth.
    pub scale: f32,
    /// What the sums of each 16 (Q6_K) or 32 (Q4_K) inputs start from.
    pub biases: [i32; 16],
    /// Sums of the integers, 32 at a time, in 16-bit pairs as the integers are; for Q4_K.
    pub sums: [u32; 4],
    /// The integers two by two.
    pub pairs: [u32; 128],
}

/// Largest integer the inputs of this type's products are rounded to.
///
/// Q8_0: 32 · 255 · 32767 < 2³¹. Q6_K: 256 · 32 · 128 · 2047 < 2³¹. The 4-bit types: eight bits, so
/// that a relaxed 8-bit dot product gives the same integers.
pub(super) fn integer_max(dtype: WeightType) -> f32 {
    match dtype {
        WeightType::Q8_0 => 32767.0,
        WeightType::Q6K => 2047.0,
        WeightType::F32 | WeightType::F16 | WeightType::Q4_0 | WeightType::Q4K => 127.0,
    }
}

/// Quantized inputs of the product under way; kept between products to reuse the memory.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// (n, cols / 32), used by Q8_0 and Q4_0.
    pub(super) blocks32: Vec<Block32>,
    /// (n, cols / 256), used by Q4_K and Q6_K.
    pub(super) blocks256: Vec<Block256>,
    /// Who computes; one thread by default.
    pub(super) threads: Threads,
}

impl Block32 {
    const ZERO: Self = Self {
        scale: 0.0,
        bias: 0,
        pairs: [0; 16],
    };
}

impl Block256 {
    const ZERO: Self = Self {
        scale: 0.0,
        biases: [0; 16],
        sums: [0; 4],
        pairs: [0; 128],
    };
}

impl Scratch {
    /// Products on these threads.
    #[must_use]
    pub fn with_threads(threads: Threads) -> Self {
        Self {
            threads,
            ..Self::default()
        }
    }

    /// Quantizes `x`, (n, cols), as weights of this type want it.
    pub(super) fn quantize<K: Kernel>(&mut self, dtype: WeightType, x: &[f32]) {
        match dtype {
            WeightType::F32 | WeightType::F16 => {}
            WeightType::Q8_0 | WeightType::Q4_0 => {
                self.blocks32.resize(x.len() / 32, Block32::ZERO);
                K::quantize32(dtype, x, &mut self.blocks32);
            }
            WeightType::Q4K | WeightType::Q6K => {
                self.blocks256.resize(x.len() / 256, Block256::ZERO);
                K::quantize256(dtype, x, &mut self.blocks256);
            }
        }
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

/// Two 16-bit integers as one pair.
#[inline(always)]
pub(super) fn pair(even: i32, odd: i32) -> u32 {
    even.cast_unsigned() & 0xffff | odd.cast_unsigned() << 16
}

/// 1.5 · 2²³: added to a number below 2²², it leaves the nearest integer (ties to even) in the low bits.
pub const ROUNDER: f32 = 12_582_912.0;
