//! Streamed download of one file, continued after a broken connection.
//!
//! The answer to a plain `Range` request carries the file's version, its ETag or the time of its last change. `If-Range`
//! would check the version as well, but makes the browser send a preflight request to every other host, which hosts of
//! files often refuse.
//!
//! `gloo::net` is not used: its `send` panics when `fetch` is rejected with a value that is no `Error`, and a panic
//! ends the worker with the open model; the body is a bare `ReadableStream` there as well.

mod answer;
mod request;

use gloo::timers::callback::Timeout;
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Blob, Headers, ReadableStream, ReadableStreamDefaultReader, RequestInit,
};

use crate::web::shared::js_error::{WebError, reason};
pub use answer::Head;
use answer::head;
use request::{Broken, has_answered, send, within_time};
pub use request::{Delay, exists};

/// Seconds before each new attempt; after an attempt that brought bytes, the list begins again.
const WAITS_S: [u32; 5] = [1, 2, 4, 8, 16];
/// The same for a host that has never answered: a wrong address or a device without network is told soon.
const FIRST_CONTACT_WAITS_S: [u32; 1] = [1];
/// Longest wait that a server may ask for.
const MAX_WAIT_S: u32 = 60;
/// A receiver of the bytes of a file.
pub trait Receive {
    /// Offset of the next byte.
    fn offset(&self) -> u64;

    /// Length of the file, where a listing tells it.
    fn expected(&self) -> Option<u64> {
        None
    }

    /// Announces a body.
    ///
    /// # Errors
    /// [`WebError::StartOver`] if the earlier bytes do not belong to it. Any error ends the download.
    fn begin(&mut self, head: &Head) -> Result<(), WebError>;

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// Any error ends the download.
    fn take(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), WebError>>;
}

/// Fetches `url` from the receiver's offset on. It retries after failures that may pass, and reports each delay.
///
/// # Errors
/// [`WebError::Status`], [`WebError::NoContact`], [`WebError::Silent`], [`WebError::Connection`], [`WebError::Length`],
/// [`WebError::Cancelled`] once `abort` fires, and the receiver's.
pub async fn download(
    url: &str,
    abort: &AbortController,
    receiver: &mut impl Receive,
    on_delay: &dyn Fn(Delay),
) -> Result<(), WebError> {
    let mut attempt = 0;
    loop {
        let before = receiver.offset();
        let error = match fetch(url, abort, receiver, on_delay).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if may_pass(&error) && receiver.expected() == Some(receiver.offset()) {
            // Every byte has arrived, however the connection ended.
            return Ok(());
        }
        if receiver.offset() > before {
            attempt = 0;
        }
        let waits = match has_answered(url) {
            true => &WAITS_S[..],
            false => &FIRST_CONTACT_WAITS_S[..],
        };
        if !may_pass(&error) || attempt >= waits.len() {
            return Err(error);
        }
        let asked = match error {
            WebError::Status { retry_after_s, .. } => retry_after_s,
            _ => None,
        };
        let seconds = asked.unwrap_or(waits[attempt]).min(MAX_WAIT_S);
        attempt += 1;
        on_delay(Delay::Retry {
            seconds,
            attempt: attempt as u32 + 1,
            attempts: waits.len() as u32 + 1,
        });
        wait(seconds, abort).await?;
    }
}

