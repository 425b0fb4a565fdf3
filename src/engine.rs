//! `Engine`: owns model, tokenizer and the current job; takes a `Request`, yields `Event`s, one step at a time.
//!
//! The host calls [`Engine::step`] while [`Engine::is_idle`] is false; in between it takes messages, draws, or stops
//! the job. One job runs at a time, and loading is a job. The host measures time and memory.

pub mod adapter;
pub mod arrival;
pub mod base_model;
pub mod bot_files;
pub mod companions;
pub mod conversion;
pub mod defaults;
pub mod error;
mod job;
pub mod loading;
pub mod measurement;
pub mod model_file;
pub mod special_tokens;
pub mod tokenizer_metadata;

use std::ops::Range;
use std::sync::Arc;

use crate::notice::Notice;
use crate::parallel::Threads;
use crate::protocol::{ErrorReport, Event, JobId, Request};
use crate::weights::ReadSeek;
use job::{GenerateJob, Job, LoadJob, LogitsJob, MeasureJob, Resources, Step};

pub use crate::weights::WriteAt;
pub use arrival::Arrival;
pub use base_model::BaseModel;
pub use companions::Companions;
pub use error::EngineError;
pub use loading::{Loading, OpenAdapter, OpenModel};
pub use model_file::ModelFile;

/// An adapter with its files, which are empty where the engine knows it.
pub struct AdapterFiles {
    /// The name by which it is known again.
    pub name: String,
    /// How much of its change counts.
    pub share: f32,
    /// `adapter_config.json`.
    pub config_json: Vec<u8>,
    /// `adapter_model.safetensors`.
    pub weights: Vec<u8>,
}

/// The open model and the job that runs.
#[derive(Default)]
pub struct Engine {
    resources: Resources,
    job: Option<Box<dyn Job>>,
    /// Generations so far: keeps two seeds made at the same moment apart.
    n_generations: u32,
}

impl Engine {
    /// An engine without a model.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the engine's memory is measured, in bytes; without a meter 0 is reported.
    pub fn set_memory_meter(&mut self, meter: impl Fn() -> u64 + 'static) {
        self.resources.memory_meter = Some(Box::new(meter));
    }

    /// Sets the threads of the next jobs; one thread by default.
    pub fn set_threads(&mut self, threads: Threads) {
        self.resources.threads = threads;
    }

    /// The open model.
    pub fn open_model(&self) -> Option<&OpenModel> {
        self.resources.open.as_ref()
    }

    /// Begins to load a GGUF: the following [`Engine::step`]s read the file and free the open model, with
    /// [`Event::Progress`] and at last [`Event::Ready`]. A load that is running ends without an event; any other
    /// running job makes the new load fail.
    ///
    /// `name`: to be shown. `size_bytes`: length of the file. `notices`: what is known about the model beside what
    /// stands in its file.
    pub fn load(
        &mut self,
        job: JobId,
        reader: Box<dyn ReadSeek>,
        name: &str,
        size_bytes: u64,
        notices: Vec<Notice>,
    ) -> Vec<Event> {
        let load = LoadJob::from_gguf(job, reader, name, size_bytes, notices);
        self.begin_load(load)
    }

    /// Begins to load as [`Engine::load`] does, from a file or folder whose header is read already. `now_ms`: the clock
    /// of [`Engine::step`].
    pub fn load_model_file(
        &mut self,
        job: JobId,
        file: ModelFile,
        name: &str,
        size_bytes: u64,
        now_ms: f64,
    ) -> Vec<Event> {
        let threads = &self.resources.threads;
        let load = LoadJob::from_model_file(job, file, name, size_bytes, now_ms, threads);
        self.begin_load(load)
    }

    /// Computes from now on with these adapters of the open model, in place of earlier ones. Each has a name by which it is
    /// known again, a share of which 1 is the adapter as it was trained, and, where it is new, the two files that peft saves:
    /// `adapter_config.json` and `adapter_model.safetensors`.
    pub fn adapt(&mut self, job: JobId, adapters: &[AdapterFiles]) -> Vec<Event> {
        match self.try_adapt(adapters) {
            Ok(()) => vec![Event::Adapted { job }],
            Err(error) => vec![failed(Some(job), &error)],
        }
    }

    fn try_adapt(&mut self, adapters: &[AdapterFiles]) -> Result<(), EngineError> {
        let open = self.free_model()?;
        let mut mixed = Vec::with_capacity(adapters.len());
        for AdapterFiles {
            name,
            share,
            config_json,
            weights,
        } in adapters
        {
            let known = open.adapters.iter().find(|open| open.name == *name);
            let adapter = match known {
                Some(known) => Arc::clone(&known.adapter),
                None => Arc::new(adapter::read(&open.model.config, config_json, weights)?),
            };
            mixed.push(OpenAdapter {
                name: name.clone(),
                adapter,
                share: *share,
            });
        }
        let Some(open) = &mut self.resources.open else {
            return Err(EngineError::NoModel);
        };
        open.adapters = mixed;
        Ok(())
    }

    /// Whether the open model computes with the adapter of this name, so that its files need not be read again.
    pub fn knows_adapter(&self, name: &str) -> bool {
        let open = self.resources.open.as_ref();
        open.is_some_and(|open| open.adapters.iter().any(|open| open.name == name))
    }

