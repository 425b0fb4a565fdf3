//! Changes of a look-up: the request for a model's costs, and the worker's answer.

use super::super::look_up::LookUp;
use super::super::{Command, PageState};
use crate::hub::{ModelRef, Offer};
use crate::protocol::{ErrorReport, JobId, LoadStage, Request};

impl PageState {
    /// The last look-up, until it is closed.
    pub fn current_look_up(&self) -> Option<&LookUp> {
        self.look_up.as_ref()
    }

    /// Requests a model's costs from the worker. `device_memory_bytes`: memory of the device, if the browser states it.
    pub fn look_up(&mut self, model: ModelRef, device_memory_bytes: Option<u64>) -> Vec<Command> {
        let is_same = |last: &LookUp| {
            last.model.address == model.address && last.model.endpoint == model.endpoint
        };
        let answer = self
            .look_up
            .as_ref()
            .filter(|last| is_same(last))
            .and_then(|last| last.answer.clone());
        let mut commands = self.close_look_up();
        commands.extend(self.replace_ended_worker());
        self.look_up = Some(LookUp {
            model,
            answer,
            is_asking: true,
            job: self.worker.next_job(),
            is_sent: false,
            device_memory_bytes,
            stage: None,
        });
        if self.worker.is_running() {
            commands.extend(self.send_look_up());
        }
        commands
    }

    /// Forgets the look-up, and stops its job if the answer is still to come.
    pub fn close_look_up(&mut self) -> Vec<Command> {
        match self.look_up.take() {
            Some(look_up) if look_up.is_asking && look_up.is_sent => {
                vec![Command::Send(Request::Stop { job: look_up.job })]
            }
            _ => Vec::new(),
        }
    }

    /// Sends the look-up that waits for the worker, if there is one.
    pub(super) fn send_look_up(&mut self) -> Vec<Command> {
        match &mut self.look_up {
            Some(look_up) if look_up.is_asking && !look_up.is_sent => {
                look_up.is_sent = true;
                vec![Command::Send(Request::LookUp {
                    job: look_up.job,
                    model: look_up.model.clone(),
                    device_memory_bytes: look_up.device_memory_bytes,
                })]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn is_look_up(&self, job: JobId) -> bool {
        self.look_up.as_ref().is_some_and(|asked| asked.job == job)
    }

    pub(super) fn on_look_up_progress(&mut self, stage: LoadStage) {
        if let Some(look_up) = &mut self.look_up {
            look_up.stage = Some(stage);
        }
    }

    pub(super) fn on_look_up_answer(&mut self, answer: Result<Offer, ErrorReport>) {
        if let Some(look_up) = &mut self.look_up {
            look_up.answer = Some(answer);
            look_up.is_asking = false;
        }
    }
}
