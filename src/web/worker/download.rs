//! Streamed fetch of one file that goes on where it broke off.
//!
//! A file that changed meanwhile is noticed by what the server says of it (its ETag, or the time of its last change)
//! in the answer to a plain `Range` request: `If-Range` would say the same, but needs a question of its own in front
//! of every request to another host, which hosts of files often refuse.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Blob, Headers, ReadableStream, ReadableStreamDefaultReader, RequestInit,
    Response, WorkerGlobalScope,
};

use crate::web::shared::js_error::{WebError, is_abort, reason};

/// Seconds before each new attempt; every byte that arrives begins the list again.
const WAITS_S: [u32; 5] = [1, 2, 4, 8, 16];
/// Longest wait that a server may ask for.
const MAX_WAIT_S: u32 = 60;
/// A connection on which nothing arrives for so long is given up.
const STALL_MS: i32 = 20_000;

/// What the head of an answer says about its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Byte of the file that the body begins with.
    pub offset: u64,
    /// Length of the file, where it is told. Of a whole answer it may be the length before unpacking: another host
    /// need not let a page see that it is packed.
    pub total: Option<u64>,
    /// Whether the answer is a part of the file.
    pub is_part: bool,
    /// Changes when the file does: its ETag, else the time of its last change.
    pub validator: Option<String>,
}

/// Takes the bytes of a file.
pub trait Receive {
    /// The byte that is wanted next.
    fn offset(&self) -> u64;

    /// Length of the file, where that is known from elsewhere than its own server.
    fn expected(&self) -> Option<u64> {
        None
    }

    /// A body follows.
    ///
    /// # Errors
    /// [`WebError::StartOver`] if what came before does not belong to it; any other ends the download.
    fn begin(&mut self, head: &Head) -> Result<(), WebError>;

    /// The next bytes.
    ///
    /// # Errors
    /// Any ends the download.
    fn take(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), WebError>>;
}

/// Fetches `url` from the receiver's offset on. After a failure that may pass, it tries again; `on_wait` hears for
/// how many seconds it waits.
///
/// # Errors
/// [`WebError::Status`], [`WebError::Connection`], [`WebError::Length`], [`WebError::Cancelled`] once `abort` fires,
/// and the receiver's.
pub async fn download(
    url: &str,
    abort: &AbortController,
    receiver: &mut impl Receive,
    on_wait: &dyn Fn(u32),
) -> Result<(), WebError> {
    let mut attempt = 0;
    loop {
        let before = receiver.offset();
        let error = match fetch(url, abort, receiver).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if may_pass(&error) && receiver.expected() == Some(receiver.offset()) {
            // All is there, whatever the connection ended with.
            return Ok(());
        }
        if receiver.offset() > before {
            attempt = 0;
        }
        if !may_pass(&error) || attempt == WAITS_S.len() {
            return Err(error);
        }
        let asked = match error {
            WebError::Status { retry_after_s, .. } => retry_after_s,
            _ => None,
        };
        let seconds = asked.unwrap_or(WAITS_S[attempt]).min(MAX_WAIT_S);
        attempt += 1;
        on_wait(seconds);
        wait(seconds, abort).await?;
    }
}

