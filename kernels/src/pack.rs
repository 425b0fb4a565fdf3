//! `PackedWeight`: a weight matrix whose GGUF quantization blocks are interleaved for the kernels, eight rows at a time.

mod packer;

use std::io::{self, Write};

pub use packer::Packer;

use super::blocks::{self, q4_0, q4k, q6k, q8_0};
pub use super::lane::GROUP_ROWS;
use super::lane::{F16_BIAS, Group, Lane, finite_f16, is_finite_f16};
use super::panel::InputType;

/// The storage type of a tensor's weights, in memory and in GGUF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "the names are GGUF's own and have no other meaning"
)]
pub enum WeightType {
    F32,
    F16,
    Q8_0,
    Q4_0,
    Q4K,
    Q6K,
}

impl WeightType {
    /// All types, from the largest to the smallest.
    pub const ALL: [Self; 6] = [
        Self::F32,
        Self::F16,
        Self::Q8_0,
        Self::Q6K,
        Self::Q4K,
        Self::Q4_0,
    ];

    /// Weights per quantization block. The number of a tensor's columns is a multiple of it.
    #[must_use]
    pub fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 => 1,
            Self::Q8_0 | Self::Q4_0 => 32,
            Self::Q4K | Self::Q6K => 256,
        }
    }

    /// Bytes per quantization block in GGUF.
    #[must_use]
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Q8_0 => q8_0::BYTES,
            Self::Q4_0 => q4_0::BYTES,
            Self::Q4K => q4k::BYTES,
            Self::Q6K => q6k::BYTES,
        }
    }

    /// Lanes of one packed quantization block of eight rows.
    fn block_lanes(self) -> usize {
        match self {
            Self::F32 => blocks::F32_LANES,
            Self::F16 => blocks::F16_LANES,
            Self::Q8_0 => blocks::Q8_0_LANES,
            Self::Q4_0 => blocks::Q4_0_LANES,
            Self::Q4K => blocks::Q4K_LANES,
            Self::Q6K => blocks::Q6K_LANES,
        }
    }

    /// How a product's inputs are quantized; `None` if they stay floats.
    #[inline(always)]
    pub(super) fn input(self) -> Option<InputType> {
        match self {
            Self::F32 | Self::F16 => None,
            Self::Q8_0 => Some(InputType::Q8_0),
            Self::Q4_0 => Some(InputType::Q4_0),
            Self::Q4K => Some(InputType::Q4K),
            Self::Q6K => Some(InputType::Q6K),
        }
    }

    /// Lanes at the start of a packed block that each hold one scale per row, as `f16`.
    fn scale_lanes(self) -> usize {
        match self {
            Self::F32 | Self::F16 => 0,
            Self::Q8_0 | Self::Q4_0 | Self::Q6K => 1,
            Self::Q4K => 2,
        }
    }

    /// Whether every float in a GGUF block is finite.
    fn is_finite(self, bytes: &[u8]) -> bool {
        let f16_at = |at: usize| is_finite_f16(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        match self {
            Self::F32 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).is_finite(),
            Self::F16 | Self::Q8_0 | Self::Q4_0 => f16_at(0),
            Self::Q4K => f16_at(0) && f16_at(2),
            Self::Q6K => f16_at(208),
        }
    }

    /// Distributes the GGUF blocks of one row over the zeroed lanes of its group. The error is the index of a block
    /// that is not finite.
    ///
    /// Not inlined: a browser replaces its first, slow code of a function only between two calls.
    #[inline(never)]
    fn scatter_row(self, bytes: &[u8], row: usize, lanes: &mut [Lane]) -> Result<(), usize> {
        match self {
            Self::F32 => Self::F32.scatter_blocks(bytes, lanes, |bytes, lanes| {
                lanes[row / 4].0[row % 4 * 4..][..4].copy_from_slice(bytes);
            }),
            Self::F16 => Self::F16.scatter_blocks(bytes, lanes, |bytes, lanes| {
                lanes[0].0[row * 2..][..2].copy_from_slice(bytes);
            }),
            Self::Q8_0 => Self::Q8_0.scatter_blocks(bytes, lanes, |bytes, lanes| {
                q8_0::scatter(bytes, row, lanes);
            }),
            Self::Q4_0 => Self::Q4_0.scatter_blocks(bytes, lanes, |bytes, lanes| {
                q4_0::scatter(bytes, row, lanes);
            }),
            Self::Q4K => Self::Q4K.scatter_blocks(bytes, lanes, |bytes, lanes| {
                q4k::scatter(bytes, row, lanes);
            }),
            Self::Q6K => Self::Q6K.scatter_blocks(bytes, lanes, |bytes, lanes| {
                q6k::scatter(bytes, row, lanes);
            }),
        }
    }

    /// Inlined, so that the sizes are constants of each type.
    #[inline(always)]
    fn scatter_blocks(
        self,
        bytes: &[u8],
        lanes: &mut [Lane],
        scatter: impl Fn(&[u8], &mut [Lane]),
    ) -> Result<(), usize> {
        let blocks = bytes.chunks_exact(self.block_bytes());
        let places = lanes.chunks_exact_mut(self.block_lanes());
        for (b, (block, place)) in blocks.zip(places).enumerate() {
            if !self.is_finite(block) {
                return Err(b);
            }
            scatter(block, place);
        }
        Ok(())
    }

    fn gather(self, lanes: &[Lane], row: usize, bytes: &mut [u8]) {
        match self {
            Self::F32 => bytes.copy_from_slice(&lanes[row / 4].0[row % 4 * 4..][..4]),
            Self::F16 => bytes.copy_from_slice(&lanes[0].0[row * 2..][..2]),
            Self::Q8_0 => q8_0::gather(lanes, row, bytes),
            Self::Q4_0 => q4_0::gather(lanes, row, bytes),
            Self::Q4K => q4k::gather(lanes, row, bytes),
            Self::Q6K => q6k::gather(lanes, row, bytes),
        }
    }

    fn dequantize(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Self::F32 => out[0] = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            Self::F16 => out[0] = finite_f16(u16::from_le_bytes([bytes[0], bytes[1]])),
            Self::Q8_0 => q8_0::dequantize(bytes, out),
            Self::Q4_0 => q4_0::dequantize(bytes, out),
            Self::Q4K => q4k::dequantize(bytes, out),
            Self::Q6K => q6k::dequantize(bytes, out),
        }
    }
}