    /// Takes a request. Answers it at once if that takes no long work, else begins a job.
    ///
    /// Finding a model's bytes is the host's task: it answers [`Request::LookUp`] and [`Request::LocateBundled`], and
    /// calls [`Engine::load`] for a [`Request::Load`] and [`Engine::adapt`] for a [`Request::Adapt`].
    pub fn handle(&mut self, request: Request) -> Vec<Event> {
        let job = request.job();
        let events = match request {
            Request::Load { .. }
            | Request::LookUp { .. }
            | Request::LocateBundled { .. }
            | Request::Adapt { .. } => Err(EngineError::NotForTheEngine),
            Request::Generate {
                job,
                prompt,
                params,
            } => {
                self.n_generations = self.n_generations.wrapping_add(1);
                // Multiples of 2^32 / golden ratio keep the seeds that are picked here far apart, because sequence i
                // draws with seed + i.
                let seed = self.n_generations.wrapping_mul(0x9E37_79B9);
                let threads = &self.resources.threads;
                self.free_model()
                    .and_then(|open| GenerateJob::new(job, open, threads, &prompt, &params, seed))
                    .map(|job| self.begin(job))
            }
            Request::Logits { job, text } => self
                .free_model()
                .and_then(|open| LogitsJob::new(job, open, &self.resources.threads, &text))
                .map(|job| self.begin(job)),
            Request::Measure { job } => self
                .free_model()
                .and_then(|open| MeasureJob::new(job, open, &self.resources.threads))
                .map(|job| self.begin(job)),
            Request::Stop { job } => Ok(self.stop(job)),
            Request::Tokenize { job, text } => self.tokenize(job, &text),
            Request::Detokenize { job, token_ids } => self.detokenize(job, &token_ids),
        };
        events.unwrap_or_else(|error| vec![failed(job, &error)])
    }

    /// Does one piece of the current job: a part of the model, a piece of the prompt, one token of every sequence, or a
    /// tenth of a second of a measurement. `clock`: milliseconds from any fixed point.
    pub fn step(&mut self, clock: &dyn Fn() -> f64) -> Vec<Event> {
        let Some(mut job) = self.job.take() else {
            return Vec::new();
        };
        match job.step(&mut self.resources, clock) {
            Ok(Step::Continue(events)) => {
                self.job = Some(job);
                events
            }
            Ok(Step::Done(events)) => events,
            Err(error) => vec![failed(Some(job.id()), &error)],
        }
    }

    /// The bytes of the model file that the next [`Engine::step`] reads, during a load: with these bytes at hand, the
    /// step does not wait.
    pub fn next_bytes(&self) -> Option<Range<u64>> {
        self.job.as_ref()?.next_bytes()
    }

    /// Whether [`Engine::step`] would do nothing.
    pub fn is_idle(&self) -> bool {
        self.job.is_none()
    }

    fn begin(&mut self, job: impl Job + 'static) -> Vec<Event> {
        let events = job.begin();
        self.job = Some(Box::new(job));
        events
    }

    /// Begins a load in place of the open model. The open model stays until the header of the new one has been read: both
    /// models at once may not fit the memory, but a file that is no model closes none.
    fn begin_load(&mut self, load: LoadJob) -> Vec<Event> {
        if let Some(job) = &self.job
            && !job.yields_to_load()
        {
            return vec![failed(Some(load.id()), &job.busy())];
        }
        if load.has_header() {
            self.resources.open = None;
        }
        self.begin(load)
    }

    /// The open model, if a job of it may begin.
    fn free_model(&self) -> Result<&OpenModel, EngineError> {
        match &self.job {
            Some(job) => Err(job.busy()),
            None => self.open_model().ok_or(EngineError::NoModel),
        }
    }

    /// The open model, also while a job of it runs.
    fn model(&self) -> Result<&OpenModel, EngineError> {
        self.open_model().ok_or_else(|| match &self.job {
            Some(job) => job.busy(),
            None => EngineError::NoModel,
        })
    }

    fn stop(&mut self, id: JobId) -> Vec<Event> {
        // A stop that arrives after the end of its job is not an error.
        let job = self.job.take_if(|job| job.id() == id);
        job.map_or_else(Vec::new, |mut job| job.stop(&self.resources))
    }

    fn tokenize(&self, job: JobId, text: &str) -> Result<Vec<Event>, EngineError> {
        let open = self.model()?;
        open.tokenizer.check_length(text, open.info.config.n_ctx)?;
        let token_ids = open.tokenizer.encode(text)?;
        let tokens = token_ids
            .iter()
            .map(|id| open.tokenizer.token_text(*id))
            .collect();
        Ok(vec![Event::Tokens {
            job,
            token_ids,
            tokens,
        }])
    }

    fn detokenize(&self, job: JobId, token_ids: &[u32]) -> Result<Vec<Event>, EngineError> {
        let text = self.model()?.tokenizer.decode(token_ids)?;
        Ok(vec![Event::Text { job, text }])
    }
}

fn failed(job: Option<JobId>, error: &EngineError) -> Event {
    Event::Error {
        job,
        error: ErrorReport::from(error),
    }
}
