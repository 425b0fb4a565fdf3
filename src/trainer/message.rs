//! The messages between the page and the trainer's worker.
//!
//! Beside [`Request::Prepare`] are blobs: `text`, the training text, `base`, the base model as GGUF, and where the page can
//! draw it `preview`, a picture as PNG. Beside [`Event::Done`] is the bot as GGUF and beside [`Event::Packed`] the zip, as
//! `blob`.

use serde::{Deserialize, Serialize};

use super::trained::TrainedBot;
use crate::finetune::{FineTuneParams, StepReport};
use crate::hub::Dtype;
use crate::runs::{Artifact, RunRecord};

/// What the page asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Read the base model and the text, and go on from a checkpoint if there is one of the same training.
    Prepare {
        /// The training.
        plan: Box<TrainingPlan>,
        /// Milliseconds since 1970.
        now_ms: i64,
    },
    /// Do steps until all are done.
    Train,
    /// Do no more steps until [`Request::Train`]; the state is kept.
    Pause,
    /// Do no more steps and make the bot of what was learnt.
    Finish,
    /// Give out the files of a trained bot in one zip.
    Pack {
        /// The name of the bot's folder.
        bot: String,
    },
    /// Give out this site with a trained bot as its first, in one zip.
    PackSite {
        /// The name of the bot's folder.
        bot: String,
        /// The address of the site's folder.
        folder_url: String,
    },
}

/// A training as the visitor wants it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingPlan {
    /// The name of the bot's folder.
    pub bot: String,
    /// In the order of import.
    pub handles: Vec<String>,
    /// The name of the base model.
    pub base: String,
    /// The figures.
    pub params: FineTuneParams,
    /// Take less memory and a third more time.
    pub little_memory: bool,
    /// Type of the GGUF's matrices.
    pub dtype: Dtype,
    /// The training text.
    pub dataset: Artifact,
    /// The run that made it.
    pub preprocess: Option<RunRecord>,
    /// The card of the trained bot, in Markdown.
    pub card: String,
}

/// What the worker tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The worker takes requests.
    Started {
        /// Threads that compute.
        threads: usize,
    },
    /// The training can begin, or go on.
    Prepared(Prepared),
    /// A step was done.
    Step {
        /// The step.
        report: StepReport,
        /// Since the training began or went on.
        tokens_per_second: f64,
        /// Memory of the worker.
        memory_bytes: u64,
    },
    /// Texts as the bot writes them by now.
    Samples {
        /// After this step.
        step: u32,
        /// The texts.
        texts: Vec<String>,
    },
    /// No more steps are done until [`Request::Train`].
    Paused,
    /// The state could not be kept; the training goes on.
    NotKept {
        /// Why.
        reason: String,
    },
    /// The files of an earlier bot are replaced from now on: it is there no longer.
    Replacing,
    /// The bot's files are written; then it writes texts, which are compared with its posts.
    Writing {
        /// Texts that are compared.
        texts: u32,
    },
    /// The bot is there.
    Done {
        /// The bot.
        bot: Box<TrainedBot>,
        /// Whether the files are kept; else they are gone with the worker.
        is_kept: bool,
    },
    /// The zip that was asked for is beside the event.
    Packed {
        /// A name for it.
        name: String,
    },
    /// The zip that was asked for could not be made; the bot's files stay.
    NotPacked {
        /// What happened.
        message: String,
        /// The remedy.
        hint: String,
    },
    /// The bot's files could not be written; [`Request::Finish`] tries it again.
    NotFinished {
        /// What is there to go on with.
        left: Left,
        /// What happened.
        message: String,
        /// The remedy.
        hint: String,
    },
    /// It failed. What is kept of the training stays.
    Failed {
        /// What happened.
        message: String,
        /// The remedy.
        hint: String,
    },
}

/// What is left of a training whose bot could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// The training as it was before, paused.
    Training,
    /// The bot's weights in their files. The memory of the training was given back, so that no more steps follow.
    Weights,
}

/// What a training will take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Steps that a checkpoint has done.
    pub steps_done: u32,
    /// Steps in all.
    pub n_steps: u32,
    /// Tokens of a step.
    pub step_tokens: u64,
    /// Bytes of memory, by calculation.
    pub memory_bytes: u64,
    /// Seconds per step, by one block's loss.
    pub step_seconds: f64,
}
