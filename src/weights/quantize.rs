//! Turns float tensors into quantized ones while they arrive and reports the error per tensor.

use std::io::{Read, Write};

use super::checkpoint::Checkpoint;
use super::dtype::StoredType;
use super::error::WeightsError;
use super::gguf::Value;
use super::gguf_writer::{TensorToWrite, Writer};
use super::names::{Role, TensorSpec};
use super::rows::ConversionErrors;
use crate::kernels::pack::WeightType;
use crate::model::config::Gpt2Config;

/// The type for rows of `cols`: `dtype`, or if they are no whole blocks of it the next more exact one that fits.
/// Q4_K and Q6_K give way to Q8_0, types in blocks of 32 to F16.
pub fn fitting(dtype: WeightType, cols: usize) -> WeightType {
    let fits = |dtype| StoredType::from(dtype).row_bytes(cols).is_some();
    match dtype {
        dtype if fits(dtype) => dtype,
        WeightType::Q4K | WeightType::Q6K if fits(WeightType::Q8_0) => WeightType::Q8_0,
        _ => WeightType::F16,
    }
}

/// What became of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorReport {
    /// Its name in GGUF.
    pub name: String,
    /// The type it has now.
    pub dtype: StoredType,
    /// Whether the type asked for did not fit its rows.
    pub is_fallback: bool,
    /// Largest difference to the original, as a part of the original's largest absolute value.
    pub max_error: f32,
    /// Root of the mean squared difference, as a part of the original's.
    pub rms_error: f32,
}

/// What became of all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizeReport {
    /// In the order of the file.
    pub tensors: Vec<TensorReport>,
    /// Length of the file.
    pub bytes: u64,
    /// The largest [`TensorReport::max_error`].
    pub max_error: f32,
}

impl QuantizeReport {
    pub(super) fn new(tensors: Vec<TensorReport>, bytes: u64) -> Self {
        Self {
            max_error: tensors.iter().map(|t| t.max_error).fold(0.0, f32::max),
            tensors,
            bytes,
        }
    }
}

/// A tokenizer as GGUF stores it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GgufTokenizer {
    /// Text of every token in byte-level form; the index is the id.
    pub tokens: Vec<String>,
    /// Merges, `left right`, first merged first.
    pub merges: Vec<String>,
    /// Ids of tokens that are no text, such as the end of text.
    pub control: Vec<u32>,
}

/// What a GGUF of GPT-2 says about itself: name, shape, tokenizer; `more` is appended.
pub fn gpt2_metadata(
    name: &str,
    config: &Gpt2Config,
    dtype: WeightType,
    tokenizer: GgufTokenizer,
    more: Vec<(String, Value)>,
) -> Vec<(String, Value)> {
    let size = |n: usize| Value::UInt(n as u64);
    let text = |text: &str| Value::String(text.to_owned());
    // llama.cpp's `llama_ftype`.
    let file_type = match dtype {
        WeightType::F32 => 0,
        WeightType::F16 => 1,
        WeightType::Q4_0 => 2,
        WeightType::Q8_0 => 7,
        WeightType::Q4K => 14,
        WeightType::Q6K => 18,
    };
    // 1 is ordinary text, 3 control, in llama.cpp's `llama_token_type`.
    let mut types = vec![1; tokenizer.tokens.len()];
    for token_id in tokenizer.control {
        if let Some(kind) = types.get_mut(token_id as usize) {
            *kind = 3;
        }
    }
    let mut metadata: Vec<(String, Value)> = [
        ("general.architecture", text("gpt2")),
        ("general.name", text(name)),
        ("general.file_type", size(file_type)),
        ("general.quantization_version", size(2)),
        ("gpt2.context_length", size(config.n_ctx)),
        ("gpt2.embedding_length", size(config.n_embd)),
        ("gpt2.block_count", size(config.n_layer)),
        ("gpt2.feed_forward_length", size(config.n_inner)),
        ("gpt2.attention.head_count", size(config.n_head)),
        (
            "gpt2.attention.layer_norm_epsilon",
            Value::Float(f64::from(config.layer_norm_epsilon)),
        ),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("gpt-2")),
        ("tokenizer.ggml.tokens", Value::Strings(tokenizer.tokens)),
        ("tokenizer.ggml.token_type", Value::Ints(types)),
        ("tokenizer.ggml.merges", Value::Strings(tokenizer.merges)),
        (
            "tokenizer.ggml.bos_token_id",
            size(config.bos_token_id as usize),
        ),
        (
            "tokenizer.ggml.eos_token_id",
            size(config.eos_token_id as usize),
        ),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    metadata.extend(more);
    metadata
}

