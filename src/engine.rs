//! `Engine`: owns model, tokenizer and jobs; takes a `Request`, yields `Event`s, one step at a time.
//!
//! The host calls [`Engine::step`] while [`Engine::is_idle`] is false and does what it likes in between: take
//! messages, draw, stop. One load or one job runs at a time. Time and memory are measured by the host.

pub mod arrival;
pub mod companions;
pub mod conversion;
pub mod defaults;
pub mod error;
pub mod loading;
pub mod measurement;
pub mod model_file;
mod told;

use std::ops::Range;
use std::sync::Arc;

use crate::generate::Generation;
use crate::generate::params::GenerationParams;
use crate::generate::scores::Scores;
use crate::infer::LoadProgress;
use crate::kernels;
use crate::parallel::Threads;
use crate::protocol::{Event, JobId, Request, RunStats};
use crate::weights::ReadSeek;
use measurement::Measurement;
use told::{failed, measuring, reading, told};

pub use crate::weights::WriteAt;
pub use arrival::Arrival;
pub use companions::Companions;
pub use error::EngineError;
pub use loading::{Loading, OpenModel};
pub use model_file::ModelFile;

/// What a header takes; GPT-2's vocabulary and merges make most of it.
const HEADER_BYTES: u64 = 2 << 20;

/// Parts in which the progress of a load is told.
const PROGRESS_PARTS: u64 = 32;

/// No round of a measurement begins later: a slow device has fewer, and its visitor need not wait for minutes.
const MEASUREMENT_MS: f64 = 10_000.0;

/// The model, the tokenizer and the one job that runs.
#[derive(Default)]
pub struct Engine {
    open: Option<OpenModel>,
    work: Work,
    memory_meter: Option<Box<dyn Fn() -> u64>>,
    threads: Threads,
    /// Jobs so far: keeps two seeds made at the same moment apart.
    jobs: u32,
}

/// What the next step does.
#[derive(Default)]
enum Work {
    #[default]
    Nothing,
    /// A file whose header is still to be read.
    Open(Source),
    /// Weights that arrive part by part.
    Load {
        /// What there is so far.
        loading: Box<Loading>,
        /// When it began.
        started_ms: f64,
    },
    /// A text in the making.
    Generate(Box<Job>),
    /// A text that is scored.
    Score(JobId, Box<Scores>),
    /// Figures in the making.
    Measure(JobId, Box<Measurement>),
}

/// What a load was asked for.
struct Source {
    reader: Box<dyn ReadSeek>,
    name: String,
    size_bytes: u64,
}

struct Job {
    id: JobId,
    generation: Generation,
    seed: u32,
    prefill_ms: f64,
    decode_ms: f64,
}

impl Engine {
    /// With nothing open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how the engine's memory is measured, in bytes; 0 is reported without it.
    pub fn set_memory_meter(&mut self, meter: impl Fn() -> u64 + 'static) {
        self.memory_meter = Some(Box::new(meter));
    }

    /// Computes the next jobs on these threads; on one without this.
    pub fn set_threads(&mut self, threads: Threads) {
        self.threads = threads;
    }

    /// What is open.
    pub fn open_model(&self) -> Option<&OpenModel> {
        self.open.as_ref()
    }

    /// Opens a model file (GGUF): frees the open model, and reads the file in the following [`Engine::step`]s,
    /// which tell [`Event::Progress`] and in the end [`Event::Ready`].
    ///
    /// `name`: what to call it. `size_bytes`: its length. A job in hand is refused its model and so refuses this.
    pub fn load(&mut self, reader: Box<dyn ReadSeek>, name: &str, size_bytes: u64) -> Vec<Event> {
        if let Err(error) = self.make_room() {
            return vec![failed(None, &error)];
        }
        self.work = Work::Open(Source {
            reader,
            name: name.to_owned(),
            size_bytes,
        });
        Vec::new()
    }

    /// As [`Engine::load`], from a file or folder whose header is already read. `now_ms`: the clock of [`Engine::step`].
    pub fn load_model_file(
        &mut self,
        file: ModelFile,
        name: &str,
        size_bytes: u64,
        now_ms: f64,
    ) -> Vec<Event> {
        if let Err(error) = self.make_room() {
            return vec![failed(None, &error)];
        }
        self.begin(file, name, size_bytes, now_ms)
    }