/// All bytes of a file of at most `most`; `None` if there is no such file.
///
/// # Errors
/// As [`download`]; [`WebError::TooLarge`].
pub async fn download_small(
    url: &str,
    most: usize,
    abort: &AbortController,
    on_wait: &dyn Fn(u32),
) -> Result<Option<Vec<u8>>, WebError> {
    let mut small = Small {
        bytes: Vec::new(),
        most,
    };
    match download(url, abort, &mut small, on_wait).await {
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
        // Small enough to take it whole again.
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

/// What a server tells of a file that is not fetched.
#[derive(Debug)]
pub struct Told {
    /// Its length.
    pub size_bytes: Option<u64>,
    /// As [`Head::validator`].
    pub validator: Option<String>,
}

/// What is told of the file at `url`; `None` if there is no such file.
///
/// # Errors
/// [`WebError::Status`], [`WebError::Connection`], [`WebError::Cancelled`].
pub async fn exists(url: &str, abort: &AbortController) -> Result<Option<Told>, WebError> {
    let init = RequestInit::new();
    init.set_method("HEAD");
    let response = send(url, &init, abort, 0).await?;
    match response.status() {
        403 | 404 | 410 => Ok(None),
        status if !response.ok() => Err(WebError::Status {
            status,
            retry_after_s: None,
        }),
        _ => {
            let headers = response.headers();
            let length = header(&headers, "content-length");
            let length = length.and_then(|n| n.parse().ok());
            Ok(Some(Told {
                size_bytes: length.filter(|n| *n > 0),
                validator: validator(&headers),
            }))
        }
    }
}

async fn fetch(
    url: &str,
    abort: &AbortController,
    receiver: &mut impl Receive,
) -> Result<(), WebError> {
    let offset = receiver.offset();
    let init = RequestInit::new();
    if offset > 0 {
        let headers = Headers::new().map_err(|e| broken(&e, offset))?;
        let range = headers.append("Range", &format!("bytes={offset}-"));
        range.map_err(|e| broken(&e, offset))?;
        init.set_headers(&headers);
        // What the browser has of the file may be another one's by now.
        init.set_cache(web_sys::RequestCache::NoStore);
    }
    let response = send(url, &init, abort, offset).await?;
    let begun = head(&response, offset).and_then(|head| {
        receiver.begin(&head)?;
        Ok(head)
    });
    let head = match begun {
        Ok(head) => head,
        Err(error) => {
            // Unread, it would hold its connection.
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
    // Unpacked it may be longer than announced, but never shorter.
    let announced = head.total.filter(|total| head.is_part || got < *total);
    match receiver.expected().or(announced) {
        Some(expected) if expected != got => Err(WebError::Length { expected, got }),
        _ => Ok(()),
    }
}

/// Hands all bytes of a file on this device to the receiver, from its offset on.
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

/// Hands the bytes of a stream to the receiver.
async fn pump(
    body: &ReadableStream,
    abort: &AbortController,
    receiver: &mut impl Receive,
) -> Result<(), WebError> {
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        let read = within_time(reader.read(), receiver.offset()).await;
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                leave(&reader).await;
                return Err(error);
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
            leave(&reader).await;
            return Err(WebError::Cancelled);
        }
        if let Err(error) = receiver.take(&chunk.to_vec()).await {
            leave(&reader).await;
            return Err(error);
        }
    }
}

/// Ends a connection that may still be open.
async fn leave(reader: &ReadableStreamDefaultReader) {
    // Of a broken one the promise is refused, which would count as an error of the worker if nobody took it.
    let _ = JsFuture::from(reader.cancel()).await;
}

async fn send(
    url: &str,
    init: &RequestInit,
    abort: &AbortController,
    loaded: u64,
) -> Result<Response, WebError> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    init.set_signal(Some(&abort.signal()));
    let answer = scope.fetch_with_str_and_init(url, init);
    Ok(within_time(answer, loaded).await?.unchecked_into())
}

fn head(response: &Response, offset: u64) -> Result<Head, WebError> {
    let headers = response.headers();
    let validator = validator(&headers);
    match response.status() {
        206 => {
            let range = header(&headers, "content-range");
            let (start, total) = range
                .as_deref()
                .and_then(content_range)
                .unwrap_or((offset, None));
            Ok(Head {
                offset: start,
                total,
                is_part: true,
                validator,
            })
        }
        // There is nothing behind the last byte.
        416 => Err(WebError::StartOver),
        _ if response.ok() => {
            // A compressed answer announces its compressed length, which says nothing about the file's.
            let length = match header(&headers, "content-encoding") {
                Some(_) => None,
                None => header(&headers, "content-length"),
            };
            Ok(Head {
                offset: 0,
                total: length.and_then(|length| length.parse().ok()),
                is_part: false,
                validator,
            })
        }
        status => Err(WebError::Status {
            status,
            retry_after_s: header(&headers, "retry-after").and_then(|s| s.parse().ok()),
        }),
    }
}

fn validator(headers: &Headers) -> Option<String> {
    header(headers, "etag").or_else(|| header(headers, "last-modified"))
}

/// `bytes 100-199/1000`: the first byte and, unless it is `*`, the length.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}

/// Whether the same request may succeed a little later.
fn may_pass(error: &WebError) -> bool {
    match error {
        WebError::Connection { .. } | WebError::Length { .. } => true,
        WebError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
        _ => false,
    }
}

/// What a promise gives, unless it takes so long that the connection must have died.
async fn within_time(promise: Promise, loaded: u64) -> Result<JsValue, WebError> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let mut timer = None;
    let late = Promise::new(&mut |_, reject: Function| {
        let words = JsValue::from_str("nothing arrived for 20 seconds");
        timer = scope
            .set_timeout_with_callback_and_timeout_and_arguments_1(&reject, STALL_MS, &words)
            .ok();
    });
    let first = Promise::race(&Array::of2(&promise, &late));
    let settled = JsFuture::from(first).await;
    if let Some(timer) = timer {
        scope.clear_timeout_with_handle(timer);
    }
    settled.map_err(|e| broken(&e, loaded))
}

/// Waits; in steps, so that a stop need not.
async fn wait(seconds: u32, abort: &AbortController) -> Result<(), WebError> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    for _ in 0..seconds * 10 {
        if abort.signal().aborted() {
            return Err(WebError::Cancelled);
        }
        let tick = Promise::new(&mut |resolve, _| {
            // Without timers there is nothing to wait with.
            let _ = scope.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 100);
        });
        let _ = JsFuture::from(tick).await;
    }
    Ok(())
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
