//! `generate`: writes continuations of a prompt.

use super::clock::drawn_seed;
use super::model::ModelArgs;
use super::notes::print_notices;
use super::params::ParamArgs;
use super::status_line::StatusLine;
use super::threads::ThreadArgs;
use super::{CliError, Output};
use crate::engine::EngineError;
use crate::generate::parameter::Parameter;
use crate::generate::{self, Generation, StepOutput};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Arguments of `generate`. The model's own parameters count where an option is left out.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Text to continue, exactly as given
    #[arg(long)]
    prompt: String,
    /// Draw nothing at random: the most probable token comes, or with --num-beams the most probable text
    #[arg(long)]
    greedy: bool,
    #[command(flatten)]
    params: ParamArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// One continuation, with the names the Python pipeline uses.
#[derive(Debug, Serialize)]
struct Generated {
    generated_text: String,
    token_ids: Vec<u32>,
}

/// Writes the texts.
///
/// # Errors
/// [`CliError`] if the model cannot be opened or refuses the parameters or the prompt.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let open = args.model.open()?;
    let defaults = &open.info.defaults;
    let mut params = defaults.clone();
    args.params.apply_to(&mut params)?;
    let vocab_size = open.model.config.vocab_size;
    print_notices(args.params.without_effect(vocab_size, &params));
    params.do_sample &= !args.greedy;
    if !args.params.has(Parameter::NumReturnSequences) {
        params.num_return_sequences = params.unasked_sequences(defaults);
    }
    let n = params.num_return_sequences;
    let seed = params.seed.unwrap_or_else(drawn_seed);
    let refused = |error: generate::GenerateError| CliError::from(EngineError::Generate(error));
    let mut generation = Generation::new(
        Arc::clone(&open.model),
        Arc::clone(&open.tokenizer),
        &args.prompt,
        &params,
        seed,
    )
    .map_err(refused)?
    .with_threads(args.threads.start());
    let mut texts: Vec<Option<Generated>> = (0..n).map(|_| None).collect();
    let status = StatusLine::new(output);
    let mut decode_time = Duration::ZERO;
    while !generation.is_done() {
        let (is_prefilling, started) = (generation.is_prefilling(), Instant::now());
        for output in generation.step().map_err(refused)? {
            if let StepOutput::Finished(finished) = output {
                texts[finished.sequence] = Some(Generated {
                    generated_text: finished.generated_text,
                    token_ids: finished.token_ids,
                });
            }
        }
        if !is_prefilling {
            decode_time += started.elapsed();
        }
        status.show(|| format!("{} tokens …", generation.new_tokens()));
    }
    status.clear();
    let texts: Vec<Generated> = texts.into_iter().flatten().collect();
    output.print(&texts, |texts| {
        let width = texts.len().to_string().len();
        let mut text = String::new();
        for (i, generated) in texts.iter().enumerate() {
            text.push_str(&format!(
                "{:>width$}  {}\n",
                i + 1,
                generated.generated_text.replace('\n', "\n   ")
            ));
        }
        // The first token of each text comes with the prompt pass.
        let decoded = generation.new_tokens().saturating_sub(texts.len());
        let speed = decoded as f64 / decode_time.as_secs_f64();
        text.push_str(&format!(
            "\n{} · {} new tokens",
            open.info.name,
            generation.new_tokens()
        ));
        if decoded > 0 {
            text.push_str(&format!(" at {speed:.0} per second"));
        }
        if params.do_sample {
            text.push_str(&format!(" · seed {seed}"));
        }
        text
    })
}
