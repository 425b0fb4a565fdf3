//! Derives the state of the whole page, as a `Phase` and as a sentence, from the states of its features.

use super::super::model::ModelStatus;
use super::super::wording;
use super::super::{PageState, Phase};

impl PageState {
    /// The state of the whole page.
    pub fn phase(&self) -> Phase {
        if self.is_generating() {
            return Phase::Generating;
        }
        match &self.model.status {
            _ if self.worker.has_ended() => Phase::Failed,
            ModelStatus::Failed(_) => Phase::Failed,
            ModelStatus::Loading(_) => Phase::Loading,
            _ if self.worker.is_starting() => Phase::Starting,
            ModelStatus::Absent | ModelStatus::Paused(_) => Phase::Idle,
            ModelStatus::Ready(_) => Phase::Ready,
        }
    }

    /// A sentence about the state of the page; it changes rarely enough for a screen reader to announce.
    pub fn status(&self) -> String {
        match self.phase() {
            Phase::Starting | Phase::Idle => match self.paused() {
                Some(paused) => format!("{}.", paused.text()),
                None => self.first_load_text(),
            },
            Phase::Loading => format!("Loading {}.", wording::isolated(&self.choice().name)),
            Phase::Generating => match self.gallery.n_unfinished() {
                1 => "Writing one tweet.".to_owned(),
                n => format!("Writing {n} tweets."),
            },
            Phase::Failed => "Something went wrong.".to_owned(),
            Phase::Ready if self.measuring.run.is_some() => "Measuring this device.".to_owned(),
            Phase::Ready if self.writing.was_stopped => {
                "Stopped. The text so far stays.".to_owned()
            }
            Phase::Ready => match self.texts().tweets.len() {
                0 => "Ready.".to_owned(),
                n => format!("Done: {}.", wording::plural(n, "tweet", "tweets")),
            },
        }
    }

    /// The step that Generate takes before it writes: opening the model, or downloading it.
    fn first_load_text(&self) -> String {
        let choice = self.choice();
        let is_here = choice.is_picked() || self.is_stored(&choice.model);
        match choice.size_bytes {
            _ if is_here => "Generate opens the model first.".to_owned(),
            Some(size) => format!(
                "The first time, Generate downloads {}.",
                wording::bytes(size)
            ),
            None => "The first time, Generate downloads the model.".to_owned(),
        }
    }
}
