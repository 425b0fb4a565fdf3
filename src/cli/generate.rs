//! `generate`: writes continuations of a prompt.

use super::model::ModelArgs;
use super::status_line::StatusLine;
use super::threads::ThreadArgs;
use super::{CliError, Output};
use crate::engine::EngineError;
use crate::generate::parameter::Parameter;
use crate::generate::{self, Generation, StepOutput};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Arguments of `generate`. The model's own parameters count where an option is left out.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Text to continue, exactly as given
    #[arg(long)]
    prompt: String,
    /// Number of texts, 1 to 10 [default: 5, or 1 with --greedy, whose texts are all the same]
    #[arg(long)]
    n: Option<usize>,
    #[arg(long, help = Parameter::MaxNewTokens.help())]
    max_new_tokens: Option<usize>,
    /// Always take the most probable token
    #[arg(long)]
    greedy: bool,
    #[arg(long, allow_negative_numbers = true, help = Parameter::Temperature.help())]
    temperature: Option<f32>,
    #[arg(long, help = Parameter::TopK.help())]
    top_k: Option<usize>,
    #[arg(long, allow_negative_numbers = true, help = Parameter::TopP.help())]
    top_p: Option<f32>,
    #[arg(long, allow_negative_numbers = true, help = Parameter::RepetitionPenalty.help())]
    repetition_penalty: Option<f32>,
    #[arg(long, help = Parameter::Prefix.help())]
    prefix: Option<String>,
    #[arg(long, help = Parameter::StopAtNewline.help())]
    stop_at_newline: bool,
    #[arg(long, help = Parameter::Seed.help())]
    seed: Option<u32>,
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
    let defaults = open.info.defaults.clone();
    let do_sample = !args.greedy && defaults.do_sample;
    let n = args.n.unwrap_or(if do_sample { 5 } else { 1 });
    let params = generate::params::GenerationParams {
        num_return_sequences: n,
        max_new_tokens: args.max_new_tokens.or(defaults.max_new_tokens),
        do_sample,
        temperature: args.temperature.unwrap_or(defaults.temperature),
        top_k: args.top_k.unwrap_or(defaults.top_k),
        top_p: args.top_p.unwrap_or(defaults.top_p),
        repetition_penalty: args
            .repetition_penalty
            .unwrap_or(defaults.repetition_penalty),
        prefix: args
            .prefix
            .clone()
            .unwrap_or_else(|| defaults.prefix.clone()),
        stop_at_newline: args.stop_at_newline,
        seed: args.seed,
        ..defaults
    };
    let seed = args.seed.unwrap_or_else(random_seed);
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

/// A seed from the clock, different from call to call.
fn random_seed() -> u32 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.subsec_nanos().rotate_left(16) ^ (now.as_secs() as u32) ^ std::process::id().rotate_left(24)
}
