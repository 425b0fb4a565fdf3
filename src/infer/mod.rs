//! `Session`: prefill and decode for n sequences on one prompt's keys and values.

use std::sync::Arc;

use crate::model::config::Gpt2Config;

/// A GPT-2 ready to run: configuration and packed weights. Shared by every [`Session`].
pub struct Model {
    /// The model's shape.
    pub config: Gpt2Config,
}

/// Why a forward pass was refused; nothing is appended then.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The tokens do not fit.
    #[error(
        "{wanted} tokens do not fit into the {capacity} this session was made for; shorten the prompt or ask for fewer new tokens"
    )]
    ContextFull {
        /// Tokens asked for.
        wanted: usize,
        /// Tokens there is room for.
        capacity: usize,
    },
    /// A token id outside the vocabulary.
    #[error(
        "token id {token_id} is outside the vocabulary of {vocab_size}; the tokenizer belongs to another model"
    )]
    TokenOutOfRange {
        /// The id.
        token_id: u32,
        /// V.
        vocab_size: usize,
    },
}

/// Keys, values and scratch space for up to n sequences that continue one prompt.
pub struct Session {
    model: Arc<Model>,
}

impl Session {
    /// Room for a prompt of `max_prompt` tokens and `max_new` further tokens of each of `n_sequences`.
    ///
    /// # Errors
    /// [`InferError::ContextFull`] if `max_prompt + max_new > n_ctx`.
    pub fn new(
        model: Arc<Model>,
        n_sequences: usize,
        max_prompt: usize,
        max_new: usize,
    ) -> Result<Self, InferError> {
        let _ = (n_sequences, max_prompt, max_new);
        Ok(Self { model })
    }

    /// Appends `tokens` (T) to the shared prompt. Several calls equal one call with all tokens.
    /// Gives the logits (V) after the last token if `Logits::Last`, else an empty slice.
    ///
    /// # Errors
    /// As [`InferError`].
    pub fn prefill(&mut self, tokens: &[u32], logits: Logits) -> Result<&[f32], InferError> {
        let _ = (tokens, logits, &self.model);
        Ok(&[])
    }

    /// Appends one token to each named sequence, `(sequence, token_id)`, distinct sequences below `n_sequences`.
    /// Gives the logits (n, V) in the order of `tokens`. The weights are read once for all of them.
    ///
    /// # Errors
    /// As [`InferError`].
    pub fn decode(&mut self, tokens: &[(usize, u32)]) -> Result<&[f32], InferError> {
        let _ = tokens;
        Ok(&[])
    }
}

/// Whether a pass over prompt tokens needs scores at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logits {
    /// Scores for the token after the last one.
    Last,
    /// None: more prompt follows.
    Skip,
}
