//! `TextScore`: how well a model predicts a text, in nats per token and bits per byte.

use std::sync::Arc;

use crate::infer::{Logits, Model, PREFILL_CHUNK, Session};
use crate::tokenizer::Tokenizer;

use super::error::GenerateError;
use crate::kernels::logits::log_sum_exp;

/// Sums over the tokens of a scored text.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TextScore {
    /// Tokens scored.
    pub tokens: usize,
    /// −ln of their probabilities, added up.
    pub nats: f64,
    /// UTF-8 bytes of the text.
    pub bytes: usize,
}

impl TextScore {
    /// Mean −ln probability of a token; its exponential is the perplexity. NaN without tokens.
    pub fn nats_per_token(&self) -> f64 {
        self.nats / self.tokens as f64
    }

    /// Bits per byte of text, comparable between tokenizers. NaN without bytes.
    pub fn bits_per_byte(&self) -> f64 {
        self.nats / std::f64::consts::LN_2 / self.bytes as f64
    }
}

impl std::ops::AddAssign for TextScore {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.nats += other.nats;
        self.bytes += other.bytes;
    }
}

/// The documents of a text, which are separated by blank lines; line breaks inside a document stay.
pub fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let last = documents.last_mut().expect("never empty");
        if !line.trim().is_empty() {
            if !last.is_empty() {
                last.push('\n');
            }
            last.push_str(line);
        } else if !last.is_empty() {
            documents.push(String::new());
        }
    }
    documents.retain(|document| !document.is_empty());
    documents
}

/// Scores every token of one document after the model's opening token; without such a token the document's first token
/// takes its place and has no score.
///
/// A document longer than the context is read in windows, each `stride` tokens after the one before;
/// each token is scored once, in the first window that reaches it. 1 ≤ `stride` ≤ n_ctx.
///
/// # Errors
/// [`GenerateError::BadParameter`] for a stride out of range, [`GenerateError::BrokenLogits`],
/// [`GenerateError::Tokenizer`], [`GenerateError::Infer`] if tokenizer and model do not belong together.
pub fn score_document(
    model: &Arc<Model>,
    tokenizer: &Tokenizer,
    document: &str,
    stride: usize,
) -> Result<TextScore, GenerateError> {
    let n_ctx = model.config.n_ctx;
    if !(1..=n_ctx).contains(&stride) {
        return Err(GenerateError::BadParameter {
            name: "stride",
            got: stride.to_string(),
            allowed: "at least 1 and at most the model's context".to_owned(),
        });
    }
    let mut ids: Vec<u32> = model.config.opening_token().into_iter().collect();
    ids.extend(tokenizer.encode(document)?);
    let mut score = TextScore {
        bytes: document.len(),
        ..TextScore::default()
    };
    // Targets are the ids after the first, of which `scored` have a score.
    let n_targets = ids.len().saturating_sub(1);
    let (mut begin, mut scored) = (0, 0);
    while scored < n_targets {
        let end = (begin + n_ctx).min(n_targets);
        let window = &ids[begin..end];
        let mut session = Session::new(Arc::clone(model), 1, window.len(), 0)?;
        // The last scored token is the context of the first new target.
        let (context, fresh) = window.split_at(scored - begin);
        session.prefill(context, Logits::Skip)?;
        for chunk in fresh.chunks(PREFILL_CHUNK) {
            let rows = session.prefill(chunk, Logits::All)?;
            for row in rows.chunks_exact(model.config.vocab_size) {
                let target = ids[scored + 1];
                let nats = log_sum_exp(row) - f64::from(row[target as usize]);
                if !nats.is_finite() {
                    return Err(GenerateError::BrokenLogits);
                }
                score.nats += nats;
                scored += 1;
            }
        }
        begin += stride;
    }
    score.tokens = n_targets;
    Ok(score)
}
