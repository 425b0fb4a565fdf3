//! `perplexity`: measures how well a model predicts a text.

use super::error::read_file;
use super::model::ModelArgs;
use super::status_line::StatusLine;
use super::{CliError, Output};
use crate::engine::EngineError;
use crate::generate::perplexity::{TextScore, documents, score_document};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `perplexity`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Documents separated by blank lines, UTF-8
    #[arg(long, value_name = "FILE")]
    text_file: PathBuf,
    /// A document longer than the context is read in windows that start N tokens apart [default: half the context]
    #[arg(long, value_name = "N")]
    stride: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Perplexity {
    tokens: usize,
    nats_per_token: f64,
    bits_per_byte: f64,
}

/// Scores every document after `<|endoftext|>` and prints the means over all.
///
/// # Errors
/// [`CliError`] if the file is not a text or the model cannot be opened.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let text = String::from_utf8(read_file(&args.text_file)?).map_err(|_| CliError::NotUtf8 {
        path: args.text_file.clone(),
    })?;
    let documents = documents(&text);
    if documents.is_empty() {
        return Err(CliError::NoText {
            path: args.text_file.clone(),
        });
    }
    let open = args.model.open()?;
    let stride = args.stride.unwrap_or(open.info.config.n_ctx.div_ceil(2));
    let status = StatusLine::new(output);
    let mut sum = TextScore::default();
    for (done, document) in documents.iter().enumerate() {
        sum += score_document(&open.model, &open.tokenizer, document, stride)
            .map_err(EngineError::Generate)?;
        status.show(|| {
            format!(
                "{} of {} documents, {:.3} bits per byte …",
                done + 1,
                documents.len(),
                sum.bits_per_byte()
            )
        });
    }
    status.clear();
    let result = Perplexity {
        tokens: sum.tokens,
        nats_per_token: sum.nats_per_token(),
        bits_per_byte: sum.bits_per_byte(),
    };
    output.print(&result, |result| {
        format!(
            "{:.4} bits per byte, {:.4} nats per token, perplexity {:.2}\n{} documents, {} bytes, {} tokens",
            result.bits_per_byte,
            result.nats_per_token,
            result.nats_per_token.exp(),
            documents.len(),
            sum.bytes,
            result.tokens,
        )
    })
}