/// A weight matrix (rows, cols) in the order the kernels read it.
///
/// The matrix is a sequence of groups of eight rows; a group is a sequence of quantization blocks in column order; a
/// block has its eight rows interleaved. The last group is padded with rows of zeros. The size in memory is that of the
/// GGUF tensor plus the padding; Q4_K takes 148 bytes per block instead of 144.
///
/// All scales of a tensor are multiplied by one power of two, the largest that keeps them finite in `f16`: a product
/// with subnormal scales takes processors twice as long.
pub struct PackedWeight {
    dtype: WeightType,
    rows: usize,
    cols: usize,
    /// Lanes of one group of rows; 0 if there are no columns.
    group_lanes: usize,
    lanes: Vec<Lane>,
    /// Exponent of the power of two that stored scales are multiplied by.
    scale_shift: i32,
}

impl PackedWeight {
    /// Writes the weights in GGUF's layout, the bytes that [`PackedWeight::read`] has read.
    ///
    /// # Errors
    /// The errors of `sink`.
    pub fn write(&self, sink: &mut dyn Write) -> io::Result<()> {
        let mut bytes = vec![0; self.cols / self.dtype.block_len() * self.dtype.block_bytes()];
        for row in 0..self.rows {
            for (block, place) in bytes.chunks_exact_mut(self.dtype.block_bytes()).zip(
                self.group(row / GROUP_ROWS)
                    .lanes
                    .chunks_exact(self.dtype.block_lanes()),
            ) {
                self.gather(place, row % GROUP_ROWS, block);
            }
            sink.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Number of rows, the outputs of a product.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, the inputs of a product.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The storage type of the weights.
    #[must_use]
    pub fn dtype(&self) -> WeightType {
        self.dtype
    }

    /// Bytes of the weights in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.lanes.len() * size_of::<Lane>()
    }

    /// Dequantizes one row into `out` (cols), as an embedding lookup does.
    ///
    /// # Panics
    /// If the row does not exist or the length of `out` differs.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        assert_eq!(out.len(), self.cols, "out is (cols)");
        let mut bytes = [0; q6k::BYTES];
        let bytes = &mut bytes[..self.dtype.block_bytes()];
        for (values, place) in out.chunks_exact_mut(self.dtype.block_len()).zip(
            self.group(row / GROUP_ROWS)
                .lanes
                .chunks_exact(self.dtype.block_lanes()),
        ) {
            self.gather(place, row % GROUP_ROWS, bytes);
            self.dtype.dequantize(bytes, values);
        }
    }

