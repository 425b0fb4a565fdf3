//! `Scores`: the logits after a text, taken in piece by piece.

use std::sync::Arc;

use crate::infer::{Logits, Model, PREFILL_CHUNK, Session};
use crate::parallel::Threads;
use crate::tokenizer::Tokenizer;

use super::GenerateError;

/// What the model makes of a text that it is not to continue.
pub struct Scores {
    session: Session,
    token_ids: Vec<u32>,
}

impl Scores {
    /// Prepared to score `text` as it stands: no prefix is added. Nothing has run yet.
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

    /// Computes on these threads from now on; the scores are the same on any number.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.session = self.session.with_threads(threads);
        self
    }

    /// Takes in the next piece of the text. With the last one come the scores of the token after it: (V).
    ///
    /// # Errors
    /// [`GenerateError::Infer`] only if model and tokenizer do not belong together.
    ///
    /// # Panics
    /// If it is called again after the scores came.
    pub fn step(&mut self) -> Result<Option<Vec<f32>>, GenerateError> {
        let start = self.session.prompt_len();
        assert!(start < self.token_ids.len(), "the scores have come");
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