    /// Takes a request and answers it as far as that needs no long work.
    /// [`Request::Load`] is the host's part: it opens the source and calls [`Engine::load`].
    pub fn handle(&mut self, request: Request) -> Vec<Event> {
        match request {
            Request::Load { .. } => vec![failed(None, &EngineError::NotForTheEngine)],
            Request::Generate {
                job,
                prompt,
                params,
            } => match self.start(job, &prompt, &params) {
                Ok(()) => Vec::new(),
                Err(error) => vec![failed(Some(job), &error)],
            },
            Request::Logits { job, text } => match self.start_scores(&text) {
                Ok(scores) => {
                    self.work = Work::Score(job, Box::new(scores));
                    Vec::new()
                }
                Err(error) => vec![failed(Some(job), &error)],
            },
            Request::Measure { job } => match self.start_measurement() {
                Ok(measurement) => {
                    let event = measuring(job, &measurement);
                    self.work = Work::Measure(job, Box::new(measurement));
                    vec![event]
                }
                Err(error) => vec![failed(Some(job), &error)],
            },
            Request::Stop { job } => self.stop(job),
            Request::Tokenize { job, text } => match self.tokenize(job, &text) {
                Ok(event) => vec![event],
                Err(error) => vec![failed(Some(job), &error)],
            },
            Request::Detokenize { job, token_ids } => match self.detokenize(job, &token_ids) {
                Ok(event) => vec![event],
                Err(error) => vec![failed(Some(job), &error)],
            },
        }
    }

    /// Does one piece of the work in hand: a part of the model, a piece of the prompt, one token of every
    /// sequence, or a tenth of a second of a measurement. `clock`: milliseconds from any fixed point.
    pub fn step(&mut self, clock: &dyn Fn() -> f64) -> Vec<Event> {
        match std::mem::take(&mut self.work) {
            Work::Nothing => Vec::new(),
            Work::Open(source) => {
                let now_ms = clock();
                match ModelFile::from_gguf(source.reader) {
                    Ok(file) => self.begin(file, &source.name, source.size_bytes, now_ms),
                    Err(error) => vec![failed(None, &error)],
                }
            }
            Work::Load {
                loading,
                started_ms,
            } => self
                .load_part(loading, started_ms, clock)
                .unwrap_or_else(|error| vec![failed(None, &error)]),
            Work::Generate(job) => self.generate_part(job, clock),
            Work::Score(job, scores) => self.score_part(job, scores),
            Work::Measure(job, measurement) => self.measure_part(job, measurement, clock),
        }
    }

    /// The bytes of the model file that the next [`Engine::step`] reads, while one is loading: a host that has
    /// them at hand spares the step the waiting.
    pub fn next_bytes(&self) -> Option<Range<u64>> {
        match &self.work {
            Work::Open(source) => Some(0..source.size_bytes.min(HEADER_BYTES)),
            Work::Load { loading, .. } => loading.next_bytes(),
            _ => None,
        }
    }

    /// Whether [`Engine::step`] would do nothing.
    pub fn is_idle(&self) -> bool {
        matches!(self.work, Work::Nothing)
    }

    /// Frees the open model before another one comes: both at once may not fit the memory.
    fn make_room(&mut self) -> Result<(), EngineError> {
        match self.work {
            Work::Generate(_) | Work::Score(..) | Work::Measure(..) => Err(EngineError::Working),
            Work::Nothing | Work::Open(_) | Work::Load { .. } => {
                self.work = Work::Nothing;
                self.open = None;
                Ok(())
            }
        }
    }

    fn begin(
        &mut self,
        file: ModelFile,
        name: &str,
        size_bytes: u64,
        started_ms: f64,
    ) -> Vec<Event> {
        let loading = Box::new(Loading::new(file, name, size_bytes));
        let event = reading(loading.progress());
        self.work = Work::Load {
            loading,
            started_ms,
        };
        vec![event]
    }

    fn load_part(
        &mut self,
        mut loading: Box<Loading>,
        started_ms: f64,
        clock: &dyn Fn() -> f64,
    ) -> Result<Vec<Event>, EngineError> {
        let part = |progress: LoadProgress| progress.done * PROGRESS_PARTS / progress.total.max(1);
        let before = loading.progress();
        let after = loading.step()?;
        if loading.next_bytes().is_some() {
            self.work = Work::Load {
                loading,
                started_ms,
            };
            // Most tensors are small: a page is not told of each.
            return Ok(match part(after) > part(before) {
                true => vec![reading(after)],
                false => Vec::new(),
            });
        }
        // The file and its buffers are gone when the memory is measured.
        let mut open = loading.finish();
        open.info.load_ms = clock() - started_ms;
        open.info.memory_bytes = self.memory_bytes();
        let model = open.info.clone();
        self.open = Some(open);
        Ok(vec![reading(after), Event::Ready { model }])
    }

    fn start(
        &mut self,
        id: JobId,
        prompt: &str,
        params: &GenerationParams,
    ) -> Result<(), EngineError> {
        let open = self.free()?;
        let (model, tokenizer) = (Arc::clone(&open.model), Arc::clone(&open.tokenizer));
        self.jobs = self.jobs.wrapping_add(1);
        // Steps of 2^32 / golden ratio: seeds picked here are far apart, since seed + i is taken by sequence i.
        let seed = params
            .seed
            .unwrap_or_else(|| self.jobs.wrapping_mul(0x9E37_79B9));
        let generation = Generation::new(model, tokenizer, prompt, params, seed)?
            .with_threads(self.threads.clone());
        self.work = Work::Generate(Box::new(Job {
            id,
            generation,
            seed,
            prefill_ms: 0.0,
            decode_ms: 0.0,
        }));
        Ok(())
    }

