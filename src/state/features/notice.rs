//! Reads, adds and dismisses notices.

use super::super::PageState;
use super::super::notice::Notice;

impl PageState {
    /// The remarks on show.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Adds a remark.
    pub fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Takes all remarks away.
    pub fn dismiss_notices(&mut self) {
        self.notices.clear();
    }
}
