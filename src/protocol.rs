//! `Request`, `Event`, `ErrorReport`: all that passes between page and worker, from Rust or from JavaScript.
//!
//! On the channel a request is a plain object, `{ v: 1, type: "…", … }`, with the field names below, and the worker
//! answers with arrays of such events: tokens come together.
//! A message of another version or of an unknown shape is answered with [`ErrorCode::BadMessage`].
//! What JSON has no place for stands beside the fields: a `File` or `Blob`, as `blob`, in a `load` message,
//! and a `Float32Array`, as `logits`, in a `logits` event.

use serde::{Deserialize, Serialize};

pub use crate::generate::params::GenerationParams;
pub use crate::model::config::Gpt2Config;

/// Version of every message here; the two sides must agree.
pub const PROTOCOL_VERSION: u32 = 1;

/// Names one generation, chosen by the asker; events carry it back.
pub type JobId = u32;

/// A message with its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// [`PROTOCOL_VERSION`] of the sender.
    pub v: u32,
    /// The message itself; its `type` and fields stand beside `v`.
    #[serde(flatten)]
    pub message: T,
}

impl<T> Envelope<T> {
    /// The message under this build's version.
    pub fn new(message: T) -> Self {
        Self {
            v: PROTOCOL_VERSION,
            message,
        }
    }
}

/// What the page asks of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Open a model; replaces the one that is open.
    Load {
        /// Where its bytes are.
        source: ModelSource,
    },
    /// Continue a prompt; one job runs at a time, a second one is refused with [`ErrorCode::Busy`].
    Generate {
        /// Chosen by the asker.
        job: JobId,
        /// Text as typed.
        prompt: String,
        /// How to continue it.
        params: GenerationParams,
    },
    /// Scores for the token after a text, to which no prefix is added.
    Logits {
        /// Chosen by the asker.
        job: JobId,
        /// The text.
        text: String,
    },
    /// Measure how fast this device runs the open model.
    Measure {
        /// Chosen by the asker.
        job: JobId,
    },
    /// End a job between two tokens; answered by [`Event::Done`] with `stopped`. Also ends a load (job 0).
    Stop {
        /// The job.
        job: JobId,
    },
    /// Ids of a text, without prefix.
    Tokenize {
        /// Chosen by the asker.
        job: JobId,
        /// The text.
        text: String,
    },
    /// Text of ids, special tokens left out.
    Detokenize {
        /// Chosen by the asker.
        job: JobId,
        /// The ids.
        token_ids: Vec<u32>,
    },
}

/// Where a model's bytes come from. The worker fetches them itself; they never cross the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelSource {
    /// A GGUF at an absolute address, not to be kept.
    Url {
        /// The address.
        url: String,
        /// What to call it.
        name: String,
    },
    /// A model of the Hub, or at an address.
    Model {
        /// `OWNER/NAME`, the address of a GGUF or of a folder, or an old handle: what [`crate::hub`] reads.
        model: String,
        /// Read repositories from here instead of the Hub.
        #[serde(default)]
        endpoint: Option<String>,
        /// What float weights become, and which GGUF is taken: `auto`, `q8_0`, `q4_0`, `q4_k`, `q6_k`, `f16`, `f32`.
        #[serde(default)]
        dtype: Option<String>,
        /// Whether to keep it on this device for the next time.
        #[serde(default)]
        keep: bool,
    },
    /// The `blob` beside the message: a GGUF.
    File {
        /// Its file name.
        name: String,
    },
    /// The `blobs` beside the message, in this order: the files of a folder laid out like a repository.
    Files {
        /// What to call the model.
        name: String,
        /// The files' names in the folder.
        files: Vec<String>,
    },
}

/// What the worker tells the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The worker runs and takes requests.
    Started {
        /// Kernels in use, such as `simd128` or `scalar`.
        simd: String,
        /// Threads that compute; [`RunStats::threads`] counts again, as helpers may come later.
        threads: usize,
    },
    /// How far a load is.
    Progress {
        /// What is going on.
        stage: LoadStage,
    },
    /// The card of the model that is being loaded.
    Card {
        /// `OWNER/NAME`.
        repo: String,
        /// Its `README.md`.
        markdown: String,
    },
    /// The model can be asked.
    Ready {
        /// What was opened.
        model: ModelInfo,
    },
    /// A piece of text of one sequence: whole characters only, sometimes none yet.
    Token {
        /// The job.
        job: JobId,
        /// 0-based index of the sequence.
        sequence: usize,
        /// The token.
        token_id: u32,
        /// Text that became whole with it.
        text: String,
        /// Its probability after all filters.
        prob: f32,
    },
    /// One sequence is complete.
    Result {
        /// The job.
        job: JobId,
        /// 0-based index of the sequence.
        sequence: usize,
        /// Prompt and continuation, or the continuation alone, as `return_full_text` asked.
        generated_text: String,
        /// Why it ended.
        stop_reason: StopReason,
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
        /// Their texts; bytes that are no whole character read as U+FFFD.
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
        /// (V). On the channel a `Float32Array` whose memory is handed over: 50,257 numbers are no message.
        #[serde(skip)]
        logits: Vec<f32>,
    },
    /// How far a measurement is.
    Measuring {
        /// The job.
        job: JobId,
        /// What is going on.
        part: MeasuredPart,
        /// From 1; 0 while all is run once for warmth.
        round: usize,
        /// How many there will be, or fewer on a slow device.
        rounds: usize,
        /// Share that is done, 0 to 1.
        fraction: f64,
    },
    /// Answer to [`Request::Measure`].
    Measured {
        /// The job.
        job: JobId,
        /// What was found.
        speeds: Speeds,
    },
    /// Something failed; the worker goes on unless the code says otherwise.
    Error {
        /// The job it belongs to; none for a load or a message that could not be read.
        job: Option<JobId>,
        /// What and what to do.
        error: ErrorReport,
    },
}

