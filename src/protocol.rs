//! `Request`, `Event`, `ErrorReport`: the messages between page and worker, sent from Rust or from JavaScript.
//!
//! On the channel a request is a plain object, `{ v: 2, type: "…", … }`, with the field names below, and the worker
//! answers with arrays of such events: tokens come together. Every request but [`Request::LocateBundled`] and
//! [`Request::Stop`] is a job with an id of the asker's choice, and ends with one last event: its answer,
//! [`Event::Done`] or [`Event::Error`]. A load that another load replaces ends without such an event. A message of
//! another version or of an unknown shape is answered with [`ErrorCode::BadMessage`]. Two things stand beside the
//! fields, because JSON has no place for them: the bytes of picked files, as a list `blobs` of `File` or `Blob`, in a
//! `load` message, and a `Float32Array`, as `logits`, in a `logits` event.

use serde::{Deserialize, Serialize};

pub use crate::generate::output::{FinishedSequence, NewToken, StopReason};
pub use crate::generate::params::GenerationParams;
pub use crate::hub::{ModelRef, Offer, RepoId};
pub use crate::model::config::Gpt2Config;
pub use crate::notice::Notice;

/// Version of every message here; the two sides must agree.
pub const PROTOCOL_VERSION: u32 = 2;

/// Names one job; the asker chooses it, and the events of the job carry it.
pub type JobId = u32;

/// A request to the worker.
#[allow(
    clippy::large_enum_variant,
    reason = "few messages exist at a time, and each is serialized soon; on 32 bits it is small"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Tells the worker the address of the bundled model, before its first load; no answer.
    LocateBundled {
        /// Its absolute address.
        url: String,
    },
    /// Open a model in place of the one that is open, or that is being opened; answered by [`Event::Ready`].
    Load {
        /// The job.
        job: JobId,
        /// The model. The bytes of picked files stand beside the message.
        model: ModelRef,
        /// Whether to keep it on this device for the next visit, if it can be kept.
        #[serde(default)]
        keep: bool,
    },
    /// List a model's files and compute its costs, before its weights are fetched; answered by [`Event::Offered`].
    /// The worker remembers the answer of the host: another type, or the load, asks it no second time.
    LookUp {
        /// The job.
        job: JobId,
        /// The model, in the wanted type; a model for which [`ModelRef::is_storable`] holds.
        model: ModelRef,
        /// Memory of the device, where the page knows it.
        #[serde(default)]
        device_memory_bytes: Option<u64>,
    },
    /// Compute with adapters of the open model, in place of earlier ones; answered by [`Event::Adapted`]. For each adapter
    /// two files stand beside the message: `adapter_config.json` and `adapter_model.safetensors`.
    Adapt {
        /// The job.
        job: JobId,
        /// The adapters.
        adapters: Vec<AdapterShare>,
    },
    /// Continue a prompt; one job of the model runs at a time, a second one is refused with [`ErrorCode::Busy`].
    Generate {
        /// The job.
        job: JobId,
        /// Text as typed.
        prompt: String,
        /// How to continue it.
        params: GenerationParams,
    },
    /// The logits of the token after a text, to which no prefix is added.
    Logits {
        /// The job.
        job: JobId,
        /// The text.
        text: String,
    },
    /// Measure how fast this device runs the open model.
    Measure {
        /// The job.
        job: JobId,
    },
    /// End a job between two steps. A load or a look-up ends with [`ErrorCode::Cancelled`], any other job with
    /// [`Event::Done`] and `stopped`. For a job that has ended already there is no event.
    Stop {
        /// The job.
        job: JobId,
    },
    /// Ids of a text, without prefix.
    Tokenize {
        /// The job.
        job: JobId,
        /// The text.
        text: String,
    },
    /// Text of ids, special tokens left out.
    Detokenize {
        /// The job.
        job: JobId,
        /// The ids.
        token_ids: Vec<u32>,
    },
}

/// An adapter and how much of it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdapterShare {
    /// The name by which it is known again.
    pub name: String,
    /// 1: as it was trained; 0: not at all.
    pub share: f32,
}

impl Request {
    /// The job that it begins or stops.
    #[must_use]
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::LocateBundled { .. } => None,
            Self::Load { job, .. }
            | Self::LookUp { job, .. }
            | Self::Adapt { job, .. }
            | Self::Generate { job, .. }
            | Self::Logits { job, .. }
            | Self::Measure { job }
            | Self::Stop { job }
            | Self::Tokenize { job, .. }
            | Self::Detokenize { job, .. } => Some(*job),
        }
    }
}

