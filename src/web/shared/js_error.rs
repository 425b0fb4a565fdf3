//! `WebError`: why a call of the browser failed, as a typed error instead of a `JsValue`.

use wasm_bindgen::{JsCast, JsValue};

use crate::protocol::{ErrorCode, ErrorReport};
use crate::store::RecordError;

/// A browser call that failed.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The worker could not be created.
    #[error("the browser started no worker: {reason}")]
    NoWorker {
        /// The browser's own words.
        reason: String,
    },
    /// The server has never answered.
    #[error("{host} could not be reached")]
    NoContact {
        /// Its host name.
        host: String,
    },
    /// The server has never answered, and the connection to it was not refused either.
    #[error("{host} does not answer")]
    Silent {
        /// Its host name.
        host: String,
    },
    /// The connection broke, or a server that had answered before is out of reach.
    #[error("the connection broke after {loaded} bytes: {reason}")]
    Connection {
        /// Bytes that had arrived.
        loaded: u64,
        /// The browser's own words.
        reason: String,
    },
    /// The server answered with something other than the file.
    #[error("the server answered {status}")]
    Status {
        /// HTTP status.
        status: u16,
        /// Seconds that the server asks to wait.
        retry_after_s: Option<u32>,
    },
    /// A small file, such as a configuration, that is larger than such files can be.
    #[error("the file has more than the {most} bytes such a file can have")]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// The bytes so far do not belong to the answer: the file changed, or its server ignores ranges.
    #[error("the file changed during the download, or its server ignores ranges")]
    StartOver,
    /// The bytes are not those that the repository promises.
    #[error("`{file}` arrived with other bytes than the repository says it has")]
    Checksum {
        /// The file.
        file: String,
    },
    /// The storage is full.
    #[error("the browser has no more room to keep the model")]
    StorageFull,
    /// The storage failed.
    #[error("the browser's storage failed: {reason}")]
    Storage {
        /// The browser's own words.
        reason: String,
    },
    /// A record in storage that cannot be used.
    #[error(transparent)]
    Record(RecordError),
    /// The endpoint has no such repository, or does not show it.
    #[error("there is no model {name}, or it is private")]
    NoSuchModel {
        /// `OWNER/NAME`.
        name: String,
    },
    /// The model was refused, by the engine or by the choice of its files.
    #[error("{}", .0.message)]
    Refused(Box<ErrorReport>),
    /// Fewer or more bytes came than the server had announced.
    #[error("{got} of {expected} bytes arrived")]
    Length {
        /// Number of bytes announced.
        expected: u64,
        /// Number of bytes received.
        got: u64,
    },
    /// A file could not be read.
    #[error("the file could not be read: {reason}")]
    Read {
        /// The browser's own words.
        reason: String,
    },
    /// The visitor stopped the job.
    #[error("stopped")]
    Cancelled,
}

impl WebError {
    /// The failure and its remedy, for the page.
    pub fn report(&self) -> ErrorReport {
        let (code, hint, retryable) = match self {
            Self::Refused(report) => {
                return (**report).clone();
            }
            Self::Record(error) => (ErrorCode::Storage, error.hint(), true),
            Self::NoSuchModel { .. } => (
                ErrorCode::Download,
                "check the name; capital letters count",
                false,
            ),
            Self::Cancelled => (
                ErrorCode::Cancelled,
                "start it again to continue; bytes that are saved are not fetched again",
                true,
            ),
            Self::Length { .. } => (
                ErrorCode::Truncated,
                "the download was cut short; try again",
                true,
            ),
            Self::Status {
                status: 404 | 410, ..
            } => (
                ErrorCode::Download,
                "there is no such model; check the name or the address",
                false,
            ),
            Self::Status {
                status: 401 | 403, ..
            } => (
                ErrorCode::Download,
                "the model is private, gated or misspelt; download it yourself and open the file",
                false,
            ),
            Self::Status { .. } => (
                ErrorCode::Download,
                "the server may be busy; try again in a while",
                true,
            ),
            Self::Read { .. } => (ErrorCode::Download, "choose the file again", true),
            Self::StartOver => (
                ErrorCode::Download,
                "the model is being changed at its host; try again in a while",
                true,
            ),
            Self::Checksum { .. } => (
                ErrorCode::Truncated,
                "its bytes were discarded; try again",
                true,
            ),
            Self::TooLarge { .. } => (ErrorCode::NotAModel, "take another model", false),
            Self::StorageFull => (
                ErrorCode::Storage,
                "delete saved models, or free space on this device, then load it again; bytes that have arrived are kept",
                true,
            ),
            Self::Storage { .. } => (
                ErrorCode::Storage,
                "close other tabs of this page and try again, or open the model's file from your device",
                true,
            ),
            Self::NoWorker { .. } => (
                ErrorCode::WorkerCrashed,
                "the page's host or frame must allow workers: `worker-src 'self' blob:` in its security policy",
                true,
            ),
            Self::NoContact { .. } => (
                ErrorCode::Download,
                "check the address and whether you are online; the server may also forbid other sites to read its files",
                true,
            ),
            Self::Silent { .. } => (
                ErrorCode::Download,
                "it may be busy or out of order: try again in a while, or check the address",
                true,
            ),
            Self::Connection { .. } => (
                ErrorCode::Download,
                "check the connection and the address, then try again; bytes that are saved are not fetched again",
                true,
            ),
        };
        ErrorReport {
            code,
            message: self.to_string(),
            hint: hint.to_owned(),
            retryable,
        }
    }
}

impl From<RecordError> for WebError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// The message of a thrown value, or a plain stand-in.
pub fn reason(value: &JsValue) -> String {
    value
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| value.as_string())
        .unwrap_or_else(|| "the browser gave no reason".to_owned())
}

/// Whether a thrown value is the `AbortError` of an `AbortController`.
pub fn is_abort(value: &JsValue) -> bool {
    value
        .dyn_ref::<js_sys::Error>()
        .is_some_and(|error| error.name() == "AbortError")
}
