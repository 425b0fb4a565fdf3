//! `WorkerState`: whether the worker runs, how large it has grown, and which job numbers are taken.

use crate::protocol::JobId;

/// A worker with more memory than this is replaced when its model is closed.
const LARGE_WORKER_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WorkerStatus {
    Starting,
    Running,
    Ended,
}

/// The worker, as far as the page knows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WorkerState {
    status: WorkerStatus,
    /// The worker's memory after its last model was opened; 0 before the first.
    memory_bytes: u64,
    last_job: JobId,
}

impl WorkerState {
    /// A worker that is being started.
    pub(super) fn starting() -> WorkerState {
        WorkerState {
            status: WorkerStatus::Starting,
            memory_bytes: 0,
            last_job: 0,
        }
    }

    /// Whether the worker is being started and has not reported its start yet.
    pub(super) fn is_starting(&self) -> bool {
        self.status == WorkerStatus::Starting
    }

    /// Whether the worker takes requests.
    pub(super) fn is_running(&self) -> bool {
        self.status == WorkerStatus::Running
    }

    /// Whether the worker has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.status == WorkerStatus::Ended
    }

    /// A number for the next job; no number is used twice, not even for another worker.
    pub(super) fn next_job(&mut self) -> JobId {
        self.last_job += 1;
        self.last_job
    }

    /// Notes how much memory the worker has after opening a model.
    pub(super) fn opened_model(&mut self, memory_bytes: u64) {
        self.memory_bytes = memory_bytes;
    }

    /// Whether the worker has so much memory that a new worker replaces it when its model is closed.
    pub(super) fn is_large(&self) -> bool {
        self.is_running() && self.memory_bytes >= LARGE_WORKER_BYTES
    }

    pub(super) fn started(&mut self) {
        self.status = WorkerStatus::Running;
    }

    pub(super) fn ended(&mut self) {
        self.status = WorkerStatus::Ended;
    }

    /// A new worker is being started.
    pub(super) fn replace(&mut self) {
        self.status = WorkerStatus::Starting;
        self.memory_bytes = 0;
    }
}
