//! `Quality`: how well a model predicts a fixed text; the difference between two files of a model is the cost of
//! smaller weights.

use super::CliError;
use super::local_model::LocalModel;
use super::model;
use crate::engine::EngineError;
use crate::generate::perplexity::{TextScore, documents, score_document};
use serde::Serialize;

/// Passages of plays, in the public domain; the bundled model has not been trained on them.
const TEXT: &str = include_str!("../../tests/fixtures/held_out/held_out.txt");
/// Number of passages that are scored: 5,396 bytes, seconds for a GPT-2 of 124M.
const N_DOCUMENTS: usize = 40;

/// The score of a model on the text.
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
    /// The score of a model, with the weights in the types they are stored in.
    ///
    /// # Errors
    /// As [`model::open`]; [`CliError::Engine`] if the model's scores are not finite.
    pub fn of(model: &LocalModel) -> Result<Self, CliError> {
        let open = model::open(model)?;
        let stride = open.info.config.n_ctx.div_ceil(2);
        let mut sum = TextScore::default();
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

    /// The perplexity: the exponential of the mean.
    pub fn perplexity(&self) -> f64 {
        self.nats_per_token.exp()
    }
}
