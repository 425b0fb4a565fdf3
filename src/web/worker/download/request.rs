//! A request to a server: hosts that do not answer are noticed soon and given up in time.

use std::cell::RefCell;
use std::collections::BTreeSet;

use gloo::timers::callback::Timeout;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestInit, Response, WorkerGlobalScope};

use super::answer::{header, validator};
use crate::web::shared::js_error::{WebError, is_abort, reason};

/// A host that has never answered is reported as silent after this time.
const SILENT_MS: u32 = 2_500;
/// A connection is given up when nothing arrives for this time.
const STALL_MS: u32 = 20_000;

/// A delay of a download, to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// The host has not answered its first request yet.
    Unanswered,
    /// The next attempt comes in some seconds.
    Retry {
        /// Seconds until then.
        seconds: u32,
        /// Its number, from 2.
        attempt: u32,
        /// Number of attempts.
        attempts: u32,
    },
}

thread_local! {
    /// The hosts that have answered a request of this worker, whatever they answered.
    static ANSWERED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// The host of an address.
fn host_of(url: &str) -> &str {
    let origin = origin(url);
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Scheme and host of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']);
    end.map_or(url, |end| &url[..host + end])
}

/// Whether the host of `url` has answered a request of this worker.
pub(super) fn has_answered(url: &str) -> bool {
    ANSWERED.with_borrow(|hosts| hosts.contains(origin(url)))
}

/// The properties of a file on a server, from the answer to a `HEAD` request.
#[derive(Debug)]
pub struct RemoteFile {
    /// Its length.
    pub size_bytes: Option<u64>,
    /// As [`Head::validator`].
    pub validator: Option<String>,
}

/// The properties of the file at `url`; `None` if there is no such file.
///
/// # Errors
/// [`WebError::Status`], and as [`send`].
pub async fn exists(
    url: &str,
    abort: &AbortController,
    on_delay: &dyn Fn(Delay),
) -> Result<Option<RemoteFile>, WebError> {
    let init = RequestInit::new();
    init.set_method("HEAD");
    let response = send(url, &init, abort, 0, on_delay).await?;
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
            Ok(Some(RemoteFile {
                size_bytes: length.filter(|n| *n > 0),
                validator: validator(&headers),
            }))
        }
    }
}

/// The answer to a request, of which `loaded` bytes had arrived before.
///
/// # Errors
/// [`WebError::NoContact`], [`WebError::Silent`], [`WebError::Connection`], [`WebError::Cancelled`].
pub(super) async fn send(
    url: &str,
    init: &RequestInit,
    abort: &AbortController,
    loaded: u64,
    on_delay: &dyn Fn(Delay),
) -> Result<Response, WebError> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    init.set_signal(Some(&abort.signal()));
    let answer = scope.fetch_with_str_and_init(url, init);
    if has_answered(url) {
        let response = within_time(answer)
            .await
            .map_err(|broken| broken.after(loaded));
        return Ok(response?.unchecked_into());
    }
    if is_silent(&answer).await {
        on_delay(Delay::Unanswered);
    }
    match within_time(answer).await {
        Ok(response) => {
            ANSWERED.with_borrow_mut(|hosts| hosts.insert(origin(url).to_owned()));
            Ok(response.unchecked_into())
        }
        Err(broken) => Err(broken.at_first_contact(host_of(url))),
    }
}

/// Whether a promise is still open after [`SILENT_MS`].
async fn is_silent(promise: &Promise) -> bool {
    let mut timer = None;
    let silence = Promise::new(&mut |resolve: Function, _| {
        timer = Some(Timeout::new(SILENT_MS, move || {
            // A call of the promise's own function.
            let _ = resolve.call1(&JsValue::NULL, &JsValue::from_str("silent"));
        }));
    });
    let first = Promise::race(&Array::of2(promise, &silence));
    // A rejection of `promise` is handled where it is awaited.
    JsFuture::from(first)
        .await
        .is_ok_and(|first| first.as_string().is_some())
}

/// Why a promise has no value.
pub(super) enum Broken {
    /// Nothing has come for [`STALL_MS`].
    Silent,
    /// It was rejected.
    Rejected(JsValue),
}

impl Broken {
    /// The error of a connection that broke after `loaded` bytes.
    pub(super) fn after(self, loaded: u64) -> WebError {
        match self {
            Self::Silent => WebError::Connection {
                loaded,
                reason: "nothing arrived for 20 seconds".to_owned(),
            },
            Self::Rejected(error) if is_abort(&error) => WebError::Cancelled,
            Self::Rejected(error) => WebError::Connection {
                loaded,
                reason: reason(&error),
            },
        }
    }

    /// The error of a host that has never answered.
    fn at_first_contact(self, host: &str) -> WebError {
        let host = host.to_owned();
        match self {
            Self::Silent => WebError::Silent { host },
            Self::Rejected(error) if is_abort(&error) => WebError::Cancelled,
            Self::Rejected(_) => WebError::NoContact { host },
        }
    }
}

/// The value of a promise that gives an object.
pub(super) async fn within_time(promise: Promise) -> Result<JsValue, Broken> {
    let mut timer = None;
    let stalled = Promise::new(&mut |resolve: Function, _| {
        timer = Some(Timeout::new(STALL_MS, move || {
            // A call of the promise's own function.
            let _ = resolve.call0(&JsValue::NULL);
        }));
    });
    let first = Promise::race(&Array::of2(&promise, &stalled));
    match JsFuture::from(first).await {
        Ok(nothing) if nothing.is_undefined() => Err(Broken::Silent),
        Ok(value) => Ok(value),
        Err(error) => Err(Broken::Rejected(error)),
    }
}