/// An event in the worker.
#[allow(
    clippy::large_enum_variant,
    reason = "few messages exist at a time, and each is serialized soon; on 32 bits it is small"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The worker runs and takes requests.
    Started {
        /// Kernels in use, such as `simd128` or `scalar`.
        simd: String,
        /// Threads that compute; [`RunStats::threads`] counts again, as helpers may come later.
        threads: usize,
    },
    /// Progress of a load or a look-up.
    Progress {
        /// The job.
        job: JobId,
        /// The current stage of the work.
        stage: LoadStage,
    },
    /// A file of the model's weights is fetched next; [`LoadStage::Downloading`] counts the bytes of all files.
    Fetching {
        /// The job.
        job: JobId,
        /// Its name, as its host lists it.
        file: String,
        /// Bytes of the files before it.
        bytes_before: u64,
        /// Its length, where the host says so.
        size_bytes: Option<u64>,
    },
    /// The card of the model that is being loaded.
    Card {
        /// The job.
        job: JobId,
        /// The model's repository.
        repo: RepoId,
        /// Its `README.md`.
        markdown: String,
    },
    /// Answer to [`Request::Load`]: the model takes requests.
    Ready {
        /// The job.
        job: JobId,
        /// The opened model.
        model: ModelInfo,
    },
    /// Answer to [`Request::LookUp`].
    Offered {
        /// The job.
        job: JobId,
        /// Costs in every type, compared with the room on this device.
        offer: Offer,
    },
    /// Answer to [`Request::Adapt`].
    Adapted {
        /// The job.
        job: JobId,
    },
    /// One more token of one sequence.
    Token {
        /// The job.
        job: JobId,
        /// The token.
        #[serde(flatten)]
        token: NewToken,
    },
    /// One sequence is complete.
    Result {
        /// The job.
        job: JobId,
        /// The sequence.
        #[serde(flatten)]
        sequence: FinishedSequence,
    },
    /// All sequences of a job are complete, or it was stopped.
    Done {
        /// The job.
        job: JobId,
        /// Whether [`Request::Stop`] ended it.
        stopped: bool,
        /// Figures of the run.
        stats: RunStats,
    },
    /// Answer to [`Request::Tokenize`].
    Tokens {
        /// The job.
        job: JobId,
        /// The ids.
        token_ids: Vec<u32>,
        /// Their texts; incomplete characters are U+FFFD.
        tokens: Vec<String>,
    },
    /// Answer to [`Request::Detokenize`].
    Text {
        /// The job.
        job: JobId,
        /// The text.
        text: String,
    },
    /// Answer to [`Request::Logits`].
    Logits {
        /// The job.
        job: JobId,
        /// (V). On the channel a transferred `Float32Array`, because 50,257 numbers are too many for a message's
        /// fields.
        #[serde(skip)]
        logits: Vec<f32>,
    },
    /// Progress of a measurement.
    Measuring {
        /// The job.
        job: JobId,
        /// The work that is being measured.
        workload: Workload,
        /// From 1; 0 during the first, unmeasured round, which warms caches up.
        round: usize,
        /// Number of rounds to come; a slow device ends before.
        rounds: usize,
        /// Share that is done, 0 to 1.
        fraction: f64,
    },
    /// Answer to [`Request::Measure`].
    Measured {
        /// The job.
        job: JobId,
        /// The figures.
        speeds: Speeds,
    },
    /// The model of this asker is not open any more: an engine that several frames share has opened another's. Only the
    /// engine of frames sends it (`www/engine.js`).
    Closed {},
    /// Something failed; the worker goes on unless the code says otherwise.
    Error {
        /// The job that failed; `None` for a message that could not be read and for the end of the worker.
        job: Option<JobId>,
        /// The failure and its remedy.
        error: ErrorReport,
    },
}

/// A stage of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum LoadStage {
    /// The model's host is asked for its list of files.
    LookingUp,
    /// Another tab is fetching the same model; this one waits for it.
    OtherTab {
        /// Bytes that the other tab has fetched.
        #[serde(default)]
        loaded: u64,
        /// All bytes, where that is known.
        #[serde(default)]
        total: Option<u64>,
    },
    /// The host was asked some seconds ago, for the first time, and has not answered yet.
    Unanswered,
    /// The connection failed; the next attempt comes by itself.
    Waiting {
        /// Seconds until then.
        seconds: u32,
        /// The number of the next attempt, from 2; bytes that arrive begin the count anew.
        #[serde(default)]
        attempt: u32,
        /// Number of attempts.
        #[serde(default)]
        attempts: u32,
        /// Bytes that have arrived; they are not fetched again.
        loaded: u64,
    },
    /// The file changed during the download, or its server ignores ranges: it is fetched from its first byte again.
    StartingOver,
    /// Bytes are arriving.
    Downloading {
        /// Bytes so far.
        loaded: u64,
        /// All bytes, where the server says so.
        total: Option<u64>,
    },
    /// Tensors are read and packed.
    Reading {
        /// Bytes so far.
        loaded: u64,
        /// Bytes of all tensors.
        total: u64,
    },
}

