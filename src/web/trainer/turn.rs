//! A turn of the event loop: a step of the training, or a sample.

use std::rc::Rc;

use super::failure::Failure;
use super::host::{Host, NextTurn, date_ms, now};
use crate::trainer::Event;
use crate::trainer::record::LOGGING_STEPS;
use crate::trainer::training::N_SAMPLES;
use crate::web::shared::memory::memory_bytes;

/// Time between two checkpoints.
const CHECKPOINT_MS: f64 = 60_000.0;
/// Least time between two sets of samples.
const SAMPLES_MS: f64 = 15_000.0;
/// Sets of samples of a training, at most.
const MOST_SAMPLES: u32 = 10;

impl Host {
    pub(super) fn take_turn(self: &Rc<Self>) {
        self.has_turn.set(false);
        let taken = self.do_task();
        match taken {
            Ok(true) => self.ask_for_turn(),
            Ok(false) => {}
            Err(failure) => {
                self.state.borrow_mut().task = NextTurn::None;
                self.fail(failure);
            }
        }
    }

    /// Does a step, or writes a sample; whether there is more to do.
    fn do_task(self: &Rc<Self>) -> Result<bool, Failure> {
        let mut guard = self.state.borrow_mut();
        let state = &mut *guard;
        let Some(training) = &mut state.training else {
            return Ok(false);
        };
        match &mut state.task {
            NextTurn::None => return Ok(false),
            NextTurn::Step if training.fine_tune().is_done() => {
                state.task = NextTurn::None;
                drop(guard);
                self.finish_later();
                return Ok(false);
            }
            NextTurn::Step => {
                let (report, tokens_per_second) = training.step(&now, date_ms())?;
                self.post(&Event::Step {
                    report,
                    tokens_per_second,
                    memory_bytes: memory_bytes(),
                });
                let since_sampled = report.step - state.sampled_step;
                let is_far = since_sampled >= report.n_steps.div_ceil(MOST_SAMPLES);
                if is_far && now() - state.samples_ms > SAMPLES_MS {
                    state.task = NextTurn::Sample(Vec::new());
                }
                let is_due = now() - state.checkpoint_ms > CHECKPOINT_MS;
                if is_due && report.step.is_multiple_of(LOGGING_STEPS) {
                    state.checkpoint_ms = now();
                    drop(guard);
                    self.keep_checkpoint();
                }
            }
            NextTurn::Sample(texts) => {
                texts.push(training.sample(texts.len() as u32)?);
                if texts.len() as u32 == N_SAMPLES {
                    let step = training.fine_tune().steps_done();
                    self.post(&Event::Samples {
                        step,
                        texts: std::mem::take(texts),
                    });
                    state.task = NextTurn::Step;
                    (state.samples_ms, state.sampled_step) = (now(), step);
                }
            }
        }
        Ok(true)
    }
}