/// All bytes of a file that has at most `most` bytes; `None` if there is no such file.
///
/// # Errors
/// As [`download`]; [`WebError::TooLarge`].
pub async fn download_small(
    url: &str,
    most: usize,
    abort: &AbortController,
    on_delay: &dyn Fn(Delay),
) -> Result<Option<Vec<u8>>, WebError> {
    let mut small = Small {
        bytes: Vec::new(),
        most,
    };
    match download(url, abort, &mut small, on_delay).await {
        Ok(()) => Ok(Some(small.bytes)),
        Err(WebError::Status {
            status: 404 | 410, ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Small {
    bytes: Vec<u8>,
    most: usize,
}

impl Receive for Small {
    fn offset(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn begin(&mut self, head: &Head) -> Result<(), WebError> {
        // The file is small enough to be fetched whole again.
        if head.offset != self.offset() {
            self.bytes.clear();
        }
        Ok(())
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), WebError> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(WebError::TooLarge { most: self.most });
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

async fn fetch(
    url: &str,
    abort: &AbortController,
    receiver: &mut impl Receive,
    on_delay: &dyn Fn(Delay),
) -> Result<(), WebError> {
    let offset = receiver.offset();
    let init = RequestInit::new();
    if offset > 0 {
        let headers = Headers::new().map_err(|e| Broken::Rejected(e).after(offset))?;
        let range = headers.append("Range", &format!("bytes={offset}-"));
        range.map_err(|e| Broken::Rejected(e).after(offset))?;
        init.set_headers(&headers);
        // The browser's cache may hold another version of the file.
        init.set_cache(web_sys::RequestCache::NoStore);
    }
    let response = send(url, &init, abort, offset, on_delay).await?;
    let begun = head(&response, offset).and_then(|head| {
        receiver.begin(&head)?;
        Ok(head)
    });
    let head = match begun {
        Ok(head) => head,
        Err(error) => {
            // An unread body would keep its connection open.
            if let Some(body) = response.body() {
                let _ = JsFuture::from(body.cancel()).await;
            }
            return Err(error);
        }
    };
    let body = response.body().ok_or_else(|| WebError::Connection {
        loaded: offset,
        reason: "the answer is empty".to_owned(),
    })?;
    pump(&body, abort, receiver).await?;
    let got = receiver.offset();
    // A decompressed body may be longer than announced, but never shorter.
    let announced = head.total.filter(|total| head.is_part || got < *total);
    match receiver.expected().or(announced) {
        Some(expected) if expected != got => Err(WebError::Length { expected, got }),
        _ => Ok(()),
    }
}

/// Passes the bytes of a file on this device to the receiver, from its offset on.
///
/// # Errors
/// [`WebError::Read`], [`WebError::Cancelled`] once `abort` fires, and the receiver's.
pub async fn read(
    blob: &Blob,
    abort: &AbortController,
    receiver: &mut impl Receive,
) -> Result<(), WebError> {
    let offset = receiver.offset();
    receiver.begin(&Head {
        offset,
        total: Some(blob.size() as u64),
        is_part: true,
        validator: None,
    })?;
    let rest = blob.slice_with_f64_and_f64(offset as f64, blob.size());
    let rest = rest.map_err(|e| WebError::Read { reason: reason(&e) })?;
    match pump(&rest.stream(), abort, receiver).await {
        Err(WebError::Connection { reason, .. }) => Err(WebError::Read { reason }),
        other => other,
    }
}

/// Passes the bytes of a stream to the receiver.
async fn pump(
    body: &ReadableStream,
    abort: &AbortController,
    receiver: &mut impl Receive,
) -> Result<(), WebError> {
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        let read = match within_time(reader.read()).await {
            Ok(read) => read,
            Err(broken) => {
                cancel(&reader).await;
                return Err(broken.after(receiver.offset()));
            }
        };
        if Reflect::get(&read, &JsValue::from_str("done")).is_ok_and(|done| done.is_truthy()) {
            return Ok(());
        }
        let value = Reflect::get(&read, &JsValue::from_str("value")).unwrap_or(JsValue::UNDEFINED);
        let Ok(chunk) = value.dyn_into::<Uint8Array>() else {
            continue;
        };
        if abort.signal().aborted() {
            cancel(&reader).await;
            return Err(WebError::Cancelled);
        }
        if let Err(error) = receiver.take(&chunk.to_vec()).await {
            cancel(&reader).await;
            return Err(error);
        }
    }
}

/// Closes a connection that may still be open.
async fn cancel(reader: &ReadableStreamDefaultReader) {
    // A broken connection rejects the promise; unhandled, the rejection would count as an error of the worker.
    let _ = JsFuture::from(reader.cancel()).await;
}

/// Whether the same request may succeed a little later.
fn may_pass(error: &WebError) -> bool {
    match error {
        WebError::NoContact { .. }
        | WebError::Silent { .. }
        | WebError::Connection { .. }
        | WebError::Length { .. } => true,
        WebError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
        _ => false,
    }
}

/// Waits, in steps, so that an abort ends it at once.
async fn wait(seconds: u32, abort: &AbortController) -> Result<(), WebError> {
    for _ in 0..seconds * 10 {
        if abort.signal().aborted() {
            return Err(WebError::Cancelled);
        }
        let mut timer = None;
        let tick = Promise::new(&mut |resolve: Function, _| {
            timer = Some(Timeout::new(100, move || {
                // A call of the promise's own function.
                let _ = resolve.call0(&JsValue::NULL);
            }));
        });
        // The promise is never rejected.
        let _ = JsFuture::from(tick).await;
    }
    Ok(())
}