/// A tensor as it will be written.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) spec: TensorSpec,
    pub(super) dtype: StoredType,
    /// Whether the type asked for did not fit its rows.
    pub(super) is_fallback: bool,
}

impl Target {
    /// Matrices become `dtype` where it fits their rows; vectors and positions stay F32.
    pub(super) fn new(spec: TensorSpec, dtype: WeightType) -> Self {
        let target = match spec.role.is_quantizable() {
            true => fitting(dtype, spec.cols),
            false => WeightType::F32,
        };
        Self {
            is_fallback: spec.role.is_quantizable() && target != dtype,
            dtype: target.into(),
            spec,
        }
    }

    pub(super) fn to_write(&self) -> TensorToWrite {
        TensorToWrite {
            name: self.spec.gguf_name.clone(),
            dims: match self.spec.role {
                Role::Vector => vec![self.spec.cols as u64],
                _ => vec![self.spec.cols as u64, self.spec.rows as u64],
            },
            dtype: self.dtype,
        }
    }

    /// What became of it.
    ///
    /// # Errors
    /// [`WeightsError::NotFinite`].
    pub(super) fn report(&self, errors: &ConversionErrors) -> Result<TensorReport, WeightsError> {
        let (max_error, rms_error) = errors.as_parts().ok_or_else(|| WeightsError::NotFinite {
            name: self.spec.name.clone(),
            source: std::io::ErrorKind::InvalidData.into(),
        })?;
        Ok(TensorReport {
            name: self.spec.gguf_name.clone(),
            dtype: self.dtype,
            is_fallback: self.is_fallback,
            max_error,
            rms_error,
        })
    }
}

/// Writes a checkpoint as GGUF, one tensor per step.
pub struct Quantizer<W: Write> {
    writer: Writer<W>,
    /// Last first.
    left: Vec<Target>,
    reports: Vec<TensorReport>,
}

impl<W: Write> Quantizer<W> {
    /// Writes the header. Matrices become `dtype` where it fits their rows; vectors and positions stay F32.
    ///
    /// # Errors
    /// [`WeightsError::Write`].
    pub fn new(
        checkpoint: &Checkpoint,
        dtype: WeightType,
        metadata: &[(String, Value)],
        out: W,
    ) -> Result<Self, WeightsError> {
        let mut left: Vec<Target> = checkpoint
            .tensors()
            .into_iter()
            .map(|(spec, _)| Target::new(spec, dtype))
            .collect();
        let tensors: Vec<_> = left.iter().map(Target::to_write).collect();
        left.reverse();
        Ok(Self {
            writer: Writer::new(out, metadata, &tensors)?,
            left,
            reports: Vec::new(),
        })
    }

    /// Converts and writes the next tensor; `None` after the last.
    ///
    /// # Errors
    /// As [`Checkpoint::matrix`], and [`WeightsError::Write`].
    pub fn step(
        &mut self,
        checkpoint: &mut Checkpoint,
    ) -> Result<Option<&TensorReport>, WeightsError> {
        let Some(target) = self.left.pop() else {
            return Ok(None);
        };
        let mut bytes = checkpoint
            .bytes(&target.spec.name, target.dtype)?
            .measured();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = match bytes.read(&mut buffer) {
                Ok(n) => n,
                Err(source) => {
                    return Err(bytes
                        .failure
                        .take()
                        .unwrap_or(WeightsError::Read { source }));
                }
            };
            if n == 0 {
                break;
            }
            self.writer.write(&buffer[..n])?;
        }
        self.reports.push(target.report(&bytes.errors())?);
        Ok(self.reports.last())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`WeightsError::Write`].
    ///
    /// # Panics
    /// If a tensor is left: step until `None`.
    pub fn finish(self) -> Result<QuantizeReport, WeightsError> {
        Ok(QuantizeReport::new(self.reports, self.writer.finish()?))
    }
}
