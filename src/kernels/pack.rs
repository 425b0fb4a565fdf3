//! `PackedWeight`: a matrix of quantization blocks as GGUF lays them out.

use std::io;

use half::f16;

/// How the numbers of a weight are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8 bits, blocks of 32.
    Q8_0,
    /// 4 bits, blocks of 32.
    Q4_0,
    /// 4 bits, blocks of 256.
    Q4K,
    /// 6 bits, blocks of 256.
    Q6K,
}

impl WeightType {
    fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 => (1, 2),
            Self::Q8_0 => (32, 34),
            Self::Q4_0 => (32, 18),
            Self::Q4K => (256, 144),
            Self::Q6K => (256, 210),
        }
    }
}

/// A (rows, cols) weight.
#[derive(Debug)]
pub struct PackedWeight {
    dtype: WeightType,
    rows: usize,
    cols: usize,
    bytes: Vec<u8>,
}

impl PackedWeight {
    /// Reads rows × cols weights stored as GGUF lays them out.
    ///
    /// # Errors
    /// The source's.
    pub fn read(
        dtype: WeightType,
        rows: usize,
        cols: usize,
        source: &mut dyn io::Read,
    ) -> io::Result<Self> {
        let (block, size) = dtype.block();
        let mut bytes = vec![0; rows * (cols / block * size)];
        source.read_exact(&mut bytes)?;
        Ok(Self {
            dtype,
            rows,
            cols,
            bytes,
        })
    }

    /// Output features.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Input features.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// How the numbers are stored.
    pub fn dtype(&self) -> WeightType {
        self.dtype
    }

    /// Memory held.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Row `row` (cols) as floats.
    ///
    /// # Panics
    /// If `row` is not below `rows`.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        let size = self.bytes.len() / self.rows;
        let bytes = &self.bytes[row * size..(row + 1) * size];
        match self.dtype {
            WeightType::F32 => {
                for (o, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                    *o = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                }
            }
            WeightType::F16 => {
                for (o, b) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                    *o = f16::from_le_bytes([b[0], b[1]]).to_f32();
                }
            }
            WeightType::Q8_0 => {
                for (o, b) in out.chunks_exact_mut(32).zip(bytes.chunks_exact(34)) {
                    let d = f16::from_le_bytes([b[0], b[1]]).to_f32();
                    for (o, q) in o.iter_mut().zip(&b[2..]) {
                        *o = d * f32::from(*q as i8);
                    }
                }
            }
            WeightType::Q4_0 => {
                for (o, b) in out.chunks_exact_mut(32).zip(bytes.chunks_exact(18)) {
                    let d = f16::from_le_bytes([b[0], b[1]]).to_f32();
                    for (i, q) in b[2..].iter().enumerate() {
                        o[i] = d * (f32::from(q & 15) - 8.0);
                        o[i + 16] = d * (f32::from(q >> 4) - 8.0);
                    }
                }
            }
            WeightType::Q4K | WeightType::Q6K => {
                unimplemented!("the real kernels come with their own branch")
            }
        }
    }
}
