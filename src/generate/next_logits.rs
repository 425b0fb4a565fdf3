//! `NextLogits`: the logits of the token after a text, computed piece by piece.

use std::sync::Arc;

use crate::infer::{Logits, Mix, Model, PREFILL_CHUNK, Session};
use crate::parallel::Threads;
use crate::tokenizer::Tokenizer;

use super::error::GenerateError;

/// The logits of the token after a text.
pub struct NextLogits {
    session: Session,
    token_ids: Vec<u32>,
}

impl NextLogits {
    /// Prepares to score `text`, to which no prefix is added. Nothing is computed yet.
    ///
    /// # Errors
    /// [`GenerateError::EmptyText`] if it has no token; [`GenerateError::Tokenizer`];
    /// [`GenerateError::Infer`] if it does not fit the context or the memory.
    pub fn new(
        model: Arc<Model>,
        tokenizer: &Tokenizer,
        text: &str,
    ) -> Result<Self, GenerateError> {
        tokenizer.check_length(text, model.config.n_ctx)?;
        let token_ids = tokenizer.encode(text)?;
        if token_ids.is_empty() {
            return Err(GenerateError::EmptyText);
        }
        let session = Session::new(model, 1, token_ids.len(), 0)?;
        Ok(Self { session, token_ids })
    }

    /// Sets the threads; the logits do not depend on their number.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.session = self.session.with_threads(threads);
        self
    }

    /// Computes with adapters of the model.
    #[must_use]
    pub fn with_adapters(mut self, adapters: Mix) -> Self {
        self.session = self.session.with_adapters(adapters);
        self
    }

    /// Computes the next piece of the text. The last piece returns the logits of the token after it: (V).
    ///
    /// # Errors
    /// [`GenerateError::Infer`] only if model and tokenizer do not belong together.
    ///
    /// # Panics
    /// If it is called after it has returned the logits.
    pub fn step(&mut self) -> Result<Option<Vec<f32>>, GenerateError> {
        let start = self.session.prompt_len();
        assert!(start < self.token_ids.len(), "the logits were returned");
        let end = (start + PREFILL_CHUNK).min(self.token_ids.len());
        let is_last = end == self.token_ids.len();
        let wanted = if is_last { Logits::Last } else { Logits::Skip };
        let logits = self.session.prefill(&self.token_ids[start..end], wanted)?;
        Ok(is_last.then(|| logits.to_vec()))
    }

    /// The text's tokens.
    pub fn token_ids(&self) -> &[u32] {
        &self.token_ids
    }
}
