//! `Phase`: the state of the whole page in one word, which the document shows in `data-state`.

/// The state of the whole page, written to `<html data-state>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The worker is being started.
    Starting,
    /// No model is open, and no work is going on.
    Idle,
    /// A model is being loaded.
    Loading,
    /// A model is open and waits for a prompt.
    Ready,
    /// Text is being written.
    Generating,
    /// The last load failed, or the worker ended.
    Failed,
}

impl Phase {
    /// Its name in `data-state`.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Idle => "idle",
            Phase::Loading => "loading",
            Phase::Ready => "ready",
            Phase::Generating => "generating",
            Phase::Failed => "failed",
        }
    }
}
