//! `StoredType`: the type of stored numbers: those of GGML that candle can read, and those of `ggml_blocks`.

use candle_core::quantized::GgmlDType;
use half::{bf16, f16};
use serde::{Deserialize, Serialize};

use super::candle_blocks;
use super::ggml_blocks::BlockType;
use crate::kernels::pack::WeightType;

/// A tensor type of GGML. safetensors and PyTorch use the float types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct StoredType(Kind);

/// No encoder writes the type with this name.
#[derive(Debug, thiserror::Error)]
#[error("{0} is only read")]
pub struct OnlyRead(&'static str);

/// Who decodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Candle(GgmlDType),
    F64,
    Blocks(BlockType),
}

/// Every type that is read, with its number in GGUF's tensor infos and its name.
#[rustfmt::skip]
const TYPES: [(u32, &str, Kind); 28] = [
    (0,  "F32",     Kind::Candle(GgmlDType::F32)),
    (1,  "F16",     Kind::Candle(GgmlDType::F16)),
    (2,  "Q4_0",    Kind::Candle(GgmlDType::Q4_0)),
    (3,  "Q4_1",    Kind::Candle(GgmlDType::Q4_1)),
    (6,  "Q5_0",    Kind::Candle(GgmlDType::Q5_0)),
    (7,  "Q5_1",    Kind::Candle(GgmlDType::Q5_1)),
    (8,  "Q8_0",    Kind::Candle(GgmlDType::Q8_0)),
    (9,  "Q8_1",    Kind::Candle(GgmlDType::Q8_1)),
    (10, "Q2_K",    Kind::Candle(GgmlDType::Q2K)),
    (11, "Q3_K",    Kind::Candle(GgmlDType::Q3K)),
    (12, "Q4_K",    Kind::Candle(GgmlDType::Q4K)),
    (13, "Q5_K",    Kind::Candle(GgmlDType::Q5K)),
    (14, "Q6_K",    Kind::Candle(GgmlDType::Q6K)),
    (15, "Q8_K",    Kind::Candle(GgmlDType::Q8K)),
    (16, "IQ2_XXS", Kind::Blocks(BlockType::Iq2Xxs)),
    (17, "IQ2_XS",  Kind::Blocks(BlockType::Iq2Xs)),
    (18, "IQ3_XXS", Kind::Blocks(BlockType::Iq3Xxs)),
    (19, "IQ1_S",   Kind::Blocks(BlockType::Iq1S)),
    (20, "IQ4_NL",  Kind::Blocks(BlockType::Iq4Nl)),
    (21, "IQ3_S",   Kind::Blocks(BlockType::Iq3S)),
    (22, "IQ2_S",   Kind::Blocks(BlockType::Iq2S)),
    (23, "IQ4_XS",  Kind::Blocks(BlockType::Iq4Xs)),
    (28, "F64",     Kind::F64),
    (29, "IQ1_M",   Kind::Blocks(BlockType::Iq1M)),
    (30, "BF16",    Kind::Candle(GgmlDType::BF16)),
    (34, "TQ1_0",   Kind::Blocks(BlockType::Tq1_0)),
    (35, "TQ2_0",   Kind::Blocks(BlockType::Tq2_0)),
    (39, "MXFP4",   Kind::Blocks(BlockType::Mxfp4)),
];
/// The names of the types that are not read.
#[rustfmt::skip]
const OTHER_NAMES: [(u32, &str); 14] = [
    (4, "Q4_2"), (5, "Q4_3"), (24, "I8"), (25, "I16"), (26, "I32"), (27, "I64"), (31, "Q4_0_4_4"), (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"), (36, "IQ4_NL_4_4"), (37, "IQ4_NL_4_8"), (38, "IQ4_NL_8_8"), (40, "NVFP4"), (41, "Q1_0"),
];

impl StoredType {
    /// 32-bit floats.
    pub const F32: Self = Self(Kind::Candle(GgmlDType::F32));
    /// 16-bit floats.
    pub const F16: Self = Self(Kind::Candle(GgmlDType::F16));
    /// 16-bit floats with the exponent of 32-bit floats.
    pub const BF16: Self = Self(Kind::Candle(GgmlDType::BF16));
    /// 64-bit floats, rounded to 32 bits when read.
    pub const F64: Self = Self(Kind::F64);

    /// The type with this number in GGUF's tensor infos; `None` if it is not supported.
    pub fn from_gguf_id(id: u32) -> Option<Self> {
        let known = TYPES.iter().find(|(known, _, _)| *known == id);
        known.map(|(_, _, kind)| Self(*kind))
    }

    /// GGML's name of a number in GGUF's tensor infos, also of a type that is not supported.
    pub(super) fn name_of_gguf_id(id: u32) -> String {
        let read = TYPES.iter().map(|(known, name, _)| (*known, *name));
        let mut names = read.chain(OTHER_NAMES);
        let name = names.find_map(|(known, name)| (known == id).then_some(name));
        name.map_or_else(|| format!("number {id}"), str::to_owned)
    }

    /// Its row of the table.
    fn row(self) -> (u32, &'static str, Kind) {
        let row = TYPES.iter().find(|(_, _, kind)| *kind == self.0);
        *row.expect("every type has a row")
    }

    /// Its number in GGUF's tensor infos.
    pub fn gguf_id(self) -> u32 {
        self.row().0
    }

    /// GGML's name for it, as in `Q4_K`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Numbers per quantization block; 1 for floats. Rows consist of whole blocks.
    pub fn block_len(self) -> usize {
        match self.0 {
            Kind::Candle(dtype) => dtype.block_size(),
            Kind::F64 => 1,
            Kind::Blocks(blocks) => blocks.block_len(),
        }
    }

    /// Bytes per quantization block or float.
    fn block_bytes(self) -> usize {
        match self.0 {
            Kind::Candle(dtype) => dtype.type_size(),
            Kind::F64 => 8,
            Kind::Blocks(blocks) => blocks.block_bytes(),
        }
    }

    /// Bytes of `cols` numbers, if they are whole blocks and the product does not overflow.
    pub fn row_bytes(self, cols: usize) -> Option<usize> {
        match cols.is_multiple_of(self.block_len()) {
            true => (cols / self.block_len()).checked_mul(self.block_bytes()),
            false => None,
        }
    }

    /// Whether it is a float type, without blocks.
    pub fn is_float(self) -> bool {
        matches!(
            self.0,
            Kind::F64 | Kind::Candle(GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16)
        )
    }

    /// The type that the kernels compute with: the same type where they know it, F32 for F64, F16 for BF16 (exact for
    /// the values of a GPT-2), and Q8_0 for the other quantized types, whose scale per 32 numbers adds little to their
    /// error: at most 1/254 of the largest number, where the types' own steps are 1/16 of it and more.
    pub fn weight_type(self) -> WeightType {
        match self.0 {
            Kind::F64 | Kind::Candle(GgmlDType::F32) => WeightType::F32,
            Kind::Candle(GgmlDType::F16 | GgmlDType::BF16) => WeightType::F16,
            Kind::Candle(GgmlDType::Q4_0) => WeightType::Q4_0,
            Kind::Candle(GgmlDType::Q4K) => WeightType::Q4K,
            Kind::Candle(GgmlDType::Q6K) => WeightType::Q6K,
            Kind::Blocks(_)
            | Kind::Candle(
                GgmlDType::Q8_0
                | GgmlDType::Q4_1
                | GgmlDType::Q5_0
                | GgmlDType::Q5_1
                | GgmlDType::Q8_1
                | GgmlDType::Q2K
                | GgmlDType::Q3K
                | GgmlDType::Q5K
                | GgmlDType::Q8K,
            ) => WeightType::Q8_0,
        }
    }

    /// Decodes bytes of whole blocks and appends the numbers to `out`.
    pub fn decode(self, bytes: &[u8], out: &mut Vec<f32>) {
        let dtype = match self.0 {
            Kind::Candle(dtype) => dtype,
            Kind::F64 => {
                let (numbers, _) = bytes.as_chunks();
                out.extend(numbers.iter().map(|b| f64::from_le_bytes(*b) as f32));
                return;
            }
            Kind::Blocks(blocks) => {
                blocks.decode(bytes, out);
                return;
            }
        };
        match dtype {
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
            dtype => candle_blocks::decode(dtype, bytes, out),
        }
    }

    /// Encodes whole blocks of numbers and appends the bytes to `out`.
    ///
    /// # Errors
    /// [`OnlyRead`].
    pub fn encode(self, values: &[f32], out: &mut Vec<u8>) -> Result<(), OnlyRead> {
        let Kind::Candle(dtype) = self.0 else {
            return Err(OnlyRead(self.name()));
        };
        match dtype {
            GgmlDType::F32 => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            GgmlDType::F16 => {
                out.extend(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()));
            }
            GgmlDType::BF16 => {
                out.extend(values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()));
            }
            dtype => candle_blocks::encode(dtype, values, out),
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
        Self(Kind::Candle(match dtype {
            WeightType::F32 => GgmlDType::F32,
            WeightType::F16 => GgmlDType::F16,
            WeightType::Q8_0 => GgmlDType::Q8_0,
            WeightType::Q4_0 => GgmlDType::Q4_0,
            WeightType::Q4K => GgmlDType::Q4K,
            WeightType::Q6K => GgmlDType::Q6K,
        }))
    }
}
