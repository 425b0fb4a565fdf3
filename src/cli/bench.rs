//! `bench`: how fast this machine runs a model.

use super::model::ModelArgs;
use super::threads::ThreadArgs;
use super::{CliError, Output};
use crate::engine::{EngineError, OpenModel};
use crate::generate::Generation;
use crate::generate::params::GenerationParams;
use crate::kernels;
use crate::parallel::Threads;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Each figure is the median of this many runs.
const RUNS: usize = 5;
/// Prompt and new tokens of a run, where the context holds them.
const LENGTH: usize = 64;

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
    threads: usize,
}

/// Measures whole generations, sampling included, as the page does.
///
/// # Errors
/// [`CliError`] if the model cannot be opened.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let open = args.model.open()?;
    let length = LENGTH.min(open.info.config.n_ctx / 2);
    let threads = args.threads.start();
    let one = measure(&open, &threads, length, 1)?;
    let five = measure(&open, &threads, length, 5)?;
    let result = Bench {
        prefill_tokens_per_second: one.prefill.median,
        decode_tokens_per_second: one.decode.median,
        batch5_tokens_per_second: five.decode.median,
        threads: threads.count(),
    };
    output.print(&result, |_| {
        let line = |what: &str, speed: &Speed| {
            format!(
                "{what:<22} {:8.1} tokens per second  ({:.1} to {:.1})",
                speed.median, speed.least, speed.most
            )
        };
        [
            format!(
                "{} · {} · {} kernels, {} thread{}",
                open.info.name,
                open.info.dtype,
                kernels::simd(),
                threads.count(),
                if threads.count() == 1 { "" } else { "s" },
            ),
            line(&format!("prefill, {length} tokens"), &one.prefill),
            line("decode, one text", &one.decode),
            line("decode, five texts", &five.decode),
            format!("median of {RUNS} runs of {length} prompt and {length} new tokens"),
        ]
        .join("\n")
    })
}

struct Measured {
    prefill: Speed,
    decode: Speed,
}

/// Tokens per second over the runs.
struct Speed {
    median: f64,
    least: f64,
    most: f64,
}

impl Speed {
    fn of(mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        Self {
            median: runs[runs.len() / 2],
            least: runs[0],
            most: runs[runs.len() - 1],
        }
    }
}

fn measure(
    open: &OpenModel,
    threads: &Threads,
    length: usize,
    sequences: usize,
) -> Result<Measured, CliError> {
    // `min_length` forbids the end of text, so every run has the same number of tokens.
    let params = GenerationParams {
        max_new_tokens: Some(length),
        min_length: usize::MAX,
        num_return_sequences: sequences,
        seed: Some(1),
        ..GenerationParams::default()
    };
    let tokens = |text: &str| {
        open.tokenizer
            .encode(text)
            .map(|ids| ids.len())
            .map_err(EngineError::Tokenizer)
    };
    // Any text will do; a vocabulary may lack the space.
    let word = if tokens(" a").is_ok() { " a" } else { "a" };
    // The prefix is one token where the model has it; what counts is what the generation itself counts.
    let mut prompt = String::new();
    while tokens(&format!("{}{prompt}{word}", params.prefix))? <= length {
        prompt.push_str(word);
    }
    let (mut prefill, mut decode) = (Vec::new(), Vec::new());
    for _ in 0..=RUNS {
        let (model, tokenizer) = (Arc::clone(&open.model), Arc::clone(&open.tokenizer));
        let mut generation = Generation::new(model, tokenizer, &prompt, &params, 1)
            .map_err(EngineError::Generate)?
            .with_threads(threads.clone());
        let mut elapsed = [Duration::ZERO; 2];
        while !generation.is_done() {
            let phase = usize::from(!generation.is_prefilling());
            let started = Instant::now();
            generation.step().map_err(EngineError::Generate)?;
            elapsed[phase] += started.elapsed();
        }
        prefill.push(generation.prompt_tokens() as f64 / elapsed[0].as_secs_f64());
        // The first token of each text comes with the prompt pass.
        let decoded = generation.new_tokens() - sequences;
        decode.push(decoded as f64 / elapsed[1].as_secs_f64());
    }
    // The first run warms the caches.
    Ok(Measured {
        prefill: Speed::of(prefill.split_off(1)),
        decode: Speed::of(decode.split_off(1)),
    })
}
