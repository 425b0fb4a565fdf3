//! Starts a task now or as soon as it can run, and stops the current work.

use super::super::model::ModelStatus;
use super::super::task::Task;
use super::super::{Command, PageState};
use crate::protocol::Request;

impl PageState {
    /// Whether a text waits to be written.
    pub fn is_text_waiting(&self) -> bool {
        matches!(self.waiting, Some(Task::Write(_)))
    }

    /// Ends the current job for another model; a load is replaced without going back to the model before it.
    pub(super) fn stop_for_another(&mut self) -> Vec<Command> {
        if !matches!(
            self.model.status,
            ModelStatus::Loading(_) | ModelStatus::Paused(_)
        ) {
            return self.stop();
        }
        self.waiting = None;
        match &self.model.status {
            ModelStatus::Loading(loading) if loading.is_sent => {
                vec![Command::Send(Request::Stop { job: loading.job })]
            }
            _ => Vec::new(),
        }
    }

    /// Ends the current job or load, and drops the task that waits. A text ends after its current token.
    pub fn stop(&mut self) -> Vec<Command> {
        self.waiting = None;
        if self.measuring.run.is_some() {
            return self.stop_measuring();
        }
        if self.is_generating() {
            return self.stop_writing();
        }
        self.stop_load()
    }

    /// Starts a task, or loads the model for it. No job runs.
    pub(super) fn start_or_load(&mut self, task: Task) -> Vec<Command> {
        match self.model.status {
            ModelStatus::Ready(_) => self.start(task),
            ModelStatus::Loading(_) => {
                self.waiting = Some(task);
                Vec::new()
            }
            ModelStatus::Absent | ModelStatus::Paused(_) | ModelStatus::Failed(_) => {
                self.waiting = Some(task);
                self.load()
            }
        }
    }

    /// Starts the task that waits, or loads the model for it where another model was chosen meanwhile. No job runs.
    pub(super) fn start_waiting(&mut self) -> Vec<Command> {
        match self.model.status {
            ModelStatus::Ready(_) | ModelStatus::Absent => match self.waiting.take() {
                Some(task) => self.start_or_load(task),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn start(&mut self, task: Task) -> Vec<Command> {
        match task {
            Task::Write(writing) => self.start_writing(writing),
            Task::Measure => self.start_measuring(),
        }
    }
}
