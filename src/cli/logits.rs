//! `logits`: prints the scores of the tokens that could follow a prompt.

use super::model::ModelArgs;
use super::{CliError, Output};
use crate::engine::EngineError;
use crate::generate::GenerateError;
use crate::generate::next_logits::NextLogits;
use crate::kernels::logits;
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
struct Printed {
    token_ids: Vec<u32>,
    logits: Vec<f32>,
}

/// Prints all scores as JSON, or the ten most probable tokens as text.
///
/// # Errors
/// [`CliError`] if the model cannot be opened or the prompt is empty or does not fit.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let open = args.model.open()?;
    let refused = |error: GenerateError| CliError::from(EngineError::Generate(error));
    let mut next =
        NextLogits::new(Arc::clone(&open.model), &open.tokenizer, &args.prompt).map_err(refused)?;
    let logits = loop {
        if let Some(logits) = next.step().map_err(refused)? {
            break logits;
        }
    };
    let token_ids = next.token_ids().to_vec();
    output.print(&Printed { token_ids, logits }, |scores| {
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
