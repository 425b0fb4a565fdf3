//! `Problem`: the failure that the page shows, and the buttons that can help.

use super::model_choice::ModelChoice;
use crate::protocol::{ErrorCode, ErrorReport};

/// The action of a button beside an error.
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

/// A failure that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The failure and its remedy, in words.
    pub report: ErrorReport,
    /// Buttons, the likeliest to help first.
    pub remedies: Vec<Remedy>,
    /// The model that is open all the same, where another could not be opened.
    pub stays: Option<String>,
}

/// The remedy of a failed load in the page's words: reports say what any caller of the worker can do, the page knows its
/// own buttons and where the model came from.
pub(super) fn remedy_here(report: &mut ErrorReport, choice: &ModelChoice) {
    let hint = match report.code {
        ErrorCode::Truncated | ErrorCode::NotAModel if choice.is_bundled() => {
            "reload the page: its model comes from the same place"
        }
        ErrorCode::Truncated if choice.is_picked() => {
            "get the file again from where it came from, then choose it here"
        }
        ErrorCode::Download if choice.is_picked() => {
            "check that the file is still on this device, then choose it again"
        }
        ErrorCode::Storage => {
            "delete models under Storage at the top, or close other tabs of this page, then load it again; bytes that \
             have arrived are kept"
        }
        _ => return,
    };
    hint.clone_into(&mut report.hint);
}

impl Problem {
    /// A failure without a button.
    pub(super) fn new(report: ErrorReport) -> Problem {
        Problem {
            report,
            remedies: Vec::new(),
            stays: None,
        }
    }
}
