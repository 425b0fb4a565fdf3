//! `StoredType`: the type of stored numbers, one of those that candle can read.

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};
use half::{bf16, f16};
use serde::{Deserialize, Serialize};

use crate::kernels::pack::WeightType;

/// A tensor type of GGML. safetensors and PyTorch use the three float types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct StoredType(GgmlDType);

impl StoredType {
    /// 32-bit floats.
    pub const F32: Self = Self(GgmlDType::F32);
    /// 16-bit floats.
    pub const F16: Self = Self(GgmlDType::F16);
    /// 16-bit floats with the exponent of 32-bit floats.
    pub const BF16: Self = Self(GgmlDType::BF16);

    /// The type with this number in GGUF's tensor infos; `None` if it is not supported.
    pub fn from_gguf_id(id: u32) -> Option<Self> {
        Some(Self(match id {
            0 => GgmlDType::F32,
            1 => GgmlDType::F16,
            2 => GgmlDType::Q4_0,
            3 => GgmlDType::Q4_1,
            6 => GgmlDType::Q5_0,
            7 => GgmlDType::Q5_1,
            8 => GgmlDType::Q8_0,
            9 => GgmlDType::Q8_1,
            10 => GgmlDType::Q2K,
            11 => GgmlDType::Q3K,
            12 => GgmlDType::Q4K,
            13 => GgmlDType::Q5K,
            14 => GgmlDType::Q6K,
            15 => GgmlDType::Q8K,
            30 => GgmlDType::BF16,
            _ => return None,
        }))
    }

    /// Its number in GGUF's tensor infos.
    pub fn gguf_id(self) -> u32 {
        match self.0 {
            GgmlDType::F32 => 0,
            GgmlDType::F16 => 1,
            GgmlDType::Q4_0 => 2,
            GgmlDType::Q4_1 => 3,
            GgmlDType::Q5_0 => 6,
            GgmlDType::Q5_1 => 7,
            GgmlDType::Q8_0 => 8,
            GgmlDType::Q8_1 => 9,
            GgmlDType::Q2K => 10,
            GgmlDType::Q3K => 11,
            GgmlDType::Q4K => 12,
            GgmlDType::Q5K => 13,
            GgmlDType::Q6K => 14,
            GgmlDType::Q8K => 15,
            GgmlDType::BF16 => 30,
        }
    }

