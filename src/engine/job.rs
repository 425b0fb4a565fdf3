//! `Job`: one piece of work of the engine, done in steps; a file per kind of job.

mod generate;
mod load;
mod logits;
mod measure;

use std::ops::Range;

use crate::kernels;
use crate::parallel::Threads;
use crate::protocol::{Event, JobId, RunStats};

use super::{EngineError, OpenModel};

pub(super) use generate::GenerateJob;
pub(super) use load::LoadJob;
pub(super) use logits::LogitsJob;
pub(super) use measure::MeasureJob;

/// The open model, the threads and the memory meter, which all jobs share.
#[derive(Default)]
pub(super) struct Resources {
    pub(super) open: Option<OpenModel>,
    pub(super) threads: Threads,
    pub(super) memory_meter: Option<Box<dyn Fn() -> u64>>,
}

/// Work in steps. A job ends by its last step, by an error, or by [`Job::stop`].
pub(super) trait Job {
    /// The id that its events carry.
    fn id(&self) -> JobId;

    /// The events that it begins with.
    fn begin(&self) -> Vec<Event> {
        Vec::new()
    }

    /// Does one piece of the work. `clock`: milliseconds from any fixed point.
    ///
    /// # Errors
    /// Any error ends the job.
    fn step(
        &mut self,
        resources: &mut Resources,
        clock: &dyn Fn() -> f64,
    ) -> Result<Step, EngineError>;

    /// The last events of the job when it is stopped between two steps.
    fn stop(&mut self, resources: &Resources) -> Vec<Event> {
        vec![Event::Done {
            job: self.id(),
            stopped: true,
            stats: resources.stats(),
        }]
    }

    /// The error for another job of the model that is requested meanwhile.
    fn busy(&self) -> EngineError {
        EngineError::Working
    }

    /// Whether the job ends without an event when a load is requested.
    fn yields_to_load(&self) -> bool {
        false
    }

    /// The bytes of the model file that the next step reads.
    fn next_bytes(&self) -> Option<Range<u64>> {
        None
    }
}

/// The events of one step, and whether another step follows.
pub(super) enum Step {
    /// Another step follows.
    Continue(Vec<Event>),
    /// The job is done.
    Done(Vec<Event>),
}

impl Resources {
    /// Figures of a job that writes no text.
    pub(super) fn stats(&self) -> RunStats {
        RunStats {
            threads: self.threads.count(),
            simd: kernels::simd().to_owned(),
            memory_bytes: self.memory_bytes(),
            ..RunStats::default()
        }
    }

    /// The engine's memory, 0 without a meter.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_meter.as_ref().map_or(0, |meter| meter())
    }
}
