//! `Quality`: how well a model expects a fixed text, which shows what smaller weights cost.

use super::CliError;
use super::model;
use crate::engine::EngineError;
use crate::generate::perplexity::{Score, documents, score_document};
use serde::Serialize;
use std::path::Path;

/// Passages of plays, in the public domain; the bundled model has not been trained on them.
const TEXT: &str = include_str!("../../tests/fixtures/held_out/held_out.txt");
/// So many passages are scored: 5,396 bytes, seconds for a GPT-2 of 124M.
const N_DOCUMENTS: usize = 40;

/// What a model makes of the text.
#[derive(Debug, Clone, Serialize)]
pub struct Quality {
    /// Type of most weights, as in `q8_0`.
    pub dtype: String,
    /// Mean −ln probability of a token.
    pub nats_per_token: f64,
    /// Bits the model needs per byte.
    pub bits_per_byte: f64,
}

impl Quality {
    /// Of the model at `path`, with the weights as they are stored.
    ///
    /// # Errors
    /// As [`ModelArgs::open`](model::ModelArgs::open); [`CliError::Engine`] if the model gives no numbers.
    pub fn of(path: &Path) -> Result<Self, CliError> {
        let open = model::open(path)?;
        let stride = open.info.config.n_ctx.div_ceil(2);
        let mut sum = Score::default();
        for document in documents(TEXT).iter().take(N_DOCUMENTS) {
            sum += score_document(&open.model, &open.tokenizer, document, stride)
                .map_err(EngineError::Generate)?;
        }
        Ok(Self {
            dtype: open.info.dtype,
            nats_per_token: sum.nats_per_token(),
            bits_per_byte: sum.bits_per_byte(),
        })
    }

    /// Exponential of the mean.
    pub fn perplexity(&self) -> f64 {
        self.nats_per_token.exp()
    }
}
