//! `Head`: what the head of a server's answer tells of a file.

use web_sys::{Headers, Response};

use crate::web::shared::js_error::WebError;

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Offset of the body in the file.
    pub offset: u64,
    /// Length of the file, where it is told. In a whole answer it may be the compressed length: another host need not let
    /// a page see that an answer is compressed.
    pub total: Option<u64>,
    /// Whether the body is a range of the file.
    pub is_part: bool,
    /// The file's version: its ETag, else the time of its last change.
    pub validator: Option<String>,
}

/// The head of an answer to a request for the file from `offset` on.
///
/// # Errors
/// [`WebError::Status`]; [`WebError::StartOver`] where the file is shorter.
pub(super) fn head(response: &Response, offset: u64) -> Result<Head, WebError> {
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
        // The requested offset is after the last byte.
        416 => Err(WebError::StartOver),
        _ if response.ok() => {
            // A compressed answer announces its compressed length.
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

/// The file's version.
pub(super) fn validator(headers: &Headers) -> Option<String> {
    header(headers, "etag").or_else(|| header(headers, "last-modified"))
}

/// `bytes 100-199/1000`: the first byte and, unless it is `*`, the length.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The value of a header.
pub(super) fn header(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}