    fn start_scores(&self, text: &str) -> Result<Scores, EngineError> {
        let open = self.free()?;
        let scores = Scores::new(Arc::clone(&open.model), &open.tokenizer, text)?;
        Ok(scores.with_threads(self.threads.clone()))
    }

    fn start_measurement(&self) -> Result<Measurement, EngineError> {
        let threads = self.threads.clone();
        Ok(Measurement::new(self.free()?, threads, MEASUREMENT_MS)?)
    }

    /// The model, if a job may begin.
    fn free(&self) -> Result<&OpenModel, EngineError> {
        match self.work {
            Work::Generate(_) | Work::Score(..) | Work::Measure(..) => Err(EngineError::Working),
            Work::Open(_) | Work::Load { .. } => Err(EngineError::Loading),
            Work::Nothing => self.open.as_ref().ok_or(EngineError::NoModel),
        }
    }

    fn score_part(&mut self, job: JobId, mut scores: Box<Scores>) -> Vec<Event> {
        match scores.step() {
            Ok(Some(logits)) => vec![Event::Logits { job, logits }],
            Ok(None) => {
                self.work = Work::Score(job, scores);
                Vec::new()
            }
            Err(error) => vec![failed(Some(job), &error.into())],
        }
    }

    fn measure_part(
        &mut self,
        job: JobId,
        mut measurement: Box<Measurement>,
        clock: &dyn Fn() -> f64,
    ) -> Vec<Event> {
        match measurement.step(clock) {
            Ok(Some(speeds)) => vec![Event::Measured { job, speeds }],
            Ok(None) => {
                let event = measuring(job, &measurement);
                self.work = Work::Measure(job, measurement);
                vec![event]
            }
            Err(error) => vec![failed(Some(job), &error.into())],
        }
    }

    fn generate_part(&mut self, mut job: Box<Job>, clock: &dyn Fn() -> f64) -> Vec<Event> {
        let is_prefilling = job.generation.is_prefilling();
        let before = clock();
        let outputs = job.generation.step();
        let elapsed_ms = clock() - before;
        if is_prefilling {
            job.prefill_ms += elapsed_ms;
        } else {
            job.decode_ms += elapsed_ms;
        }
        match outputs {
            Ok(outputs) => {
                let mut events = told(job.id, outputs);
                if job.generation.is_done() {
                    events.push(self.done(&job, false));
                } else {
                    self.work = Work::Generate(job);
                }
                events
            }
            Err(error) => vec![failed(Some(job.id), &error.into())],
        }
    }

    fn stop(&mut self, id: JobId) -> Vec<Event> {
        match std::mem::take(&mut self.work) {
            Work::Generate(mut job) if job.id == id => {
                let mut events = told(id, job.generation.stop());
                events.push(self.done(&job, true));
                events
            }
            Work::Score(job, _) | Work::Measure(job, _) if job == id => {
                vec![Event::Done {
                    job,
                    stopped: true,
                    stats: self.stats(),
                }]
            }
            Work::Open(_) | Work::Load { .. } if id == 0 => {
                vec![failed(None, &EngineError::Cancelled)]
            }
            // A stop that crosses the end of its job is no error.
            work => {
                self.work = work;
                Vec::new()
            }
        }
    }

    fn tokenize(&self, job: JobId, text: &str) -> Result<Event, EngineError> {
        let open = self.opened()?;
        open.tokenizer.check_length(text, open.info.config.n_ctx)?;
        let token_ids = open.tokenizer.encode(text)?;
        let tokens = token_ids
            .iter()
            .map(|id| open.tokenizer.token_text(*id))
            .collect();
        Ok(Event::Tokens {
            job,
            token_ids,
            tokens,
        })
    }

    fn detokenize(&self, job: JobId, token_ids: &[u32]) -> Result<Event, EngineError> {
        let text = self.opened()?.tokenizer.decode(token_ids)?;
        Ok(Event::Text { job, text })
    }

    fn opened(&self) -> Result<&OpenModel, EngineError> {
        self.open.as_ref().ok_or(match self.work {
            Work::Open(_) | Work::Load { .. } => EngineError::Loading,
            Work::Nothing | Work::Generate(_) | Work::Score(..) | Work::Measure(..) => {
                EngineError::NoModel
            }
        })
    }

    fn done(&self, job: &Job, stopped: bool) -> Event {
        Event::Done {
            job: job.id,
            stopped,
            stats: RunStats {
                prompt_tokens: job.generation.prompt_tokens(),
                new_tokens: job.generation.new_tokens(),
                prefill_ms: job.prefill_ms,
                decode_ms: job.decode_ms,
                seed: job.seed,
                ..self.stats()
            },
        }
    }

    /// Those of a job that wrote nothing.
    fn stats(&self) -> RunStats {
        RunStats {
            threads: self.threads.count(),
            simd: kernels::simd().to_owned(),
            memory_bytes: self.memory_bytes(),
            ..RunStats::default()
        }
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_meter.as_ref().map_or(0, |meter| meter())
    }
}
