//! Changes of the measurement: its start, its stop, and the worker's results.

use super::super::measured::Measured;
use super::super::measuring::{MeasureRun, Measuring, Step};
use super::super::problem::Problem;
use super::super::task::Task;
use super::super::wording;
use super::super::{Command, PageState};
use crate::protocol::{ErrorReport, JobId, Request, Speeds};

impl PageState {
    /// The progress of the measurement.
    pub fn measuring(&self) -> Measuring {
        match (&self.measuring.run, &self.waiting) {
            (Some(run), _) => Measuring::Running {
                fraction: run.fraction,
                step: run.step,
                is_stopping: run.is_stopping,
            },
            (None, Some(Task::Measure)) => match self.loading() {
                Some(loading) => Measuring::Waiting {
                    text: format!(
                        "Loading {}: {}",
                        wording::isolated(&self.choice().name),
                        loading.text()
                    ),
                    fraction: loading.fraction(),
                },
                None => Measuring::Waiting {
                    text: "Waiting for the text that is being written".to_owned(),
                    fraction: None,
                },
            },
            (None, _) => Measuring::Idle,
        }
    }

    /// Result of the last complete measurement.
    pub fn measured(&self) -> Option<&Measured> {
        self.measuring.result.as_deref()
    }

    /// Measures how fast this device runs the model, after loading the model if need be and after the end of a text
    /// that is being written.
    pub fn measure(&mut self) -> Vec<Command> {
        // Only one task can wait, and a waiting text was requested earlier.
        if self.measuring.run.is_some() || self.is_text_waiting() {
            return Vec::new();
        }
        self.problem = None;
        if self.is_generating() {
            self.waiting = Some(Task::Measure);
            return Vec::new();
        }
        self.start_or_load(Task::Measure)
    }

    /// Stops the measurement, or gives up waiting for it; an earlier result stays.
    pub fn stop_measuring(&mut self) -> Vec<Command> {
        self.waiting.take_if(|task| *task == Task::Measure);
        match &mut self.measuring.run {
            Some(run) if !run.is_stopping => {
                run.is_stopping = true;
                vec![Command::Send(Request::Stop { job: run.job })]
            }
            _ => Vec::new(),
        }
    }

    /// Sends the request. The model is open and no job runs.
    pub(super) fn start_measuring(&mut self) -> Vec<Command> {
        let job = self.worker.next_job();
        self.measuring.run = Some(MeasureRun {
            job,
            fraction: 0.0,
            step: None,
            is_stopping: false,
        });
        vec![Command::Send(Request::Measure { job })]
    }

    pub(super) fn is_measuring(&self, job: JobId) -> bool {
        self.measuring
            .run
            .as_ref()
            .is_some_and(|run| run.job == job)
    }

    pub(super) fn on_measuring(&mut self, job: JobId, step: Step, fraction: f64) {
        if let Some(run) = self.measuring.run.as_mut().filter(|run| run.job == job) {
            run.fraction = fraction;
            run.step = Some(step);
        }
    }

    pub(super) fn on_measured(&mut self, job: JobId, speeds: Speeds) -> Vec<Command> {
        if !self.is_measuring(job) {
            return Vec::new();
        }
        self.measuring.run = None;
        // A result belongs to the model it was measured on; that model may have been closed meanwhile.
        if let Some(info) = self.model_info() {
            self.measuring.result = Some(Box::new(Measured::new(speeds, info.clone())));
        }
        self.start_waiting()
    }

    /// Takes the end of a measurement that was stopped.
    pub(super) fn on_measuring_stopped(&mut self) -> Vec<Command> {
        self.measuring.run = None;
        self.start_waiting()
    }

    pub(super) fn on_measuring_failed(&mut self, report: ErrorReport) {
        self.measuring.run = None;
        self.problem = Some(Problem::new(report));
    }
}
