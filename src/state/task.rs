//! `Task`: work for the open model; a task that cannot start yet waits for the model or for the job that runs.

use super::writing::Writing;

/// Work for the open model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task {
    /// Write text.
    Write(Writing),
    /// Measure the device's speed.
    Measure,
}

impl Task {
    /// Whether the task rewrites or continues a single tweet of the open bot.
    pub(super) fn is_for_one_tweet(&self) -> bool {
        matches!(
            self,
            Task::Write(Writing::Regenerate { .. } | Writing::Continue { .. })
        )
    }
}
