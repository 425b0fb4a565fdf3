//! Reads, changes and resets the settings, and makes the parameters of the next request.

use super::super::PageState;
use super::super::problem::{Problem, Remedy};
use super::super::settings::{self, SettingError, Settings};
use crate::generate::parameter::Parameter;
use crate::generate::params::DEFAULT_SEQUENCES;
use crate::protocol::{ErrorCode, ErrorReport, GenerationParams};

impl PageState {
    /// The settings as typed.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The values of unchanged settings: the open model's own parameters.
    pub fn defaults(&self) -> GenerationParams {
        settings::default_params(self.model_info().map(|info| &info.defaults))
    }

    /// How many tweets Generate writes; five where the settings cannot be used.
    pub fn n_wanted(&self) -> usize {
        let params = self.checked_params();
        params.map_or(DEFAULT_SEQUENCES, |params| params.num_return_sequences)
    }

    /// Why a setting cannot be used; `None` if it can.
    pub fn setting_error(&self, parameter: Parameter) -> Option<SettingError> {
        self.settings.error(parameter, self.n_ctx())
    }

    /// Takes the text that was typed into one setting.
    pub fn set_parameter(&mut self, parameter: Parameter, text: &str) {
        let defaults = self.defaults();
        self.settings.set(parameter, text, &defaults);
        self.forget_settings_problem();
    }

    /// Puts one setting back to its default.
    pub fn reset_parameter(&mut self, parameter: Parameter) {
        self.settings.reset(parameter);
        self.forget_settings_problem();
    }

    /// Puts all settings back to their defaults.
    pub fn reset_settings(&mut self) {
        self.settings.reset_all();
        self.forget_settings_problem();
    }

    fn forget_settings_problem(&mut self) {
        self.problem
            .take_if(|problem| problem.remedies.contains(&Remedy::ResetSettings));
    }

    /// The parameters to send.
    pub(super) fn checked_params(&self) -> Result<GenerationParams, SettingError> {
        self.settings.params(&self.defaults(), self.n_ctx())
    }

    pub(super) fn refuse_settings(&mut self, error: &SettingError) {
        self.problem = Some(Problem {
            report: ErrorReport {
                code: ErrorCode::BadParameters,
                message: format!("one setting cannot be used: {error}"),
                hint: "correct it in the settings, or reset all settings".to_owned(),
                retryable: false,
            },
            remedies: vec![Remedy::ResetSettings],
            stays: None,
        });
    }
}
