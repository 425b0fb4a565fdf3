//! `bench`: measures how fast this machine runs a model.

use super::model::ModelArgs;
use super::threads::ThreadArgs;
use super::{CliError, Output};
use crate::engine::EngineError;
use crate::engine::measurement::Measurement;
use crate::protocol::Spread;
use serde::Serialize;
use std::time::Instant;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

#[derive(Debug, Serialize)]
struct Bench {
    prefill_tokens_per_second: f64,
    decode_tokens_per_second: f64,
    batch5_tokens_per_second: f64,
    /// Bytes of weights that a plain sum on one thread reads.
    sum_bytes_per_second: f64,
    /// Bytes of weights that decoding one text reads.
    decode_bytes_per_second: f64,
    threads: usize,
}

/// Measures whole generations, sampling included, as the page does.
///
/// # Errors
/// [`CliError`] if the model cannot be opened.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let open = args.model.open()?;
    let refused = |error| CliError::from(EngineError::Generate(error));
    let mut measurement =
        Measurement::new(&open, args.threads.start(), f64::INFINITY).map_err(refused)?;
    let start = Instant::now();
    let clock = || start.elapsed().as_secs_f64() * 1000.0;
    let speeds = loop {
        if let Some(speeds) = measurement.step(&clock).map_err(refused)? {
            break speeds;
        }
    };
    let result = Bench {
        prefill_tokens_per_second: speeds.prefill.median,
        decode_tokens_per_second: speeds.decode.median,
        batch5_tokens_per_second: speeds.batch5.median,
        sum_bytes_per_second: speeds.sum_bytes.median,
        decode_bytes_per_second: speeds.decode_bytes_per_second(),
        threads: speeds.threads,
    };
    output.print(&result, |result| {
        let line = |what: &str, unit: &str, figure: Spread, scale: f64| {
            format!(
                "{what:<22} {:8.1} {unit} per second  ({:.1} to {:.1})",
                figure.median / scale,
                figure.least / scale,
                figure.most / scale
            )
        };
        let prefill = format!("prefill, {} tokens", speeds.prompt_tokens);
        [
            format!(
                "{} · {} · {} kernels, {} thread{}",
                open.info.name,
                open.info.dtype,
                speeds.simd,
                speeds.threads,
                if speeds.threads == 1 { "" } else { "s" },
            ),
            line(&prefill, "tokens", speeds.prefill, 1.0),
            line("decode, one text", "tokens", speeds.decode, 1.0),
            line("decode, five texts", "tokens", speeds.batch5, 1.0),
            line("plain sum of weights", "GB", speeds.sum_bytes, 1e9),
            format!(
                "decoding one text reads {:.1} GB of weights per second, {:.0} % of the plain sum",
                result.decode_bytes_per_second / 1e9,
                100.0 * result.decode_bytes_per_second / result.sum_bytes_per_second
            ),
            format!(
                "median of {} rounds of {} prompt and {} new tokens",
                speeds.rounds, speeds.prompt_tokens, speeds.new_tokens
            ),
        ]
        .join("\n")
    })
}
