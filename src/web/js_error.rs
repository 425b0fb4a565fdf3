//! `WebError`: what a browser call can refuse, as a typed error instead of a `JsValue`.

use wasm_bindgen::{JsCast, JsValue};

use crate::protocol::ErrorReport;
use crate::store::OtherVersion;

/// A browser call that failed.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The worker could not be created.
    #[error("the browser started no worker: {reason}")]
    NoWorker {
        /// The browser's own words.
        reason: String,
    },
    /// The server could not be reached, or the connection broke.
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
        /// When it asks to be asked again.
        retry_after_s: Option<u32>,
    },
    /// A small file that is not.
    #[error("the file has more than the {most} bytes such a file can have")]
    TooLarge {
        /// The cap.
        most: usize,
    },
    /// What came before does not belong to what comes now: the file changed, or the server sends it only whole.
    #[error("the file changed on its way, or its server sends it only whole")]
    StartOver,
    /// The bytes are not those that the repository promises.
    #[error("`{file}` arrived with other bytes than the repository says it has")]
    Checksum {
        /// The file.
        file: String,
    },
    /// No more room.
    #[error("the browser has no more room to keep the model")]
    StorageFull,
    /// Storage that fails.
    #[error("the browser's storage failed: {reason}")]
    Storage {
        /// The browser's own words.
        reason: String,
    },
    /// What arrived was refused.
    #[error("{}", .0.message)]
    Refused(Box<ErrorReport>),
    /// Fewer or more bytes came than the server had announced.
    #[error("{got} of {expected} bytes arrived")]
    Length {
        /// As announced.
        expected: u64,
        /// As arrived.
        got: u64,
    },
    /// A file could not be read.
    #[error("the file could not be read: {reason}")]
    Read {
        /// The browser's own words.
        reason: String,
    },
    /// The visitor stopped it.
    #[error("stopped")]
    Cancelled,
}

impl From<OtherVersion> for WebError {
    fn from(error: OtherVersion) -> Self {
        Self::Storage {
            reason: error.to_string(),
        }
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
