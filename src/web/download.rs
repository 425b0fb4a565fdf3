//! Streamed fetch of one file into a `Blob`, with bytes-of-bytes progress and cancel.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Blob, ReadableStreamDefaultReader, RequestInit, Response, WorkerGlobalScope,
};

use super::js_error::{WebError, is_abort, reason};

/// Bytes gathered before they are handed to the browser's blob store, which keeps them outside
/// this worker's memory and may put them on disk.
const PART_BYTES: u64 = 8 << 20;

/// Fetches `url`. `on_progress(loaded, total)` is called for every chunk that arrives.
///
/// # Errors
/// [`WebError::Status`], [`WebError::Connection`], [`WebError::Length`], and
/// [`WebError::Cancelled`] once `abort` fires.
pub async fn download(
    url: &str,
    abort: &AbortController,
    mut on_progress: impl FnMut(u64, Option<u64>),
) -> Result<Blob, WebError> {
    let mut loaded = 0_u64;
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let init = RequestInit::new();
    init.set_signal(Some(&abort.signal()));
    let response: Response = JsFuture::from(scope.fetch_with_str_and_init(url, &init))
        .await
        .map_err(|e| broken(&e, loaded))?
        .unchecked_into();
    if !response.ok() {
        return Err(WebError::Status {
            status: response.status(),
        });
    }
    let headers = response.headers();
    let header = |name| headers.get(name).ok().flatten();
    // A compressed answer announces its compressed length, which says nothing about the file's.
    let total = match header("content-encoding") {
        Some(_) => None,
        None => header("content-length").and_then(|length| length.parse::<u64>().ok()),
    };
    on_progress(0, total);
    let Some(body) = response.body() else {
        return Err(WebError::Status {
            status: response.status(),
        });
    };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let parts = Array::new();
    let mut chunks = Array::new();
    let mut chunk_bytes = 0_u64;
    loop {
        let read = JsFuture::from(reader.read())
            .await
            .map_err(|e| broken(&e, loaded))?;
        if Reflect::get(&read, &JsValue::from_str("done")).is_ok_and(|done| done.is_truthy()) {
            break;
        }
        let value = Reflect::get(&read, &JsValue::from_str("value")).unwrap_or(JsValue::UNDEFINED);
        let Ok(chunk) = value.dyn_into::<Uint8Array>() else {
            continue;
        };
        let length = u64::from(chunk.length());
        chunks.push(&chunk);
        chunk_bytes += length;
        loaded += length;
        if chunk_bytes >= PART_BYTES {
            parts.push(&blob_of(&chunks)?.into());
            chunks = Array::new();
            chunk_bytes = 0;
        }
        on_progress(loaded, total);
    }
    parts.push(&blob_of(&chunks)?.into());
    match total {
        Some(expected) if expected != loaded => Err(WebError::Length {
            expected,
            got: loaded,
        }),
        _ => blob_of(&parts),
    }
}

fn blob_of(parts: &Array) -> Result<Blob, WebError> {
    Blob::new_with_u8_array_sequence(parts).map_err(|e| WebError::Read { reason: reason(&e) })
}

fn broken(error: &JsValue, loaded: u64) -> WebError {
    if is_abort(error) {
        WebError::Cancelled
    } else {
        WebError::Connection {
            loaded,
            reason: reason(error),
        }
    }
}
