//! `Footprint`: the size of a GPT-2 on the device and in memory, computed from its shape before its weights are fetched.

use crate::model::ModelError;
use crate::model::config::Gpt2Config;

use super::dtype::Dtype;

/// Number of texts that the page writes at once by default, and tokens of each.
const N_TEXTS: u64 = 5;
const N_TOKENS: u64 = 160;
/// Tokens of one pass through the model.
const N_ROWS: u64 = 65;
/// The program, its stack and its threads.
const PROGRAM: u64 = 12 << 20;
/// Memory of a conversion beside the largest tensor.
const CONVERSION: u64 = 8 << 20;
/// Bytes of a token with its merge, in a file and in the tokenizer.
const TOKEN_IN_FILE: u64 = 36;
const TOKEN_IN_MEMORY: u64 = 250;
/// Bytes of a tensor's name, shape and offset in a file.
const TENSOR_INFO: u64 = 80;

/// The size of a model, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// The finished file, exact but for the tokenizer, which is about a hundredth of it.
    pub file: u64,
    /// The most memory during conversion and while five texts are written.
    pub memory: u64,
}

/// The shape of a model, from its `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    config: Gpt2Config,
    is_head_tied: bool,
}

impl Shape {
    /// Reads the shape.
    ///
    /// # Errors
    /// As [`Gpt2Config::from_json`].
    pub fn from_json(config_json: &[u8]) -> Result<Self, ModelError> {
        Ok(Self {
            config: Gpt2Config::from_json(config_json)?,
            is_head_tied: Gpt2Config::is_head_tied(config_json)?,
        })
    }

    /// The footprint with matrices of type `dtype`, where their rows fit its blocks; `Auto` is Q8_0.
    pub fn footprint(&self, dtype: Dtype) -> Footprint {
        let file = self.header() + self.weights(dtype);
        Footprint {
            file,
            memory: self.memory(dtype, self.weights(dtype)),
        }
    }

    /// The footprint of a GGUF of `file` bytes whose weights are `dtype` in memory; `is_native`: whether they are
    /// `dtype` in the file too.
    pub fn footprint_of_gguf(&self, file: u64, dtype: Dtype, is_native: bool) -> Footprint {
        let weights = match is_native {
            // In a mixture, tensors have several types, so their sum is taken from the length of the file.
            true => file.saturating_sub(self.header()),
            false => self.weights(dtype),
        };
        Footprint {
            file,
            memory: self.memory(dtype, weights),
        }
    }

    fn memory(&self, dtype: Dtype, weights: u64) -> u64 {
        // The length in a listing may be any number.
        let open = weights.saturating_add(self.session(dtype));
        let convert = self.largest_transposed() + CONVERSION;
        let rest = PROGRAM + TOKEN_IN_MEMORY * self.config.vocab_size as u64;
        open.max(convert).saturating_add(rest)
    }

    /// Matrices, as (count, rows, cols).
    fn matrices(&self) -> [(u64, u64, u64); 5] {
        let Gpt2Config {
            vocab_size,
            n_embd,
            n_layer,
            n_inner,
            ..
        } = self.config;
        let (v, c, l, i) = (
            vocab_size as u64,
            n_embd as u64,
            n_layer as u64,
            n_inner as u64,
        );
        let embeddings = if self.is_head_tied { 1 } else { 2 };
        [
            (embeddings, v, c),
            (l, 3 * c, c),
            (l, c, c),
            (l, i, c),
            (l, c, i),
        ]
    }

    /// Bytes of all tensors; vectors and positions stay 32-bit floats.
    fn weights(&self, dtype: Dtype) -> u64 {
        let matrices = self.matrices().into_iter();
        let matrices = matrices.map(|(n, rows, cols)| n * rows * row_bytes(dtype, cols));
        let config = &self.config;
        let (c, i) = (config.n_embd as u64, config.n_inner as u64);
        let vectors = config.n_layer as u64 * (9 * c + i) + 2 * c + config.n_ctx as u64 * c;
        matrices.sum::<u64>() + 4 * vectors
    }

    fn header(&self) -> u64 {
        let n_tensors = 12 * self.config.n_layer as u64 + 5;
        TENSOR_INFO * n_tensors + TOKEN_IN_FILE * self.config.vocab_size as u64
    }

    /// Bytes of keys and values, activations and scores.
    fn session(&self, dtype: Dtype) -> u64 {
        let config = &self.config;
        let (c, h) = (config.n_embd as u64, config.n_head as u64);
        // Quantized models have 8-bit keys and values, with a scale per head.
        let number = match dtype {
            Dtype::F32 | Dtype::F16 => 4,
            _ => 1,
        };
        let position = config.n_layer as u64 * (2 * number * c + 8 * h);
        let positions = N_TEXTS * N_TOKENS.min(config.n_ctx as u64);
        let activations = 4 * N_ROWS * (7 * c + config.n_inner as u64);
        position * positions + activations + 4 * N_TEXTS * config.vocab_size as u64
    }

    /// Bytes of the largest tensor that is transposed in memory, in 32-bit floats.
    fn largest_transposed(&self) -> u64 {
        let (c, i) = (self.config.n_embd as u64, self.config.n_inner as u64);
        4 * c * i.max(3 * c)
    }
}

/// Bytes of a row in a type, or in the next more exact type whose blocks the row fits, as in the conversion.
fn row_bytes(dtype: Dtype, cols: u64) -> u64 {
    let in_blocks = |len: u64, bytes: u64| cols.is_multiple_of(len).then_some(cols / len * bytes);
    let q8_0 = in_blocks(32, 34);
    let fitting = match dtype {
        Dtype::Auto | Dtype::Q8_0 => q8_0,
        Dtype::Q4_0 => in_blocks(32, 18),
        Dtype::Q4K => in_blocks(256, 144).or(q8_0),
        Dtype::Q6K => in_blocks(256, 210).or(q8_0),
        Dtype::F16 => None,
        Dtype::F32 => Some(4 * cols),
    };
    fitting.unwrap_or(2 * cols)
}
