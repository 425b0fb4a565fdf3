//! `Failure`: why a training or its writing ended, in the words of the page.

use std::io;

use crate::finetune::FineTuneError;
use crate::protocol::ErrorReport;
use crate::trainer::training::TrainingError;
use crate::web::shared::js_error::WebError;

/// A failure in the words of the page.
pub struct Failure {
    /// What happened.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

impl From<TrainingError> for Failure {
    fn from(error: TrainingError) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}

impl From<FineTuneError> for Failure {
    fn from(error: FineTuneError) -> Self {
        TrainingError::from(error).into()
    }
}

impl From<WebError> for Failure {
    fn from(error: WebError) -> Self {
        error.report().into()
    }
}

impl From<ErrorReport> for Failure {
    fn from(error: ErrorReport) -> Self {
        Self {
            message: error.message,
            hint: error.hint,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        FineTuneError::Io(error).into()
    }
}
