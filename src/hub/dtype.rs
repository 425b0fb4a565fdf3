//! `Dtype`, the type of weights that a visitor requests; `GgufType`, the type in a GGUF's file name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::shown::beginning;

/// The type that float weights are quantized to, and that selects one of several GGUFs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Dtype {
    /// The best GGUF for its size; float weights become Q8_0.
    #[default]
    Auto,
    /// 8.5 bits per weight.
    Q8_0,
    /// 4.5 bits per weight.
    Q4_0,
    /// 4.5 bits per weight, in larger blocks.
    Q4K,
    /// 6.6 bits per weight.
    Q6K,
    /// 16-bit floats.
    F16,
    /// 32-bit floats.
    F32,
}

/// A text that names no [`Dtype`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no dtype is called \"{got}\"")]
pub struct DtypeError {
    /// The text, cut after 20 characters.
    pub got: String,
}

impl DtypeError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "take one of auto, q8_0, q4_0, q4_k, q6_k, f16, f32"
    }
}

impl Dtype {
    /// All types.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Q8_0,
        Self::Q4_0,
        Self::Q4K,
        Self::Q6K,
        Self::F16,
        Self::F32,
    ];

    /// The type's name, as a value of the option `dtype`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
            Self::Q4K => "q4_k",
            Self::Q6K => "q6_k",
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }

    /// Increase in percent of the bits per byte on a fixed text, compared with 16-bit floats. Measured with `huggingtweets
    /// quantize` on a model of 6.9 million parameters; other models may differ.
    #[must_use]
    pub fn loss_percent(self) -> f64 {
        match self {
            Self::Auto | Self::Q8_0 | Self::Q6K | Self::F16 | Self::F32 => 0.0,
            Self::Q4K => 0.7,
            Self::Q4_0 => 0.9,
        }
    }

    /// Types of GGUF that are preferred to float weights, the best first.
    #[must_use]
    pub fn wanted(self) -> &'static [GgufType] {
        use GgufType as G;
        match self {
            // These types are a fraction of the floats' download, with nearly their quality.
            Self::Auto => &[
                G::Q8_0,
                G::Q6K,
                G::Q5K,
                G::Q5_1,
                G::Q5_0,
                G::Q4K,
                G::Q4_1,
                G::Q4_0,
            ],
            Self::Q8_0 => &[G::Q8_0],
            Self::Q4_0 => &[G::Q4_0],
            Self::Q4K => &[G::Q4K],
            Self::Q6K => &[G::Q6K],
            Self::F16 => &[G::F16],
            Self::F32 => &[G::F32],
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Dtype> for &'static str {
    fn from(dtype: Dtype) -> Self {
        dtype.name()
    }
}

impl TryFrom<String> for Dtype {
    type Error = DtypeError;

    fn try_from(text: String) -> Result<Self, DtypeError> {
        text.parse()
    }
}

impl FromStr for Dtype {
    type Err = DtypeError;

    fn from_str(text: &str) -> Result<Self, DtypeError> {
        let found = Self::ALL.into_iter().find(|dtype| dtype.name() == text);
        found.ok_or_else(|| DtypeError {
            got: beginning(text, 20),
        })
    }
}

/// A type of GGUF that can be read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GgufType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats with the exponent of 32-bit ones.
    BF16,
    /// 16-bit floats.
    F16,
    /// 8.5 bits per weight.
    Q8_0,
    /// 6.6 bits per weight.
    Q6K,
    /// 5.5 bits per weight; with its mixtures `_S` and `_M`.
    Q5K,
    /// 6 bits per weight.
    Q5_1,
    /// 5.5 bits per weight.
    Q5_0,
    /// 4.5 bits per weight; with its mixtures `_S` and `_M`.
    Q4K,
    /// 5 bits per weight.
    Q4_1,
    /// 4.5 bits per weight.
    Q4_0,
    /// 3.4 bits per weight; with its mixtures `_S`, `_M` and `_L`.
    Q3K,
    /// 2.6 bits per weight.
    Q2K,
}

impl GgufType {
    /// All types, the most exact first.
    pub const ALL: [Self; 13] = [
        Self::F32,
        Self::BF16,
        Self::F16,
        Self::Q8_0,
        Self::Q6K,
        Self::Q5K,
        Self::Q5_1,
        Self::Q5_0,
        Self::Q4K,
        Self::Q4_1,
        Self::Q4_0,
        Self::Q3K,
        Self::Q2K,
    ];

    /// The type that the kernels compute with, and whether the file has the same type.
    #[must_use]
    pub fn computed_as(self) -> (Dtype, bool) {
        match self {
            Self::F32 => (Dtype::F32, true),
            Self::F16 | Self::BF16 => (Dtype::F16, true),
            Self::Q8_0 => (Dtype::Q8_0, true),
            Self::Q4_0 => (Dtype::Q4_0, true),
            Self::Q4K => (Dtype::Q4K, true),
            Self::Q6K => (Dtype::Q6K, true),
            Self::Q5K | Self::Q5_1 | Self::Q5_0 | Self::Q4_1 | Self::Q3K | Self::Q2K => {
                (Dtype::Q8_0, false)
            }
        }
    }

    /// The type in a file name, in any of the usual forms: `gpt2.Q4_K_M.gguf`, `jen-q8_0.gguf`, `ggml-model-fp16.gguf`.
    /// `None` for a name without a type, or with a type that cannot be read, such as `IQ4_NL`.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        let name = name.rsplit('/').next()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gguf")?;
        // The last label counts: `llama-f16.Q4_0` was made from f16.
        name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .rev()
            .find_map(Self::from_label)
    }

    /// `word`: in lower case; the label is its end, as in `gpt2_q4_k_m`.
    fn from_label(word: &str) -> Option<Self> {
        let (word, _mixture) = ["_s", "_m", "_l", "_xl"]
            .iter()
            .find_map(|size| Some((word.strip_suffix(size)?, *size)))
            .filter(|(word, _)| word.ends_with('k'))
            .unwrap_or((word, ""));
        const LABELS: [(&str, GgufType); 19] = [
            ("fp32", GgufType::F32),
            ("f32", GgufType::F32),
            ("bf16", GgufType::BF16),
            ("fp16", GgufType::F16),
            ("f16", GgufType::F16),
            ("q8_0", GgufType::Q8_0),
            ("q8", GgufType::Q8_0),
            ("q6_k", GgufType::Q6K),
            ("q6k", GgufType::Q6K),
            ("q5_k", GgufType::Q5K),
            ("q5k", GgufType::Q5K),
            ("q5_1", GgufType::Q5_1),
            ("q5_0", GgufType::Q5_0),
            ("q4_k", GgufType::Q4K),
            ("q4k", GgufType::Q4K),
            ("q4_1", GgufType::Q4_1),
            ("q4_0", GgufType::Q4_0),
            ("q3_k", GgufType::Q3K),
            ("q2_k", GgufType::Q2K),
        ];
        LABELS.iter().find_map(|(label, gguf_type)| {
            let before = word.strip_suffix(label)?;
            (before.is_empty() || before.ends_with('_')).then_some(*gguf_type)
        })
    }
}
