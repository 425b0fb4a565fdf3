//! `GenerateError`: why a text could not be continued, and the remedy.

use std::borrow::Cow;

use crate::infer::InferError;
use crate::json::JsonError;
use crate::tokenizer::TokenizerError;

use super::parameter::Parameter;
use super::params::GenerationParams;

/// Why a text could not be continued. Once the computation has begun, only the scores can be at fault:
/// [`GenerateError::BrokenLogits`], [`GenerateError::AllForbidden`], [`GenerateError::BadParameter`].
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A parameter out of range.
    #[error("`{name}` is {got}, which is out of range")]
    BadParameter {
        /// As in [`GenerationParams`].
        name: &'static str,
        /// The given value.
        got: String,
        /// The allowed values, in words.
        allowed: String,
    },
    /// `max_length` is more than the model's context.
    #[error("`max_length` is {max_length}, this model's context holds {n_ctx} tokens")]
    MaxLengthBeyondContext {
        /// The given value.
        max_length: usize,
        /// The model's context.
        n_ctx: usize,
    },
    /// Prompt and new tokens together are more than the model's context.
    #[error(
        "prompt ({prompt_tokens} tokens) and new text ({new_tokens}) need more than this model's context of {n_ctx} tokens"
    )]
    ContextOverflow {
        /// Tokens of prefix and prompt.
        prompt_tokens: usize,
        /// Requested new tokens.
        new_tokens: usize,
        /// The model's context.
        n_ctx: usize,
    },
    /// The prompt alone reaches `max_length`.
    #[error(
        "the prompt has {prompt_tokens} tokens, `max_length` of {max_length} leaves no room for new ones"
    )]
    NoRoom {
        /// Tokens of prefix and prompt.
        prompt_tokens: usize,
        /// The limit that was given.
        max_length: usize,
    },
    /// More sequences than a beam search finds.
    #[error("`num_return_sequences` is {num_return_sequences}, `num_beams` is {num_beams}")]
    FewBeams {
        /// The given beams.
        num_beams: usize,
        /// The given sequences.
        num_return_sequences: usize,
    },
    /// The parameters forbid every token.
    #[error("the settings forbid every token that could come next")]
    AllForbidden,
    /// The text has no token, and no prefix replaces it.
    #[error("the text is empty")]
    EmptyText,
    /// A file with defaults that cannot be read.
    #[error("`{file}` cannot be read: {source}")]
    Defaults {
        /// The file.
        file: &'static str,
        /// Place and cause.
        source: JsonError,
    },
    /// The model's scores are NaN or infinite.
    #[error("the model's scores are not finite numbers")]
    BrokenLogits,
    /// The prompt could not be tokenised.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The model refused the tokens.
    #[error(transparent)]
    Infer(#[from] InferError),
}

impl GenerateError {
    /// The error where a parameter, whose value 1 changes nothing, makes scores infinite.
    pub(super) fn too_strong(parameter: Parameter, params: &GenerationParams) -> Self {
        Self::BadParameter {
            name: parameter.name(),
            got: parameter.text_of(params),
            allowed: "closer to 1, because scores become infinite with this value".to_owned(),
        }
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::BadParameter { allowed, .. } => format!("it must be {allowed}").into(),
            Self::MaxLengthBeyondContext { n_ctx, .. } => {
                format!("set `max_length` to {} or less", n_ctx.saturating_add(1)).into()
            }
            Self::ContextOverflow { .. } => "shorten the prompt or lower `max_new_tokens`".into(),
            Self::NoRoom { .. } => "shorten the prompt or raise `max_length`".into(),
            Self::FewBeams { .. } => "raise `num_beams` or lower `num_return_sequences`".into(),
            Self::AllForbidden => {
                "loosen `no_repeat_ngram_size`, `bad_words_ids` or `suppress_tokens`".into()
            }
            Self::EmptyText => "give at least one character".into(),
            Self::Defaults { source, .. } => match source {
                JsonError::Other { found } => found.hint().into(),
                JsonError::List | JsonError::Malformed(_) => {
                    "take it from the model's repository again".into()
                }
            },
            Self::BrokenLogits => {
                "load the model again, its file is damaged or of another model".into()
            }
            Self::Tokenizer(error) => error.hint().into(),
            Self::Infer(error) => error.hint().into(),
        }
    }
}
