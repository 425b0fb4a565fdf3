//! `Training`: a bot's training from its text on, a step at a time, with its record and samples.

use std::io::{Read, Write};

use super::message::{Prepared, TrainingPlan};
use super::record::{Inputs, TrainRun};
use crate::engine::{BaseModel, EngineError};
use crate::finetune::estimate::MemoryEstimate;
use crate::finetune::{FineTune, FineTuneError, Keep, StepReport};
use crate::generate::GenerateError;
use crate::generate::params::GenerationParams;
use crate::generate::sampler::{Sampler, SamplerScratch};
use crate::parallel::Threads;
use crate::posts::dataset::SEPARATOR;
use crate::runs::{Artifact, RunRecord};
use crate::tokenizer::{DecodeStream, Tokenizer};

/// Texts written on the way.
pub const N_SAMPLES: u32 = 5;
/// What they begin with.
pub const SAMPLE_PROMPT: &str = "My dream is";
/// Tokens of a sample, at most. Each costs a pass over all before it.
const SAMPLE_TOKENS: usize = 32;
/// A step's time as a multiple of its blocks' losses: the gradients take twice as long as the loss, the update is short.
const STEP_PER_LOSS: f64 = 3.1;

/// Why a training cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The training.
    #[error(transparent)]
    FineTune(#[from] FineTuneError),
    /// The base model, or a file of the bot.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A sample.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl TrainingError {
    /// The remedy.
    pub fn hint(&self) -> String {
        match self {
            Self::FineTune(source) => source.hint(),
            Self::Engine(source) => source.hint().into_owned(),
            Self::Generate(source) => source.hint().into_owned(),
        }
    }
}

/// The tokens of a training text. Where the model ends texts with another token, that one stands between posts.
///
/// # Errors
/// [`EngineError::Tokenizer`].
pub fn tokens(base: &BaseModel, text: &str) -> Result<Vec<u32>, EngineError> {
    let tokenizer = &base.tokenizer;
    let opening = base.config.opening_token();
    let has_separator = tokenizer.token_id(SEPARATOR).is_some();
    let encoded = match opening.filter(|_| !has_separator) {
        None => tokenizer.encode(text),
        Some(opening) => tokenizer.encode(&text.replace(SEPARATOR, &tokenizer.token_text(opening))),
    };
    encoded.map_err(EngineError::Tokenizer)
}

/// A training under way.
pub struct Training {
    pub(super) plan: TrainingPlan,
    pub(super) base: BaseModel,
    pub(super) fine_tune: FineTune,
    pub(super) run: TrainRun,
}

