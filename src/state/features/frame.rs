//! Changes by the host page of a frame: its settings, the options of one call, and a model that another frame closed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::frame_message::{Answer, GeneratedText};
use super::super::model::ModelStatus;
use super::super::settings::Settings;
use super::super::{Command, PageState};
use crate::generate::parameter::Parameter;
use crate::protocol::{ErrorCode, ErrorReport, GenerationParams};

impl PageState {
    /// Takes the settings of the host, by their names in the page's address; an empty text is the default.
    pub fn follow_host(&mut self, settings: &BTreeMap<String, String>) {
        for (name, text) in settings {
            match Parameter::from_address_name(name) {
                Some(parameter) if text.is_empty() => self.reset_parameter(parameter),
                Some(parameter) => self.set_parameter(parameter, text),
                None => {}
            }
        }
    }

    /// Takes the options of one call; gives back the settings before, for the time after the call. Names that no
    /// parameter has are ignored, as huggingtweets.js does.
    ///
    /// # Errors
    /// [`ErrorCode::BadParameters`] for a value that its parameter does not take; the settings are as before.
    pub fn take_options(&mut self, options: &Map<String, Value>) -> Result<Settings, ErrorReport> {
        let before = self.settings.clone();
        for parameter in Parameter::ALL {
            let Some(value) = options
                .get(parameter.name())
                .filter(|value| !value.is_null())
            else {
                continue;
            };
            let mut params = GenerationParams::default();
            if let Err(error) = parameter.read(value, &mut params) {
                self.settings = before;
                return Err(ErrorReport {
                    code: ErrorCode::BadParameters,
                    message: error.to_string(),
                    hint: "correct this option".to_owned(),
                    retryable: false,
                });
            }
            self.set_parameter(parameter, &parameter.text_of(&params));
        }
        Ok(before)
    }

    /// Puts the settings of before a call back.
    pub fn restore_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Whether the chosen model is neither open nor being loaded, and nothing has failed.
    pub fn needs_load(&self) -> bool {
        matches!(self.model.status, ModelStatus::Absent) && !self.worker.has_ended()
    }

    /// Whether texts are being written, or wait for a model.
    pub fn has_text_to_write(&self) -> bool {
        self.is_generating() || self.is_text_waiting() || self.paused().is_some()
    }

    /// The end of a call, once no text is left to write. `has_begun`: whether the run of the call began.
    pub fn answer(&self, has_begun: bool) -> Answer {
        if let Some(problem) = self.problem() {
            return Answer::Error(problem.report.clone());
        }
        if !has_begun || self.writing.was_stopped {
            return Answer::Error(ErrorReport {
                code: ErrorCode::Cancelled,
                message: "the call was stopped".to_owned(),
                hint: "call generate again".to_owned(),
                retryable: true,
            });
        }
        let tweets = self.texts().tweets.iter();
        Answer::Texts(
            tweets
                .map(|tweet| GeneratedText {
                    generated_text: tweet.generated_text(),
                })
                .collect(),
        )
    }

    /// Takes the news that the engine has closed this page's model for another's: the next text loads it again.
    pub(super) fn on_closed(&mut self) {
        if matches!(self.model.status, ModelStatus::Ready(_)) && !self.has_text_to_write() {
            self.model.status = ModelStatus::Absent;
            self.measuring.run = None;
        }
    }

    /// Takes the loss of the engine: what was being done fails, else a new engine takes its place.
    pub fn lose_engine(&mut self) -> Vec<Command> {
        if self.has_text_to_write() || self.loading().is_some() {
            self.on_crash(ErrorReport {
                code: ErrorCode::WorkerCrashed,
                message: "the part that runs the model was removed from the page".to_owned(),
                hint: "restart it; your text is still here".to_owned(),
                retryable: true,
            });
            return Vec::new();
        }
        self.restart_worker()
    }
}
