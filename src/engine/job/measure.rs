//! `MeasureJob`: measures the speed of the open model, by a [`Measurement`].

use super::{Job, Resources, Step};
use crate::engine::measurement::{Measurement, ROUNDS};
use crate::engine::{EngineError, OpenModel};
use crate::parallel::Threads;
use crate::protocol::{Event, JobId};

/// Time after which no further round begins: a slow device measures fewer rounds, so that no visitor waits for minutes.
const MEASUREMENT_MS: f64 = 10_000.0;

pub(in crate::engine) struct MeasureJob {
    id: JobId,
    measurement: Measurement,
}

impl MeasureJob {
    pub(in crate::engine) fn new(
        id: JobId,
        open: &OpenModel,
        threads: &Threads,
    ) -> Result<Self, EngineError> {
        let measurement = Measurement::new(open, threads.clone(), MEASUREMENT_MS)?;
        Ok(Self { id, measurement })
    }

    fn progress(&self) -> Event {
        Event::Measuring {
            job: self.id,
            workload: self.measurement.workload(),
            round: self.measurement.round(),
            rounds: ROUNDS,
            fraction: self.measurement.fraction(),
        }
    }
}

impl Job for MeasureJob {
    fn id(&self) -> JobId {
        self.id
    }

    fn begin(&self) -> Vec<Event> {
        vec![self.progress()]
    }

    fn step(
        &mut self,
        _resources: &mut Resources,
        clock: &dyn Fn() -> f64,
    ) -> Result<Step, EngineError> {
        let job = self.id;
        Ok(match self.measurement.step(clock)? {
            Some(speeds) => Step::Done(vec![Event::Measured { job, speeds }]),
            None => Step::Continue(vec![self.progress()]),
        })
    }
}
