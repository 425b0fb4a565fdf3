//! `logits`: scores for the token after a prompt.

use super::model::ModelArgs;
use super::{CliError, Output};
use crate::engine::EngineError;
use crate::generate::{GenerateError, logits};
use crate::infer::{Logits, Session};
use serde::Serialize;
use std::sync::Arc;

/// Arguments of `logits`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Text before the scored token; no prefix is added
    #[arg(long)]
    prompt: String,
}

#[derive(Debug, Serialize)]
struct Scores {
    token_ids: Vec<u32>,
    logits: Vec<f32>,
}

/// Prints the scores; to people, the ten most probable tokens.
///
/// # Errors
/// [`CliError`] if the model cannot be opened or the prompt is empty or does not fit.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let open = args.model.open()?;
    let refused = |error: GenerateError| CliError::from(EngineError::Generate(error));
    open.tokenizer
        .check_length(&args.prompt, open.info.config.n_ctx)
        .map_err(|e| refused(e.into()))?;
    let token_ids = open
        .tokenizer
        .encode(&args.prompt)
        .map_err(|e| refused(e.into()))?;
    if token_ids.is_empty() {
        return Err(CliError::EmptyPrompt);
    }
    let mut session = Session::new(Arc::clone(&open.model), 1, token_ids.len(), 0)
        .map_err(|e| refused(e.into()))?;
    let logits = session
        .prefill(&token_ids, Logits::Last)
        .map_err(|e| refused(e.into()))?
        .to_vec();
    output.print(&Scores { token_ids, logits }, |scores| {
        let mut order: Vec<u32> = (0..).take(scores.logits.len()).collect();
        order.sort_by(|a, b| {
            scores.logits[*b as usize]
                .total_cmp(&scores.logits[*a as usize])
                .then(a.cmp(b))
        });
        let total = logits::log_sum_exp(&scores.logits);
        let mut lines = vec!["  logit  probability  token".to_owned()];
        for token_id in order.into_iter().take(10) {
            let logit = scores.logits[token_id as usize];
            let prob = (f64::from(logit) - total).exp() * 100.0;
            lines.push(format!(
                "{logit:7.2}  {prob:9.2} %  {token_id:>6} {:?}",
                open.tokenizer.token_text(token_id)
            ));
        }
        lines.join("\n")
    })
}
