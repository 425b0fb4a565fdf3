//! `Command`: a step that the page takes after a change of its state.

use crate::protocol::Request;

/// One step for the page; the steps of a change are taken in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Send a request to the worker.
    Send(Request),
    /// Send a request to the worker with the files beside it: a model's (`Load`) or adapters' (`Adapt`).
    SendFiles(Request),
    /// End the worker, which frees its memory, and start a new one.
    RestartWorker,
    /// Ask the browser to keep saved models when the device runs out of space.
    Persist,
}
