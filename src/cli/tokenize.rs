//! `tokenize`: prints the tokens of a text.

use super::model::ModelArgs;
use super::{CliError, Output};
use crate::engine::EngineError;
use serde::Serialize;

/// Arguments of `tokenize`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The text
    #[arg(long)]
    text: String,
}

#[derive(Debug, Serialize)]
struct Tokens {
    token_ids: Vec<u32>,
    tokens: Vec<String>,
}

/// Prints the ids and the text of each token.
///
/// # Errors
/// [`CliError`] if the model cannot be opened.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let tokenizer = args.model.open_tokenizer()?;
    let token_ids = tokenizer
        .encode(&args.text)
        .map_err(EngineError::Tokenizer)?;
    let tokens = token_ids
        .iter()
        .map(|id| tokenizer.token_text(*id))
        .collect();
    output.print(&Tokens { token_ids, tokens }, |result| {
        let mut lines: Vec<String> = result
            .token_ids
            .iter()
            .zip(&result.tokens)
            .map(|(id, token)| format!("{id:>6}  {token:?}"))
            .collect();
        lines.push(format!("{} tokens", result.token_ids.len()));
        lines.join("\n")
    })
}
