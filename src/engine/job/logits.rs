//! `LogitsJob`: computes the logits of the token after a text, a piece of the text per step.

use std::sync::Arc;

use super::{Job, Resources, Step};
use crate::engine::{EngineError, OpenModel};
use crate::generate::next_logits::NextLogits;
use crate::parallel::Threads;
use crate::protocol::{Event, JobId};

pub(in crate::engine) struct LogitsJob {
    id: JobId,
    next: NextLogits,
}

impl LogitsJob {
    pub(in crate::engine) fn new(
        id: JobId,
        open: &OpenModel,
        threads: &Threads,
        text: &str,
    ) -> Result<Self, EngineError> {
        let next = NextLogits::new(Arc::clone(&open.model), &open.tokenizer, text)?;
        let next = next.with_adapters(open.mix());
        Ok(Self {
            id,
            next: next.with_threads(threads.clone()),
        })
    }
}

impl Job for LogitsJob {
    fn id(&self) -> JobId {
        self.id
    }

    fn step(
        &mut self,
        _resources: &mut Resources,
        _clock: &dyn Fn() -> f64,
    ) -> Result<Step, EngineError> {
        let job = self.id;
        Ok(match self.next.step()? {
            Some(logits) => Step::Done(vec![Event::Logits { job, logits }]),
            None => Step::Continue(Vec::new()),
        })
    }
}
