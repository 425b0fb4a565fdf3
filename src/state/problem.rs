//! `Problem`: the failure that the page shows, and the buttons that can help.

use crate::protocol::ErrorReport;

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
}

impl Problem {
    /// A failure without a button.
    pub(super) fn new(report: ErrorReport) -> Problem {
        Problem {
            report,
            remedies: Vec::new(),
        }
    }
}