    /// GGML's name for it, as in `Q4_K`.
    pub fn name(self) -> &'static str {
        match self.0 {
            GgmlDType::F32 => "F32",
            GgmlDType::F16 => "F16",
            GgmlDType::BF16 => "BF16",
            GgmlDType::Q4_0 => "Q4_0",
            GgmlDType::Q4_1 => "Q4_1",
            GgmlDType::Q5_0 => "Q5_0",
            GgmlDType::Q5_1 => "Q5_1",
            GgmlDType::Q8_0 => "Q8_0",
            GgmlDType::Q8_1 => "Q8_1",
            GgmlDType::Q2K => "Q2_K",
            GgmlDType::Q3K => "Q3_K",
            GgmlDType::Q4K => "Q4_K",
            GgmlDType::Q5K => "Q5_K",
            GgmlDType::Q6K => "Q6_K",
            GgmlDType::Q8K => "Q8_K",
        }
    }

    /// Numbers per quantization block; 1 for floats. Rows consist of whole blocks.
    pub fn block_len(self) -> usize {
        self.0.block_size()
    }

    /// Bytes of `cols` numbers, if they are whole blocks and the product does not overflow.
    pub fn row_bytes(self, cols: usize) -> Option<usize> {
        match cols.is_multiple_of(self.block_len()) {
            true => (cols / self.block_len()).checked_mul(self.0.type_size()),
            false => None,
        }
    }

    /// Whether it is a float type, without blocks.
    pub fn is_float(self) -> bool {
        matches!(self.0, GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16)
    }

    /// The type that the kernels compute with: the same type where they know it, F16 for BF16 (exact for the values of
    /// a GPT-2), and Q8_0 for the other quantized types, whose scale per 32 numbers adds little to their error.
    pub fn weight_type(self) -> WeightType {
        match self.0 {
            GgmlDType::F32 => WeightType::F32,
            GgmlDType::F16 | GgmlDType::BF16 => WeightType::F16,
            GgmlDType::Q4_0 => WeightType::Q4_0,
            GgmlDType::Q4K => WeightType::Q4K,
            GgmlDType::Q6K => WeightType::Q6K,
            GgmlDType::Q8_0
            | GgmlDType::Q4_1
            | GgmlDType::Q5_0
            | GgmlDType::Q5_1
            | GgmlDType::Q8_1
            | GgmlDType::Q2K
            | GgmlDType::Q3K
            | GgmlDType::Q5K
            | GgmlDType::Q8K => WeightType::Q8_0,
        }
    }

    /// Decodes bytes of whole blocks and appends the numbers to `out`.
    ///
    /// # Errors
    /// candle's.
    pub fn decode(self, bytes: &[u8], out: &mut Vec<f32>) -> candle_core::Result<()> {
        match self.0 {
            GgmlDType::F32 => out.extend(
                bytes
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            ),
            GgmlDType::F16 => {
                out.extend(
                    bytes
                        .chunks_exact(2)
                        .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()),
                );
            }
            GgmlDType::BF16 => {
                out.extend(
                    bytes
                        .chunks_exact(2)
                        .map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()),
                );
            }
            dtype => {
                let n = bytes.len() / dtype.type_size() * dtype.block_size();
                let aligned = AlignedBytes::new(bytes);
                let storage = QStorage::from_data(aligned.get().into(), &Device::Cpu, dtype)?;
                let tensor = QTensor::new(storage, (n,))?.dequantize(&Device::Cpu)?;
                out.extend(tensor.to_vec1::<f32>()?);
            }
        }
        Ok(())
    }

    /// Encodes whole blocks of numbers and appends the bytes to `out`.
    ///
    /// # Errors
    /// candle's.
    pub fn encode(self, values: &[f32], out: &mut Vec<u8>) -> candle_core::Result<()> {
        match self.0 {
            GgmlDType::F32 => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            GgmlDType::F16 => {
                out.extend(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()));
            }
            GgmlDType::BF16 => {
                out.extend(values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()));
            }
            dtype => {
                let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu)?;
                out.extend_from_slice(&QTensor::quantize(&tensor, dtype)?.data()?);
            }
        }
        Ok(())
    }
}

impl TryFrom<u32> for StoredType {
    type Error = String;

    fn try_from(id: u32) -> Result<Self, String> {
        Self::from_gguf_id(id).ok_or_else(|| format!("no tensor type has the number {id}"))
    }
}

impl From<StoredType> for u32 {
    fn from(dtype: StoredType) -> Self {
        dtype.gguf_id()
    }
}

impl From<WeightType> for StoredType {
    fn from(dtype: WeightType) -> Self {
        Self(match dtype {
            WeightType::F32 => GgmlDType::F32,
            WeightType::F16 => GgmlDType::F16,
            WeightType::Q8_0 => GgmlDType::Q8_0,
            WeightType::Q4_0 => GgmlDType::Q4_0,
            WeightType::Q4K => GgmlDType::Q4K,
            WeightType::Q6K => GgmlDType::Q6K,
        })
    }
}

/// A copy of bytes at an address that is a multiple of 16, as candle's block types require.
struct AlignedBytes {
    buffer: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    fn new(bytes: &[u8]) -> Self {
        let mut buffer = vec![0; bytes.len() + 16];
        let start = buffer.as_ptr().align_offset(16).min(16);
        buffer[start..start + bytes.len()].copy_from_slice(bytes);
        Self {
            buffer,
            start,
            len: bytes.len(),
        }
    }

    fn get(&self) -> &[u8] {
        &self.buffer[self.start..self.start + self.len]
    }
}
