//! `PageState`: what the page shows; `update(event)` and the visitor's actions are its only changes.
//!
//! Every action and every event gives back the [requests](crate::protocol::Request) that follow from it.
//! One job runs at a time. What cannot start yet (no model, another job) waits in one place, the last wish wins,
//! and starts as soon as it can. Time and seeds are handed in.

mod actions;
pub mod address;
pub mod direction;
mod events;
pub mod figures;
pub mod measuring;
pub mod model;
pub mod offer_words;
mod opening;
pub mod results;
pub mod settings;
mod view;

use crate::bot::Bot;
use crate::hub::Endpoint;
use crate::protocol::{ErrorReport, JobId};
use address::Address;
use measuring::{MeasureRun, Measured};
use model::{ModelChoice, ModelStatus};
use results::Desk;
use settings::Settings;

/// Prompts the original demo offered.
pub const EXAMPLE_PROMPTS: [&str; 5] = [
    "My dream is",
    "I want",
    "I like",
    "I don't like",
    "I think that",
];

/// Tweets per press of Generate, unless changed.
pub const DEFAULT_SEQUENCES: usize = 5;

/// New tokens that "continue" asks for, where the context has that much room.
const CONTINUE_TOKENS: usize = 40;

/// New tokens before which a continued text may not end again.
const CONTINUE_LEAST: usize = 8;

/// No token is longer, in bytes. A prompt longer than `n_ctx` of these cannot fit, whatever the tokenizer makes of it.
const LONGEST_TOKEN: usize = 1024;

/// Which of its states the whole page is in; written to `<html data-state>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The worker is not there yet.
    Starting,
    /// Nothing is loaded, nothing is going on.
    Idle,
    /// A model is on its way.
    Loading,
    /// A model waits for a prompt.
    Ready,
    /// Text is being written.
    Generating,
    /// The last load failed, or the worker ended.
    Failed,
}

impl Phase {
    /// Its name in `data-state`.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Idle => "idle",
            Phase::Loading => "loading",
            Phase::Ready => "ready",
            Phase::Generating => "generating",
            Phase::Failed => "failed",
        }
    }
}

/// What a button beside an error does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Load the same model again.
    RetryLoad,
    /// Take the model that comes with the page.
    UseBundled,
    /// Start a new worker.
    RestartWorker,
    /// Press Generate again.
    GenerateAgain,
    /// Put every setting back.
    ResetSettings,
}

/// A failure on show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What and what to do.
    pub report: ErrorReport,
    /// Buttons, the likeliest first.
    pub remedies: Vec<Remedy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WorkerStatus {
    Starting,
    Running,
    Ended,
}

/// Something to do, now or as soon as it can be.
#[derive(Debug, Clone, PartialEq)]
enum Task {
    /// Text.
    Write(Writing),
    /// The device's speed.
    Measure,
}

/// What to write.
#[derive(Debug, Clone, PartialEq)]
enum Writing {
    /// Fresh tweets for the open bot's prompt.
    Generate { seed: u32 },
    /// One tweet anew.
    Regenerate { slot: usize, seed: u32 },
    /// More text for one tweet.
    Continue { slot: usize, seed: u32 },
}

/// The job the worker has.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    job: JobId,
    /// Bot whose desk it writes on.
    bot: usize,
    /// Sequence `i` of the job is tweet `first_slot + i`.
    first_slot: usize,
    /// Prompt as it was sent.
    prompt: String,
    /// Whether it writes all tweets anew, so that a refusal leaves none.
    is_whole: bool,
    is_stopping: bool,
}

/// What the page shows, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct PageState {
    bots: Vec<Bot>,
    desks: Vec<Desk>,
    bot: usize,
    worker: WorkerStatus,
    /// The worker's memory after its last model was opened; 0 of a new one.
    worker_bytes: u64,
    /// Whether the page is to start a new worker in place of the one that runs.
    wants_worker: bool,
    bundled: ModelChoice,
    endpoint: Endpoint,
    /// Whole models on this device.
    kept: Vec<ModelChoice>,
    choice: ModelChoice,
    model: ModelStatus,
    settings: Settings,
    problem: Option<Problem>,
    notices: Vec<String>,
    run: Option<Run>,
    measure_run: Option<MeasureRun>,
    measured: Option<Box<Measured>>,
    queued: Option<Task>,
    last_job: JobId,
    was_stopped: bool,
}

impl PageState {
    /// The page as it opens: `bots` as the gallery has them (at least one), the model that comes with the page,
    /// and what the address asks for.
    ///
    /// `model`: the address's model with its absolute address, if it has one.
    ///
    /// # Panics
    /// If there is no bot.
    pub fn new(
        bots: Vec<Bot>,
        bundled: ModelChoice,
        address: &Address,
        model: Option<ModelChoice>,
    ) -> PageState {
        assert!(!bots.is_empty(), "the gallery has at least one bot");
        let desks = bots
            .iter()
            .map(|bot| Desk {
                prompt: first_prompt(bot),
                ..Desk::default()
            })
            .collect();
        let mut state = PageState {
            bots,
            desks,
            bot: 0,
            worker: WorkerStatus::Starting,
            worker_bytes: 0,
            wants_worker: false,
            choice: model.unwrap_or_else(|| bundled.clone()),
            bundled,
            endpoint: address.endpoint.clone(),
            kept: Vec::new(),
            model: ModelStatus::Absent,
            settings: Settings::default(),
            problem: None,
            notices: address.notices.clone(),
            run: None,
            measure_run: None,
            measured: None,
            queued: None,
            last_job: 0,
            was_stopped: false,
        };
        if let Some(repo) = &address.bot {
            match state.bot_index(repo) {
                Some(index) => state.bot = index,
                None => state.ask_for(repo),
            }
        }
        if let Some(text) = &address.text {
            state.desks[state.bot].prompt = text.clone();
        }
        let defaults = state.defaults();
        for (field, text) in &address.settings {
            state.settings.set(*field, text, &defaults);
        }
        state
    }
}

/// The prompt a bot's card proposes.
fn first_prompt(bot: &Bot) -> String {
    bot.card
        .widget
        .first()
        .cloned()
        .unwrap_or_else(|| EXAMPLE_PROMPTS[0].to_owned())
}
