//! Reads, adds and dismisses notices.

use super::super::PageState;
use super::super::notice::Notice;

impl PageState {
    /// The remarks that the page shows.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Adds a remark.
    pub fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Removes all remarks.
    pub fn dismiss_notices(&mut self) {
        self.notices.clear();
    }
}
