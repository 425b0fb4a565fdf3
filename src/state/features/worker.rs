//! Changes of the worker: its start, its end, and its replacement.

use super::super::model::ModelStatus;
use super::super::problem::{Problem, Remedy};
use super::super::tweet::TweetStatus;
use super::super::{Command, PageState};
use crate::protocol::{ErrorCode, ErrorReport, StopReason};

impl PageState {
    /// Starts a new worker in place of one that ended.
    pub fn restart_worker(&mut self) -> Vec<Command> {
        self.worker.replace();
        self.problem = None;
        if !matches!(self.model.status, ModelStatus::Loading(_)) {
            self.model.status = ModelStatus::Absent;
        }
        vec![Command::RestartWorker]
    }

    /// Takes the worker's start: sends the requests that waited for it.
    pub(super) fn on_started(&mut self) -> Vec<Command> {
        self.worker.started();
        let mut commands = self.send_look_up();
        commands.extend(self.send_load());
        commands
    }

    /// Takes the worker's end by itself: prompt, settings and written texts stay.
    pub(super) fn on_crash(&mut self, mut report: ErrorReport) {
        if report.code == ErrorCode::WorkerCrashed && self.worker.is_running() {
            "restart it; your text and settings are still here".clone_into(&mut report.hint);
        }
        self.end_run(TweetStatus::Broken);
        self.measuring.run = None;
        self.waiting = None;
        if self.look_up.as_ref().is_some_and(|asked| asked.is_asking) {
            self.on_look_up_answer(Err(report.clone()));
        }
        self.worker.ended();
        self.model.status = ModelStatus::Absent;
        self.model.earlier = None;
        let mut remedies = vec![Remedy::RestartWorker];
        if report.code == ErrorCode::OutOfMemory && !self.is_bundled() {
            remedies.insert(0, Remedy::UseBundled);
        }
        self.problem = Some(Problem {
            report,
            remedies,
            stays: None,
        });
    }

    /// A command to start a worker where the last one has ended.
    pub(super) fn replace_ended_worker(&mut self) -> Option<Command> {
        self.worker.has_ended().then(|| {
            self.worker.replace();
            Command::RestartWorker
        })
    }

    /// A command to replace a worker whose model was large: WebAssembly memory never shrinks, and is only freed with
    /// its worker.
    pub(super) fn replace_large_worker(&mut self) -> Option<Command> {
        if !self.worker.is_large() {
            return None;
        }
        self.end_run(TweetStatus::Done(StopReason::Stopped));
        self.measuring.run = None;
        if let Some(look_up) = &mut self.look_up {
            look_up.wait_for_worker();
        }
        self.worker.replace();
        Some(Command::RestartWorker)
    }
}
