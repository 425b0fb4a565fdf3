//! What the page reads from its state.

use super::figures;
use super::measuring::{Measured, Measuring};
use super::model::{Loading, ModelChoice, ModelStatus, Paused};
use super::results::Desk;
use super::settings::{Field, FieldError, Settings};
use super::{DEFAULT_SEQUENCES, PageState, Phase, Problem, Task, WorkerStatus};
use crate::bot::Bot;
use crate::protocol::{GenerationParams, ModelInfo};

impl PageState {
    /// Every bot of the gallery.
    pub fn bots(&self) -> &[Bot] {
        &self.bots
    }

    /// The open bot.
    pub fn bot(&self) -> &Bot {
        &self.bots[self.bot]
    }

    /// Its place in the gallery.
    pub fn selected(&self) -> usize {
        self.bot
    }

    /// Its prompt and tweets.
    pub fn desk(&self) -> &Desk {
        &self.desks[self.bot]
    }

    /// The model that speaks, or will.
    pub fn choice(&self) -> &ModelChoice {
        &self.choice
    }

    /// How far it is.
    pub fn model(&self) -> &ModelStatus {
        &self.model
    }

    /// The open model, if there is one.
    pub fn model_info(&self) -> Option<&ModelInfo> {
        match &self.model {
            ModelStatus::Ready(info) => Some(info),
            _ => None,
        }
    }

    /// The load that is going on, if there is one.
    pub fn loading(&self) -> Option<&Loading> {
        match &self.model {
            ModelStatus::Loading(loading) => Some(loading),
            _ => None,
        }
    }

    /// Whether there is a download that can be stopped for a while and go on there.
    pub fn can_pause(&self) -> bool {
        let loading = self.loading();
        let is_downloading =
            loading.is_some_and(|loading| loading.downloaded().is_some() && !loading.is_pausing);
        is_downloading && self.choice.is_kept()
    }

    /// The download that waits for the visitor, if there is one.
    pub fn paused(&self) -> Option<&Paused> {
        match &self.model {
            ModelStatus::Paused(paused) => Some(paused),
            _ => None,
        }
    }

    /// The failure to show, if there is one.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Plain remarks, such as what was left out of the address.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The settings as typed.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the settings are compared with: the open model's own parameters, and five tweets.
    pub fn defaults(&self) -> GenerationParams {
        let own = self
            .model_info()
            .map(|info| info.defaults.clone())
            .unwrap_or_default();
        GenerationParams {
            num_return_sequences: DEFAULT_SEQUENCES,
            seed: None,
            ..own
        }
    }

    /// Context length of the open model.
    pub fn n_ctx(&self) -> Option<usize> {
        self.model_info().map(|info| info.config.n_ctx)
    }

    /// What is wrong with one setting.
    pub fn setting_error(&self, field: Field) -> Option<FieldError> {
        self.settings.error(field, self.n_ctx())
    }

    /// Which state the whole page is in.
    pub fn phase(&self) -> Phase {
        if self.run.is_some() {
            return Phase::Generating;
        }
        match (&self.model, self.worker) {
            (_, WorkerStatus::Ended) | (ModelStatus::Failed(_), _) => Phase::Failed,
            (ModelStatus::Loading(_), _) => Phase::Loading,
            (_, WorkerStatus::Starting) => Phase::Starting,
            (ModelStatus::Absent | ModelStatus::Paused(_), _) => Phase::Idle,
            (ModelStatus::Ready(_), _) => Phase::Ready,
        }
    }

    /// Whether text is being written.
    pub fn is_generating(&self) -> bool {
        self.run.is_some()
    }

    /// Whether something waits to be written once the model is there.
    pub fn is_queued(&self) -> bool {
        !matches!(self.queued, None | Some(Task::Measure))
    }

    /// How far the device's measurement is.
    pub fn measuring(&self) -> Measuring {
        match (&self.measure_run, &self.queued) {
            (Some(run), _) => Measuring::Running {
                fraction: run.fraction,
                part: run.part,
                is_stopping: run.is_stopping,
            },
            (None, Some(Task::Measure)) => match self.loading() {
                Some(loading) => Measuring::Waiting {
                    text: format!("Loading {}: {}", self.choice.name, loading.text()),
                    fraction: loading.fraction(),
                },
                None => Measuring::Waiting {
                    text: "Waiting for the text that is being written".to_owned(),
                    fraction: None,
                },
            },
            (None, _) => Measuring::Idle,
        }
    }

    /// What the last whole measurement found.
    pub fn measured(&self) -> Option<&Measured> {
        self.measured.as_deref()
    }

    /// One calm sentence on what is going on; changes rarely enough to be read aloud.
    pub fn status(&self) -> String {
        match self.phase() {
            Phase::Starting => "Starting.".to_owned(),
            Phase::Idle => match (self.paused(), self.choice.size_bytes) {
                (Some(paused), _) => format!("{}.", paused.text()),
                (None, Some(size)) => {
                    format!("Generate first loads the model, {}.", figures::bytes(size))
                }
                (None, None) => "Generate first loads the model.".to_owned(),
            },
            Phase::Loading => format!("Loading {}.", self.choice.name),
            Phase::Generating => match self.open_tweets() {
                1 => "Writing one tweet.".to_owned(),
                n => format!("Writing {n} tweets."),
            },
            Phase::Failed => "Something went wrong.".to_owned(),
            Phase::Ready if self.measure_run.is_some() => "Measuring this device.".to_owned(),
            Phase::Ready if self.was_stopped => "Stopped. What was written stays.".to_owned(),
            Phase::Ready => match self.desk().results.len() {
                0 => "Ready.".to_owned(),
                n => format!("Done: {}.", figures::plural(n, "tweet", "tweets")),
            },
        }
    }

    fn open_tweets(&self) -> usize {
        self.desks
            .iter()
            .flat_map(|desk| &desk.results)
            .filter(|tweet| tweet.is_open())
            .count()
    }

    /// Room that a finished tweet has left in the model's context, in tokens.
    pub fn room(&self, slot: usize) -> Option<usize> {
        let tweet = self.desk().results.get(slot)?;
        Some(self.n_ctx()?.saturating_sub(tweet.context_tokens?))
    }

    /// Whether "continue" can do something for this tweet.
    pub fn can_continue(&self, slot: usize) -> bool {
        self.run.is_none() && self.room(slot).is_some_and(|room| room > 0)
    }
}
