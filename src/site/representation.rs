//! Which representation of a file an answer carries: its encoding, its `ETag`, and how long a browser may use it
//! without asking again.

use super::assemble::NAME_DIGITS;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// For files whose name changes with their content.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For all others.
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");

/// Whether `name` carries a hash of the file's content: `app-0123456789abcdef_bg.wasm`.
fn has_hash(name: &str) -> bool {
    let is_hash = |part: &str| {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        digits == NAME_DIGITS && part[digits..].starts_with(['.', '_'])
    };
    name.rsplit_once('-').is_some_and(|(_, end)| is_hash(end))
}

/// The `ETag` of a representation, by the file's last change, its length and its encoding.
fn tag(headers: &HeaderMap) -> Option<HeaderValue> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let changed: String = text(header::LAST_MODIFIED)?
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let length = match text(header::CONTENT_RANGE) {
        Some(range) => range.rsplit('/').next()?,
        None => text(header::CONTENT_LENGTH)?,
    };
    let encoding = text(header::CONTENT_ENCODING).unwrap_or("identity");
    HeaderValue::from_str(&format!("\"{changed}-{length}-{encoding}\"")).ok()
}

/// Whether a list of tags, or `*`, has `tag`. A weak tag counts like a strong one.
fn lists(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else {
        return false;
    };
    let mut tags = list.split(',').map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// Passes a request on to the files, and completes their answer.
///
/// A range counts the bytes of the file itself, so a request with `Range` gets no encoding. Where `If-Range` names
/// another version, the whole file is sent.
pub(super) async fn represent(mut request: Request, next: Next) -> Response {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let freshness = if has_hash(name) {
        IMMUTABLE
    } else {
        REVALIDATED
    };
    let headers = request.headers_mut();
    if headers.contains_key(header::RANGE) {
        headers.remove(header::ACCEPT_ENCODING);
    }
    let known = headers.remove(header::IF_NONE_MATCH);
    if known.is_some() {
        headers.remove(header::IF_MODIFIED_SINCE);
    }
    if let Some(version) = headers.remove(header::IF_RANGE)
        && !is_current(&version, request.uri().clone(), next.clone()).await
    {
        request.headers_mut().remove(header::RANGE);
    }
    let mut answer = next.run(request).await;
    let status = answer.status();
    if !status.is_success() && status != StatusCode::NOT_MODIFIED {
        return answer;
    }
    let headers = answer.headers_mut();
    headers.insert(header::VARY, HeaderValue::from(header::ACCEPT_ENCODING));
    headers.insert(header::CACHE_CONTROL, freshness);
    let Some(tag) = tag(headers) else {
        return answer;
    };
    headers.insert(header::ETAG, tag.clone());
    if known.is_some_and(|known| lists(&known, &tag)) {
        let mut unchanged = StatusCode::NOT_MODIFIED.into_response();
        for name in [
            header::VARY,
            header::CACHE_CONTROL,
            header::ETAG,
            header::LAST_MODIFIED,
        ] {
            if let Some(value) = answer.headers().get(&name) {
                unchanged.headers_mut().insert(name, value.clone());
            }
        }
        return unchanged;
    }
    answer
}

/// Whether `version`, a tag or a date, is that of the file now.
async fn is_current(version: &HeaderValue, file: Uri, next: Next) -> bool {
    let mut question = Request::new(axum::body::Body::empty());
    *question.method_mut() = Method::HEAD;
    *question.uri_mut() = file;
    let answer = next.run(question).await;
    let headers = answer.headers();
    tag(headers).as_ref() == Some(version) || headers.get(header::LAST_MODIFIED) == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_a_hash_is_told_from_other_names() {
        for name in [
            "app-0123456789abcdef.js",
            "app-0123456789abcdef_bg.wasm",
            "app-0123456789abcdef_start.js",
            "base-0123456789abcdef.css",
        ] {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "",
            "index.html",
            "icon-192.png",
            "app-0123456789abcde.js",
            "app-0123456789abcdef0.js",
            "app-0123456789abcdeg.js",
            "0123456789abcdef.js",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }
}