    /// Wrapping sum of the weights' bytes as 32-bit words: reads the same bytes as a product with the least arithmetic,
    /// to measure the time that memory takes.
    #[must_use]
    pub fn sum_words(&self) -> u32 {
        let mut sums = [0_u32; 16];
        let (fours, rest) = self.lanes.as_chunks::<4>();
        for four in fours {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = sum.wrapping_add(four[i / 4].u32(i % 4));
            }
        }
        for (i, lane) in rest.iter().enumerate() {
            sums[i] = (0..4).fold(sums[i], |sum, j| sum.wrapping_add(lane.u32(j)));
        }
        sums.into_iter().fold(0, u32::wrapping_add)
    }

    /// Eight rows; the last group may end with rows of zeros.
    pub(super) fn group(&self, group: usize) -> Group<'_> {
        Group {
            lanes: &self.lanes[group * self.group_lanes..][..self.group_lanes],
            // Exact, because both factors are powers of two.
            scale_unit: F16_BIAS * power_of_two(-self.scale_shift),
        }
    }

    /// The GGUF block of one row of the packed block `place`.
    fn gather(&self, place: &[Lane], row: usize, bytes: &mut [u8]) {
        self.dtype.gather(place, row, bytes);
        let (scales, _) = place.split_at(self.dtype.scale_lanes());
        // GGUF stores the scale of Q6_K after the integers, the others' first.
        let start = if self.dtype == WeightType::Q6K {
            208
        } else {
            0
        };
        for (scale, bytes) in scales.iter().zip(bytes[start..].as_chunks_mut::<2>().0) {
            *bytes = shifted_f16(scale.u16(row), -self.scale_shift).to_le_bytes();
        }
    }
}

/// An `f16` times 2 to the power of `shift`; exact unless the result is too small for its fraction.
fn shifted_f16(bits: u16, shift: i32) -> u16 {
    let (sign, exponent, fraction) = (bits & 0x8000, i32::from(bits >> 10 & 31), bits & 0x3ff);
    // The value is mantissa · 2^(exponent − 25) with an exponent ≥ 1.
    let (mut exponent, mut mantissa) = match exponent {
        0 => (1, fraction),
        _ => (exponent, fraction | 0x400),
    };
    exponent += shift;
    while mantissa != 0 && mantissa < 0x400 && exponent > 1 {
        mantissa <<= 1;
        exponent -= 1;
    }
    while exponent < 1 {
        mantissa >>= 1;
        exponent += 1;
    }
    match mantissa {
        0x400.. => sign | (exponent as u16) << 10 | mantissa & 0x3ff,
        _ => sign | mantissa,
    }
}

/// 2 to the power of `exponent`, −126 to 127.
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((127 + exponent) as u32) << 23)
}

impl std::fmt::Debug for PackedWeight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedWeight")
            .field("dtype", &self.dtype)
            .field("rows", &self.rows)
            .field("cols", &self.cols)
            .finish_non_exhaustive()
    }
}
