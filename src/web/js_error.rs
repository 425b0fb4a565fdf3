//! `WebError`: what a browser call can refuse, as a typed error instead of a `JsValue`.

use wasm_bindgen::{JsCast, JsValue};

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
    },
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
