//! Passes each event of the worker to the feature that its job belongs to.

use super::super::measuring::Step;
use super::super::problem::Problem;
use super::super::{Command, PageState};
use crate::protocol::{ErrorCode, ErrorReport, Event, JobId};

impl PageState {
    /// Takes one event of the worker. `now_ms`: any steady clock.
    pub fn update(&mut self, event: Event, now_ms: f64) -> Vec<Command> {
        match event {
            Event::Started { .. } => return self.on_started(),
            Event::Progress { job, stage } if self.is_look_up(job) => {
                self.on_look_up_progress(stage);
            }
            Event::Progress { job, stage } => self.on_progress(job, stage, now_ms),
            Event::Card {
                job,
                repo,
                markdown,
            } => {
                if self.is_load(job) {
                    self.on_card(repo.as_str(), &markdown);
                }
            }
            Event::Ready { job, model } => return self.on_ready(job, model),
            Event::Offered { job, offer } => {
                if self.is_look_up(job) {
                    self.on_look_up_answer(Ok(offer));
                }
            }
            Event::Token { job, token } => self.on_token(job, token.sequence, &token.text),
            Event::Result { job, sequence } => self.on_result(
                job,
                sequence.sequence,
                &sequence.generated_text,
                sequence.stop_reason,
            ),
            Event::Done { job, .. } if self.is_measuring(job) => {
                return self.on_measuring_stopped();
            }
            Event::Done {
                job,
                stopped,
                stats,
            } => return self.on_written(job, stopped, &stats),
            Event::Measuring {
                job,
                workload,
                round,
                rounds,
                fraction,
            } => {
                let step = Step {
                    workload,
                    round,
                    rounds,
                };
                self.on_measuring(job, step, fraction);
            }
            Event::Measured { job, speeds } => return self.on_measured(job, speeds),
            Event::Adapted { job } => return self.on_adapted(job),
            // The page counts all files as one.
            Event::Fetching { .. } => {}
            Event::Closed {} => self.on_closed(),
            // Answers to requests that the page does not send.
            Event::Tokens { .. } | Event::Text { .. } | Event::Logits { .. } => {}
            Event::Error { job, error } => return self.on_error(job, error),
        }
        Vec::new()
    }

    fn on_error(&mut self, job: Option<JobId>, report: ErrorReport) -> Vec<Command> {
        match job {
            None => match report.code {
                ErrorCode::WorkerCrashed | ErrorCode::OutOfMemory => self.on_crash(report),
                // The request for the load, or its answer, was not understood.
                _ if self.loading().is_some() => return self.on_load_failed(report),
                _ => self.problem = Some(Problem::new(report)),
            },
            Some(job) if self.is_look_up(job) => self.on_look_up_answer(Err(report)),
            Some(job) if self.is_load(job) => match report.code {
                ErrorCode::Cancelled => return self.on_load_stopped(),
                _ => return self.on_load_failed(report),
            },
            Some(job) if self.is_adapting(job) => return self.on_load_failed(report),
            Some(job) if self.is_measuring(job) => self.on_measuring_failed(report),
            Some(job) if self.is_run(job) => self.on_run_failed(report),
            // The job has been given up meanwhile.
            Some(_) => {}
        }
        Vec::new()
    }
}
