//! Reads and dismisses the current problem.

use super::super::PageState;
use super::super::model::ModelStatus;
use super::super::problem::Problem;

impl PageState {
    /// The failure to show, if there is one.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Removes the failure. After a failed load, the page is as before the load.
    pub fn dismiss_problem(&mut self) {
        self.problem = None;
        if matches!(self.model.status, ModelStatus::Failed(_)) {
            self.model.status = ModelStatus::Absent;
        }
    }
}
