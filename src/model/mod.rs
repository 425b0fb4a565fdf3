//! GPT-2 as in the paper: its configuration, and the readable implementation on candle tensors.
//!
//! [`gpt2`] is the whole of it, [`operations`] what it is computed with, [`plain`] these operations in candle's own.

pub mod config;
pub mod gpt2;
pub mod linear;
pub mod operations;
pub mod plain;
pub mod token_ids;

use crate::json::JsonError;

/// Why a model cannot be built or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// `config.json` cannot be parsed.
    #[error("config.json is not a GPT-2 configuration ({source})")]
    BadConfigJson {
        /// The parser's error.
        source: JsonError,
    },
    /// A key that is needed has a value that cannot be used.
    #[error("config.json sets {key} = {value}, which is not {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The start of its value.
        value: String,
        /// The kind of value it needs.
        expected: &'static str,
    },
    /// Another architecture.
    #[error("config.json names the model type `{model_type}`, and only gpt2 models run here")]
    NotGpt2 {
        /// Its `model_type`, or the class of its model.
        model_type: String,
    },
    /// A variant of GPT-2 with other arithmetic.
    #[error("config.json sets {option} = {value}, which is not computed here")]
    UnsupportedOption {
        /// The key.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// A size no model here can have.
    #[error("{field} is {value}, not from {min} to {max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// Least accepted.
        min: u64,
        /// Most accepted.
        max: u64,
    },
    /// The width does not divide into heads.
    #[error("n_embd = {n_embd} is not a multiple of n_head = {n_head}")]
    UnevenHeads {
        /// C.
        n_embd: usize,
        /// H.
        n_head: usize,
    },
    /// LayerNorm would take the root of a negative number, or vanish.
    #[error("layer_norm_epsilon is {value}, not from 0 to below 1")]
    BadEpsilon {
        /// Its value.
        value: f32,
    },
    /// The tokens do not fit.
    #[error("{wanted} tokens do not fit into the context of {n_ctx}")]
    ContextFull {
        /// Tokens given.
        wanted: usize,
        /// Most the model takes.
        n_ctx: usize,
    },
    /// candle refused an operation.
    #[error("the tensor library refused an operation")]
    Tensor(#[from] candle_core::Error),
}

impl ModelError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadConfigJson {
                source: JsonError::Other { found },
            } => found.hint(),
            Self::BadConfigJson { .. } => "take the file from the model's own repository",
            Self::BadValue { .. } => {
                "correct the value, or take the file from the model's repository again"
            }
            Self::NotGpt2 { .. } => "take a gpt2 model",
            Self::UnsupportedOption { .. } => "use a model without this option",
            Self::OutOfRange { .. } | Self::UnevenHeads { .. } | Self::BadEpsilon { .. } => {
                "the configuration is damaged or not a GPT-2's: take it from the model's repository again"
            }
            Self::ContextFull { .. } => "shorten the text",
            Self::Tensor(_) => {
                "the checkpoint does not fit its configuration: take both from one model"
            }
        }
    }
}
