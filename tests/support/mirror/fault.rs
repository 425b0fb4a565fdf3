//! `Fault`: a failure of a server, applied to one request or response.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, StreamExt as _, stream};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends after this many bytes of the answer's body.
    CutAt(u64),
    /// The body pauses once after `at` bytes.
    Stall {
        /// Bytes of the answer's body before the pause.
        at: u64,
        /// The pause.
        time: Duration,
    },
    /// The body pauses after this many bytes until [`let_go`](super::Mirror::let_go).
    Hold(u64),
    /// The body pauses before each of its pieces of 64 KiB or less.
    Slow(Duration),
    /// The response is the whole file whatever range was requested, without `Accept-Ranges`.
    IgnoreRange,
    /// From this request on the file has other bytes, and so another `ETag`.
    Replace(Vec<u8>),
    /// `Content-Length` is this many bytes more than are sent.
    Longer(u64),
    /// `Content-Length` is this many bytes less than the length of the file; the rest is not sent.
    Shorter(u64),
    /// The whole file compressed, with the compressed length, without ranges, and with a weak `ETag`.
    Gzip,
    /// A refusal with a short text.
    Status {
        /// 404, 503, …
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// Status 200 and a web page, as some hosts answer for a missing file.
    Html,
    /// The CORS preflight, before a request with `If-Range`, is refused.
    RefusePreflight,
}

/// A fault, several times in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misbehaviour {
    /// What goes wrong.
    pub fault: Fault,
    /// Number of requests with the fault; `usize::MAX`: all.
    pub times: usize,
}

impl From<Fault> for Misbehaviour {
    fn from(fault: Fault) -> Self {
        fault.times(1)
    }
}

impl Fault {
    /// A refusal without `Retry-After`.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            retry_after: None,
        }
    }

    /// The fault for this many requests in a row.
    pub fn times(self, times: usize) -> Misbehaviour {
        Misbehaviour { fault: self, times }
    }

    /// The fault until [`behave`](super::Mirror::behave).
    pub fn always(self) -> Misbehaviour {
        // No test has as many requests.
        self.times(usize::MAX)
    }

    pub(super) fn change_question(&self, headers: &mut HeaderMap) {
        if matches!(self, Self::IgnoreRange | Self::Gzip) {
            headers.remove(header::RANGE);
        }
    }

    pub(super) async fn change_answer(
        &self,
        answer: Response,
        is_let_go: &Arc<AtomicBool>,
    ) -> Response {
        let (mut head, body) = answer.into_parts();
        let headers = &mut head.headers;
        let body = match self {
            Self::Replace(_) => body,
            Self::CutAt(at) => cut(body, *at),
            Self::Stall { at, time } => stalled(body, *at, *time),
            Self::Hold(at) => held(body, *at, Arc::clone(is_let_go)),
            Self::Slow(pause) => slowed(body, *pause),
            Self::IgnoreRange => {
                headers.remove(header::ACCEPT_RANGES);
                body
            }
            Self::Longer(by) => {
                set_length(headers, |length| length + by);
                cut(body, u64::MAX)
            }
            Self::Shorter(by) => {
                set_length(headers, |length| length.saturating_sub(*by));
                body
            }
            Self::Gzip => {
                let compressed = gzip(&whole(body).await);
                headers.remove(header::ACCEPT_RANGES);
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                set_length(headers, |_| compressed.len() as u64);
                if let Some(etag) = headers.get(header::ETAG) {
                    let weak = [b"W/", etag.as_bytes()].concat();
                    headers.insert(header::ETAG, HeaderValue::from_bytes(&weak).unwrap());
                }
                Body::from(compressed)
            }
            Self::Status { code, retry_after } => {
                head.status = StatusCode::from_u16(*code).unwrap();
                about_no_file(headers, "text/plain");
                if let Some(seconds) = retry_after {
                    headers.insert(header::RETRY_AFTER, (*seconds).into());
                }
                Body::from("refused")
            }
            Self::Html => {
                head.status = StatusCode::OK;
                about_no_file(headers, "text/html");
                Body::from("<!doctype html><title>not here</title>")
            }
            Self::RefusePreflight => {
                head.status = StatusCode::FORBIDDEN;
                headers.clear();
                Body::empty()
            }
        };
        Response::from_parts(head, body)
    }
}

/// Removes the headers about the file and keeps those of CORS.
fn about_no_file(headers: &mut HeaderMap, content_type: &'static str) {
    let about_file: [HeaderName; 6] = [
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::ACCEPT_RANGES,
        header::CONTENT_ENCODING,
        header::ETAG,
        header::LAST_MODIFIED,
    ];
    for name in about_file {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
}

fn set_length(headers: &mut HeaderMap, change: impl Fn(u64) -> u64) {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    headers.insert(header::CONTENT_LENGTH, change(length.unwrap_or(0)).into());
}

async fn whole(body: Body) -> Bytes {
    to_bytes(body, usize::MAX)
        .await
        .expect("the mirror reads its own files")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// The chunks of the body with their offsets, with a boundary at `at`.
fn pieces(body: Body, at: u64) -> impl Stream<Item = (u64, Bytes)> {
    let mut next = 0;
    body.into_data_stream().flat_map(move |chunk| {
        let mut chunk = chunk.expect("the mirror reads its own files");
        let start = next;
        next += chunk.len() as u64;
        let mut parts = Vec::new();
        if start < at && at < next {
            parts.push((start, chunk.split_to(usize::try_from(at - start).unwrap())));
        }
        parts.push((next - chunk.len() as u64, chunk));
        stream::iter(parts)
    })
}

/// The body up to `at` or its end, followed by a broken connection.
fn cut(body: Body, at: u64) -> Body {
    let before = pieces(body, at)
        .take_while(move |(start, _)| std::future::ready(*start < at))
        .map(|(_, piece)| Ok(piece));
    let end = stream::once(async {
        // An error discards the bytes that are not sent yet.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(before.chain(end))
}

fn stalled(body: Body, at: u64, time: Duration) -> Body {
    Body::from_stream(pieces(body, at).then(move |(start, piece)| async move {
        if start == at {
            tokio::time::sleep(time).await;
        }
        Ok::<_, io::Error>(piece)
    }))
}

fn held(body: Body, at: u64, is_let_go: Arc<AtomicBool>) -> Body {
    Body::from_stream(pieces(body, at).then(move |(start, piece)| {
        let is_let_go = Arc::clone(&is_let_go);
        async move {
            while start == at && !is_let_go.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok::<_, io::Error>(piece)
        }
    }))
}

fn slowed(body: Body, pause: Duration) -> Body {
    Body::from_stream(body.into_data_stream().then(move |piece| async move {
        tokio::time::sleep(pause).await;
        piece
    }))
}
