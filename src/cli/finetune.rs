//! `finetune`: trains a model on posts, and writes the bot as a folder laid out like a repository of the Hub.

mod args;
mod base;
mod data;
mod folder;
mod training;

use super::clock::{drawn_seed, now_ms};
use super::status_line::StatusLine;
use super::{CliError, Output};
use crate::finetune::{FineTune, Keep};
use crate::trainer;
use crate::trainer::record::{Inputs, TrainRun};
pub use args::Args;
use base::Base;
use data::Data;
use folder::{BotFolder, How};
use serde::Serialize;
use training::Checkpoints;

/// The result of `finetune`.
#[derive(Debug, Serialize)]
struct Trained {
    steps: u32,
    first_loss: f32,
    last_loss: f32,
    tokens_per_second: f64,
    seed: u64,
    seconds: f64,
}

/// Trains, and writes the folder.
///
/// # Errors
/// [`CliError`] if a file cannot be read or written, the text is too short or the training fails.
pub fn run(args: &Args, output: Output) -> Result<(), CliError> {
    let seed = args.seed.unwrap_or_else(|| drawn_seed().into());
    let status = StatusLine::new(output);
    status.show(|| "reading the posts …".to_owned());
    let data = Data::read(args, seed)?;
    // A folder that cannot be written is refused before the work.
    let folder = BotFolder::create(&args.out, args.force)?;
    status.show(|| "reading the model …".to_owned());
    let mut base = Base::open(args.base.as_deref())?;
    let tokens = trainer::training::tokens(&base.model, &data.text)?;
    let params = args.params(seed);
    let threads = args.threads.start();
    let mut fine_tune =
        FineTune::new(&mut base.model.checkpoint, &params, tokens, threads.clone())?;
    if args.little_memory {
        fine_tune.set_keep(Keep::Input);
    }
    let inputs = Inputs {
        handles: &data.handles(),
        base_name: &base.name,
        dataset: &data.artifact,
        base: &base.artifact,
    };
    let mut run = TrainRun::begin(inputs, &fine_tune, now_ms());
    let checkpoints = args.checkpoint.as_ref().map(|path| Checkpoints {
        path: path.clone(),
        every: args.checkpoint_every,
    });
    let done = training::train(
        &mut fine_tune,
        &mut run,
        checkpoints.as_ref(),
        &status,
        now_ms,
    )?;
    status.show(|| "writing the bot …".to_owned());
    folder.write(
        fine_tune,
        &mut base,
        &data,
        run.record,
        How {
            dtype: args.dtype,
            float: args.float(),
            threads,
        },
        &status,
    )?;
    if let Some(checkpoints) = checkpoints {
        checkpoints.remove()?;
    }
    status.clear();
    let result = Trained {
        steps: done.steps,
        first_loss: done.first_loss,
        last_loss: done.last_loss,
        tokens_per_second: done.tokens_per_second,
        seed,
        seconds: done.seconds,
    };
    output.print(&result, |result| {
        format!(
            "{} steps in {:.0} s, {:.0} tokens per second, loss {:.3} to {:.3}, seed {}\n{}",
            result.steps,
            result.seconds,
            result.tokens_per_second,
            result.first_loss,
            result.last_loss,
            result.seed,
            args.out.display()
        )
    })
}
