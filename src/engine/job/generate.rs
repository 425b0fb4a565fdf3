//! `GenerateJob`: continues a prompt. A step computes a piece of the prompt, or one token of every sequence.

use std::sync::Arc;

use super::{Job, Resources, Step};
use crate::engine::{EngineError, OpenModel};
use crate::generate::params::GenerationParams;
use crate::generate::{Generation, StepOutput};
use crate::parallel::Threads;
use crate::protocol::{Event, JobId, RunStats};

pub(in crate::engine) struct GenerateJob {
    id: JobId,
    generation: Generation,
    seed: u32,
    prefill_ms: f64,
    decode_ms: f64,
}

impl GenerateJob {
    /// `fresh_seed` is used unless `params` has a seed.
    pub(in crate::engine) fn new(
        id: JobId,
        open: &OpenModel,
        threads: &Threads,
        prompt: &str,
        params: &GenerationParams,
        fresh_seed: u32,
    ) -> Result<Self, EngineError> {
        let seed = params.seed.unwrap_or(fresh_seed);
        let (model, tokenizer) = (Arc::clone(&open.model), Arc::clone(&open.tokenizer));
        let generation =
            Generation::new(model, tokenizer, prompt, params, seed)?.with_threads(threads.clone());
        let generation = generation.with_adapters(open.mix());
        Ok(Self {
            id,
            generation,
            seed,
            prefill_ms: 0.0,
            decode_ms: 0.0,
        })
    }

    fn events(&self, outputs: Vec<StepOutput>) -> Vec<Event> {
        let job = self.id;
        let event = |output| match output {
            StepOutput::Token(token) => Event::Token { job, token },
            StepOutput::Finished(sequence) => Event::Result { job, sequence },
        };
        outputs.into_iter().map(event).collect()
    }

    fn done(&self, resources: &Resources, stopped: bool) -> Event {
        Event::Done {
            job: self.id,
            stopped,
            stats: RunStats {
                prompt_tokens: self.generation.prompt_tokens(),
                new_tokens: self.generation.new_tokens(),
                prefill_ms: self.prefill_ms,
                decode_ms: self.decode_ms,
                seed: self.seed,
                ..resources.stats()
            },
        }
    }
}

impl Job for GenerateJob {
    fn id(&self) -> JobId {
        self.id
    }

    fn step(
        &mut self,
        resources: &mut Resources,
        clock: &dyn Fn() -> f64,
    ) -> Result<Step, EngineError> {
        let is_prefilling = self.generation.is_prefilling();
        let before = clock();
        let outputs = self.generation.step()?;
        let elapsed_ms = clock() - before;
        if is_prefilling {
            self.prefill_ms += elapsed_ms;
        } else {
            self.decode_ms += elapsed_ms;
        }
        let mut events = self.events(outputs);
        if !self.generation.is_done() {
            return Ok(Step::Continue(events));
        }
        events.push(self.done(resources, false));
        Ok(Step::Done(events))
    }

    fn stop(&mut self, resources: &Resources) -> Vec<Event> {
        let outputs = self.generation.stop();
        let mut events = self.events(outputs);
        events.push(self.done(resources, true));
        events
    }
}
