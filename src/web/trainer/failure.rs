//! `Failure`: why a training or its writing ended, in the words of the page.

use std::error::Error;
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

impl Failure {
    /// The device has no room for a training's files.
    fn full() -> Self {
        Self {
            message: "the browser has no more room for the training and its bot".to_owned(),
            hint: "free space under Storage, or elsewhere on this device, then try again"
                .to_owned(),
        }
    }
}

/// Whether the storage is full, by an error or a cause of it.
pub(super) fn is_full(error: &(dyn Error + 'static)) -> bool {
    if matches!(error.downcast_ref(), Some(WebError::StorageFull)) {
        return true;
    }
    let io_error = error.downcast_ref::<io::Error>();
    if io_error.is_some_and(|it| it.kind() == io::ErrorKind::StorageFull) {
        return true;
    }
    // The source of an error in an `io::Error` is that of the inner one.
    match io_error.and_then(io::Error::get_ref) {
        Some(inner) => is_full(inner),
        None => error.source().is_some_and(is_full),
    }
}

impl From<TrainingError> for Failure {
    fn from(error: TrainingError) -> Self {
        if is_full(&error) {
            return Self::full();
        }
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
        if is_full(&error) {
            return Self::full();
        }
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
