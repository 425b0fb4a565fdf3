//! `StatusLine`: the progress of a command, on one line of standard error, for a person at a terminal.

use super::Output;
use crate::shown::for_terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that is replaced by the next one and removed at the end. Without a terminal, and beside JSON, nothing is
/// written.
pub struct StatusLine(ProgressBar);

impl StatusLine {
    /// An empty line.
    pub fn new(output: Output) -> Self {
        let target = match output.is_json() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let style = ProgressStyle::with_template("{msg}").expect("the template is valid");
        Self(ProgressBar::with_draw_target(None, target).with_style(style))
    }

    /// Replaces the line. The text is made only if it is shown.
    pub fn show(&self, text: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_message(for_terminal(&text()).into_owned());
            self.0.tick();
        }
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