impl Training {
    /// The training of `base`, whose file is the artifact `base_file`, on `text`.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub fn begin(
        plan: TrainingPlan,
        text: &str,
        mut base: BaseModel,
        base_file: &Artifact,
        threads: Threads,
        now_ms: i64,
    ) -> Result<Self, TrainingError> {
        let tokens = tokens(&base, text)?;
        let mut fine_tune = FineTune::new(&mut base.checkpoint, &plan.params, tokens, threads)?;
        if plan.little_memory {
            fine_tune.set_keep(Keep::Input);
        }
        let handles: Vec<&str> = plan.handles.iter().map(String::as_str).collect();
        let inputs = Inputs {
            handles: &handles,
            base_name: &plan.base,
            dataset: &plan.dataset,
            base: base_file,
        };
        let run = TrainRun::begin(inputs, &fine_tune, now_ms);
        Ok(Self {
            plan,
            base,
            fine_tune,
            run,
        })
    }

    /// What it will take. `clock`: milliseconds.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub fn prepared(&self, clock: &dyn Fn() -> f64) -> Result<Prepared, TrainingError> {
        let params = self.fine_tune.params();
        let config = self.fine_tune.config();
        let keep = match self.plan.little_memory {
            true => Keep::Input,
            false => Keep::All,
        };
        let begun = clock();
        let block = self.fine_tune.first_block();
        self.fine_tune.evaluate(&block)?;
        let loss_seconds = (clock() - begun) / 1e3;
        Ok(Prepared {
            steps_done: self.fine_tune.steps_done(),
            n_steps: self.fine_tune.n_steps(),
            step_tokens: (block.len() * params.batch_size) as u64,
            memory_bytes: MemoryEstimate::new(config, params, keep).total(),
            step_seconds: STEP_PER_LOSS * loss_seconds * params.batch_size as f64,
        })
    }

    /// The training as it is.
    pub fn fine_tune(&self) -> &FineTune {
        &self.fine_tune
    }

    /// The record as it is.
    pub fn record(&self) -> &RunRecord {
        &self.run.record
    }

    /// Does a step. `clock`: milliseconds; `now_ms`: since 1970. Also the tokens per second since the training began or
    /// went on.
    ///
    /// # Errors
    /// [`FineTuneError`].
    pub fn step(
        &mut self,
        clock: &dyn Fn() -> f64,
        now_ms: i64,
    ) -> Result<(StepReport, f64), FineTuneError> {
        let begun = clock();
        let report = self.fine_tune.step()?;
        let speed = self.run.note(&report, (clock() - begun) / 1e3, now_ms);
        Ok((report, speed))
    }

    /// Ends it, after all steps or before.
    pub fn end(&mut self, now_ms: i64) {
        self.run.end(&self.fine_tune, now_ms);
    }

    /// The state after the last step as a stream of bytes.
    ///
    /// # Errors
    /// [`FineTuneError::Io`].
    pub fn write_checkpoint(&self, out: &mut dyn Write) -> Result<(), FineTuneError> {
        self.fine_tune.write_checkpoint(out)
    }

    /// Goes on from a checkpoint of this training, with the record that was kept with it.
    ///
    /// # Errors
    /// As [`FineTune::restore`].
    pub fn restore(
        &mut self,
        checkpoint: &mut dyn Read,
        record: Option<RunRecord>,
    ) -> Result<(), FineTuneError> {
        self.fine_tune.restore(checkpoint)?;
        if let Some(record) = record {
            self.run.resume(record, self.fine_tune.steps_done());
        }
        Ok(())
    }

    /// A short text as the bot writes it by now; `number` tells it from the others.
    ///
    /// # Errors
    /// [`TrainingError`].
    pub fn sample(&self, number: u32) -> Result<String, TrainingError> {
        let tokenizer = &self.base.tokenizer;
        let params = GenerationParams::default();
        let mut sampler = Sampler::new(&params, self.fine_tune.params().seed as u32, number);
        let mut scratch = SamplerScratch::default();
        let ends = &self.base.config.eos_token_ids;
        let mut ids = prompt_ids(&self.base, SAMPLE_PROMPT)?;
        let prompt_len = ids.len();
        while ids.len() < (prompt_len + SAMPLE_TOKENS).min(self.fine_tune.config().n_ctx) {
            let logits = self.fine_tune.next_logits(&ids)?;
            let token_id = sampler.draw(&logits, &mut scratch)?.token_id;
            if ends.contains(&token_id) {
                break;
            }
            ids.push(token_id);
        }
        let (prompt, new) = ids.split_at(prompt_len);
        Ok(text_of(tokenizer, prompt, new))
    }
}

/// The model's opening token and the prompt.
fn prompt_ids(base: &BaseModel, prompt: &str) -> Result<Vec<u32>, EngineError> {
    let opening = base.config.opening_token();
    let encoded = base
        .tokenizer
        .encode(prompt)
        .map_err(EngineError::Tokenizer)?;
    Ok(opening.into_iter().chain(encoded).collect())
}

/// The prompt and the tokens after it, as text.
fn text_of(tokenizer: &Tokenizer, prompt: &[u32], ids: &[u32]) -> String {
    let mut stream = DecodeStream::after(tokenizer, prompt);
    let mut text = SAMPLE_PROMPT.to_owned();
    for id in ids {
        text += &stream.push(tokenizer, *id);
    }
    text += &stream.finish(tokenizer);
    text
}