/// The part of a load that is going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum LoadStage {
    /// The model's host is asked what there is.
    Looking,
    /// Another tab is fetching the same model; this one waits for it.
    OtherTab {
        /// Bytes that the other one has.
        #[serde(default)]
        loaded: u64,
        /// All bytes, where that is known.
        #[serde(default)]
        total: Option<u64>,
    },
    /// The connection failed; the next attempt comes by itself.
    Waiting {
        /// In so many seconds.
        seconds: u32,
        /// Bytes that are there and stay.
        loaded: u64,
    },
    /// The file changed on its way, or its server sends it only whole, so it is fetched from its first byte again.
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

/// Where an open model is kept for the next time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// Nowhere: it comes with the page, was opened from a file, or was not to be kept.
    #[default]
    Nothing,
    /// In this tab, as long as it is open: the browser gives no storage here.
    Tab,
    /// On this device, in the browser's database: it has no private file system to give, as in private windows, and
    /// what a private window keeps goes when that is closed.
    Database,
    /// On this device, in the browser's private file system.
    Device,
}

impl Keeping {
    /// Whether another visit finds it again.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Database | Self::Device)
    }
}

/// What is known of an open model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// As the source named it.
    pub name: String,
    /// Type of most weights: `q8_0`, `q4_0`, `q4_k`, `q6_k`, `f16`, `f32`.
    pub dtype: String,
    /// Length of the file.
    pub size_bytes: u64,
    /// Number of weights.
    pub n_params: u64,
    /// Its shape.
    pub config: Gpt2Config,
    /// The parameters the model itself asks for.
    pub defaults: GenerationParams,
    /// Time from bytes in hand to ready.
    pub load_ms: f64,
    /// The engine's memory after loading.
    pub memory_bytes: u64,
    /// Where it is kept for the next time.
    #[serde(default)]
    pub keeping: Keeping,
}

/// Why a sequence ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model wrote its end-of-text token.
    EndOfText,
    /// `max_length` or `max_new_tokens` was reached.
    Length,
    /// A line break came and `stop_at_newline` was set.
    Newline,
    /// The visitor stopped it.
    Stopped,
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

/// A part of each round of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredPart {
    /// The weights are summed up, nothing else.
    Memory,
    /// One text is written.
    OneText,
    /// Five are, together.
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
    /// New tokens per second of one text, the first left out: it comes with the prompt.
    pub decode: Spread,
    /// The same of five texts written together, all their tokens counted.
    pub batch5: Spread,
    /// Bytes of weights per second that a plain sum on one thread reads.
    pub sum_bytes: Spread,
    /// Bytes of weights that a token of one text is multiplied with.
    pub weight_bytes: u64,
    /// Threads used.
    pub threads: usize,
    /// Kernels used.
    pub simd: String,
}

impl Speeds {
    /// Bytes of weights per second that writing one text reads.
    pub fn decode_bytes_per_second(&self) -> f64 {
        self.decode.median * self.weight_bytes as f64
    }
}

/// A figure over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The one in the middle, or the mean of the two there.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

/// A failure as a visitor can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// What the page branches on.
    pub code: ErrorCode,
    /// What happened, one sentence.
    pub message: String,
    /// What to do next, one sentence.
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
    /// Nothing is open yet.
    NoModel,
    /// The bytes could not be had.
    Download,
    /// The file is cut short.
    Truncated,
    /// The file is no model this program knows.
    NotAModel,
    /// A model, but not a GPT-2, or larger than a browser can hold.
    UnsupportedModel,
    /// Parameters out of range.
    BadParameters,
    /// Prompt and new tokens do not fit the context.
    ContextOverflow,
    /// The browser gave no more memory; the worker has ended.
    OutOfMemory,
    /// The worker ended by itself; it can be restarted.
    WorkerCrashed,
    /// The visitor stopped a load.
    Cancelled,
    /// No room to keep a model, or storage that fails.
    Storage,
}