/// Where an open model is kept for the next visit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Nowhere: it comes with the page, was opened from a file, or was not to be kept.
    #[default]
    None,
    /// In this tab, as long as it is open: the browser gives the page no storage.
    Tab,
    /// In the browser's database, on this device. A private window's database goes when the window is closed.
    Database,
    /// In the browser's private file system, on this device.
    PrivateFiles,
}

impl Retention {
    /// Whether the next visit finds the model.
    pub fn outlasts_visit(self) -> bool {
        matches!(self, Self::Database | Self::PrivateFiles)
    }
}

/// An open model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// A name to show: [`ModelRef::name`].
    pub name: String,
    /// Type of most weights: `q8_0`, `q4_0`, `q4_k`, `q6_k`, `f16`, `f32`.
    pub dtype: String,
    /// Length of the file.
    pub size_bytes: u64,
    /// Number of weights.
    pub n_params: u64,
    /// Its shape.
    pub config: Gpt2Config,
    /// The generation parameters of the model's own files.
    pub defaults: GenerationParams,
    /// What there is to know about its files, such as values that are passed over.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// Time from the first byte to ready.
    pub load_ms: f64,
    /// The engine's memory after loading.
    pub memory_bytes: u64,
    /// Where the model is kept for the next visit.
    #[serde(default)]
    pub retention: Retention,
}

/// Figures of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunStats {
    /// Tokens of prefix and prompt.
    pub prompt_tokens: usize,
    /// New tokens of all sequences.
    pub new_tokens: usize,
    /// Prompt pass.
    pub prefill_ms: f64,
    /// All decode steps.
    pub decode_ms: f64,
    /// Threads used.
    pub threads: usize,
    /// Kernels used.
    pub simd: String,
    /// The engine's memory at the end.
    pub memory_bytes: u64,
    /// The seed that was used.
    pub seed: u32,
}

/// The work that a measurement times, one after another in each round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// The weights are read and summed up.
    Memory,
    /// One text is written.
    OneText,
    /// Five texts are written together.
    FiveTexts,
}

/// How fast a device runs a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speeds {
    /// Tokens of the prompt of each run.
    pub prompt_tokens: usize,
    /// New tokens of each text of a run.
    pub new_tokens: usize,
    /// Rounds measured.
    pub rounds: usize,
    /// Prompt tokens per second.
    pub prefill: Spread,
    /// New tokens per second of one text, without the first token, which comes with the prompt.
    pub decode: Spread,
    /// New tokens per second of five texts written together.
    pub batch5: Spread,
    /// Bytes of weights per second read by a plain sum on one thread.
    pub sum_bytes: Spread,
    /// Bytes of weights read for one token of one text.
    pub weight_bytes: u64,
    /// Threads used.
    pub threads: usize,
    /// Kernels used.
    pub simd: String,
}

impl Speeds {
    /// Bytes of weights per second read while one text is written.
    pub fn decode_bytes_per_second(&self) -> f64 {
        self.decode.median * self.weight_bytes as f64
    }
}

/// A figure over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

/// A failure as a visitor can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The kind of failure, for programs.
    pub code: ErrorCode,
    /// The fact, one sentence.
    pub message: String,
    /// The remedy, one sentence.
    pub hint: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A message of another version or an unknown shape.
    BadMessage,
    /// A job is already running.
    Busy,
    /// No model is open yet.
    NoModel,
    /// The bytes did not arrive.
    Download,
    /// The file is cut short.
    Truncated,
    /// The file, the folder or the address holds no model that can be read.
    NotAModel,
    /// A model, but not a GPT-2, or larger than a browser can hold.
    UnsupportedModel,
    /// Parameters out of range.
    BadParameters,
    /// Prompt and new tokens do not fit the context.
    ContextOverflow,
    /// The browser gave no more memory. Without a job, the worker has ended.
    OutOfMemory,
    /// The worker ended by itself; it can be restarted.
    WorkerCrashed,
    /// The visitor stopped a load or a look-up.
    Cancelled,
    /// The browser has no room to keep a model, or its storage fails.
    Storage,
}
