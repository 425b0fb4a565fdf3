//! JSON as people's files have it: with a byte order mark, and with the numbers `NaN` and `Infinity` of Python's writer.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

use crate::file_kind::FileKind;

/// Most characters of the reader's error, which quotes a text of the file whole where a value of another type belongs.
const MOST_CHARS: usize = 200;

/// Why a file's bytes were not read as JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Another kind of file came in its place.
    #[error("it is {found}")]
    Other {
        /// What came.
        found: FileKind,
    },
    /// It is damaged, or a value has another type.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
}

/// A value from the JSON in `bytes`.
///
/// A byte order mark is passed over. The bare words `NaN`, `Infinity` and `-Infinity`, which Python writes for numbers
/// that JSON cannot state, count as `null`.
///
/// # Errors
/// [`JsonError`].
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The words are errors to the reader, so only a file that it refuses is searched for them.
    let read = serde_json::from_slice(text).or_else(|error| match without_bare_words(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(text) => serde_json::from_slice(&text),
    });
    read.map_err(|source| match FileKind::of(text) {
        FileKind::Json | FileKind::Unknown => JsonError::Malformed(shortened(source)),
        found => JsonError::Other { found },
    })
}

/// A whole number below 2^32, which may be written as a float, as Python's numeric libraries do.
pub fn whole_number(value: &Value) -> Option<u32> {
    if let Some(n) = value.as_u64() {
        return u32::try_from(n).ok();
    }
    let float = value.as_f64()?;
    let is_whole = float.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&float);
    is_whole.then_some(float as u32)
}

/// The error, if it is short, else its beginning.
fn shortened(error: serde_json::Error) -> serde_json::Error {
    let message = error.to_string();
    match message.char_indices().nth(MOST_CHARS) {
        None => error,
        Some((end, _)) => serde_json::Error::custom(format!("{}…", &message[..end])),
    }
}

/// The text with `null` for the words of Python that stand outside of strings.
fn without_bare_words(text: &[u8]) -> Cow<'_, [u8]> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    // These letters begin no other word of JSON, and most files have none outside of strings.
    let mut changed: Option<Vec<u8>> = None;
    let (mut at, mut copied, mut is_in_string) = (0, 0, false);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => is_in_string = !is_in_string,
            b'\\' if is_in_string => at += 1,
            b'N' | b'I' | b'-' if !is_in_string => {
                if let Some(word) = WORDS.into_iter().find(|word| text[at..].starts_with(word)) {
                    let changed = changed.get_or_insert_default();
                    changed.extend_from_slice(&text[copied..at]);
                    changed.extend_from_slice(b"null");
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    match changed {
        None => Cow::Borrowed(text),
        Some(mut changed) => {
            changed.extend_from_slice(&text[copied..]);
            Cow::Owned(changed)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;
    use serde_json::json;

    // https://github.com/paiml/aprender/issues/268
    #[test]
    fn numbers_that_only_python_writes_count_as_null() {
        let text = br#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" Infinity", "d": -1}"#;
        let read: Value = from_slice(text).unwrap();
        assert_eq!(
            read,
            json!({ "a": null, "b": [null, null], "c": "NaN \" Infinity", "d": -1 })
        );
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(from_slice::<Value>(b"\xef\xbb\xbf[1]").unwrap(), json!([1]));
    }

    #[test]
    fn words_that_are_no_numbers_stay_errors() {
        for text in [
            "{\"a\": Nan}",
            "{\"a\": +Infinity}",
            "{\"a\": NaN1}",
            "\"",
            "\"\\",
        ] {
            let read = from_slice::<Value>(text.as_bytes());
            assert!(matches!(read, Err(JsonError::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn an_error_quotes_no_more_of_a_text_than_its_beginning() {
        let error = from_slice::<Vec<Value>>(format!("\"{}\"", "é".repeat(100_000)).as_bytes());
        let message = error.unwrap_err().to_string();
        assert!(
            message.starts_with("invalid type: string \"éé"),
            "{message}"
        );
        assert_eq!(message.chars().count(), MOST_CHARS + 1);
    }

    // https://github.com/huggingface/transformers.js/issues/1021, https://github.com/0hq/WebGPT/issues/26
    #[test]
    fn what_came_in_place_of_json_is_named() {
        for (text, found) in [
            ("<!doctype html><html></html>", FileKind::Html),
            (
                "version https://git-lfs.github.com/spec/v1\n",
                FileKind::LfsPointer,
            ),
            ("", FileKind::Empty),
        ] {
            let read = from_slice::<Value>(text.as_bytes());
            assert!(matches!(read, Err(JsonError::Other { found: f }) if f == found));
        }
    }
}
