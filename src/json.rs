//! JSON as people's files have it: with a byte order mark, and with all that Python's reader and writer let pass.

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
    /// A list where an object belongs.
    #[error("it is a list, not an object")]
    List,
    /// It is damaged, or a value has another type.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
}

/// Deepest nesting that is read; the reader's own limit is 127, and what a model needs lies at most 10 deep.
const MAX_DEPTH: usize = 100;

/// An object from the JSON in `bytes`, as Python reads it.
///
/// A byte order mark is passed over. What Python writes or reads and JSON or Rust cannot state is replaced: the bare
/// words `NaN`, `Infinity` and `-Infinity`, numbers beyond 64-bit floats, and values nested deeper than `MAX_DEPTH`
/// count as `null`; half of a surrogate pair counts as U+FFFD.
///
/// # Errors
/// [`JsonError`].
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let kind = FileKind::of(text);
    if kind == FileKind::ServerAnswer {
        return Err(JsonError::Other { found: kind });
    }
    // All that is replaced is an error to the reader, so only a file that it refuses is searched.
    let read = serde_json::from_slice(text).or_else(|error| match Replaced::of(text) {
        None => Err(error),
        Some(text) => serde_json::from_slice(&text),
    });
    read.map_err(|source| match kind {
        FileKind::Json if source.is_data() && text.trim_ascii_start().starts_with(b"[") => {
            JsonError::List
        }
        FileKind::Json | FileKind::Unknown => JsonError::Malformed(shortened(source)),
        found => JsonError::Other { found },
    })
}

/// A map with `entries`, of which the last of a key counts. `collect` would sort them first, with 4 kB of code in a browser for
/// every type of iterator.
pub fn map_of<M: Default + Extend<E>, E>(entries: impl Iterator<Item = E>) -> M {
    let mut map = M::default();
    map.extend(entries);
    map
}

/// The shortest decimal of an `f32`: 1e-5 for `1e-5_f32`, where `f64::from` gives a longer number, whose last bit JSON may
/// lose.
#[must_use]
pub fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
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

/// A text of which some parts are replaced.
struct Replaced<'a> {
    text: &'a [u8],
    /// Bytes of `text` that are in `changed`.
    copied: usize,
    changed: Vec<u8>,
}

impl<'a> Replaced<'a> {
    /// `text` with all that Python alone reads replaced; `None` if nothing is.
    fn of(text: &'a [u8]) -> Option<Vec<u8>> {
        let mut replaced = Self {
            text,
            copied: 0,
            changed: Vec::new(),
        };
        let (mut at, mut depth) = (0, 0_usize);
        while let Some(&byte) = text.get(at) {
            at = match byte {
                b'"' => replaced.string(at),
                b'[' | b'{' if depth == MAX_DEPTH => replaced.with_null(at, end_of_value(text, at)),
                b'[' | b'{' => {
                    depth += 1;
                    at + 1
                }
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    at + 1
                }
                b'N' | b'I' | b'-' | b'0'..=b'9' => replaced.number(at),
                _ => at + 1,
            };
        }
        if replaced.copied == 0 {
            return None;
        }
        replaced.changed.extend_from_slice(&text[replaced.copied..]);
        Some(replaced.changed)
    }

    /// Replaces the bytes from `start` to `end`; returns `end`.
    fn with(&mut self, start: usize, end: usize, by: &[u8]) -> usize {
        self.changed
            .extend_from_slice(&self.text[self.copied..start]);
        self.changed.extend_from_slice(by);
        self.copied = end;
        end
    }

    fn with_null(&mut self, start: usize, end: usize) -> usize {
        self.with(start, end, b"null")
    }

    /// Passes over the number or the word of Python at `start`; returns its end.
    fn number(&mut self, start: usize) -> usize {
        const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
        let rest = &self.text[start..];
        if let Some(word) = WORDS.into_iter().find(|word| rest.starts_with(word)) {
            return self.with_null(start, start + word.len());
        }
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let end = start + rest.iter().take_while(|byte| is_part(byte)).count().max(1);
        let number = std::str::from_utf8(&self.text[start..end]).ok();
        // Rust, too, reads a number beyond all floats as infinity.
        match number.and_then(|number| number.parse::<f64>().ok()) {
            Some(number) if number.is_infinite() => self.with_null(start, end),
            _ => end,
        }
    }

    /// Passes over the string that opens at `start`; returns its end.
    fn string(&mut self, start: usize) -> usize {
        let mut at = start + 1;
        while let Some(&byte) = self.text.get(at) {
            at = match (byte, self.surrogate(at)) {
                (b'"', _) => return at + 1,
                (_, Some(0xd800..=0xdbff)) if matches!(self.surrogate(at + 6), Some(0xdc00..)) => {
                    at + 12
                }
                (_, Some(_)) => self.with(at, at + 6, b"\\ufffd"),
                (b'\\', None) => at + 2,
                _ => at + 1,
            };
        }
        at
    }

    /// The half of a surrogate pair that is written at `at`, as `\ud83d`.
    fn surrogate(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        let digits = std::str::from_utf8(digits).ok()?;
        let code = u16::from_str_radix(digits, 16).ok()?;
        (0xd800..=0xdfff).contains(&code).then_some(code)
    }
}

/// The end of the list or object that opens at `start`.
fn end_of_value(text: &[u8], start: usize) -> usize {
    let (mut depth, mut is_in_string) = (0_usize, false);
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => is_in_string = !is_in_string,
            b'\\' if is_in_string => at += 1,
            b'[' | b'{' if !is_in_string => depth += 1,
            b']' | b'}' if !is_in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at.min(text.len())
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

    #[test]
    fn a_list_in_the_place_of_an_object_is_named() {
        type Object = serde_json::Map<String, Value>;
        assert!(matches!(
            from_slice::<Object>(b" [1, {}]"),
            Err(JsonError::List)
        ));
        assert!(matches!(
            from_slice::<Object>(b"1"),
            Err(JsonError::Malformed(_))
        ));
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
            (
                r#"{"error": "Repository not found"}"#,
                FileKind::ServerAnswer,
            ),
            ("Entry not found", FileKind::ServerAnswer),
        ] {
            let read = from_slice::<Value>(text.as_bytes());
            assert!(matches!(read, Err(JsonError::Other { found: f }) if f == found));
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_counts_as_the_replacement_character() {
        let text = br#"{"a": "x\ud800", "\udc00b": "\ud83d\ude00", "c": "\\ud800", "d": "\ud800\ud800\u0041"}"#;
        let read: Value = from_slice(text).unwrap();
        assert_eq!(
            read,
            json!({
                "a": "x\u{fffd}",
                "\u{fffd}b": "\u{1f600}",
                "c": "\\ud800",
                "d": "\u{fffd}\u{fffd}A",
            })
        );
    }

    #[test]
    fn numbers_beyond_all_floats_count_as_null() {
        let text = br#"{"a": 1e999, "b": [-2.5E+400, 1e-999, 12], "c": "1e999"}"#;
        let read: Value = from_slice(text).unwrap();
        assert_eq!(
            read,
            json!({ "a": null, "b": [null, 0.0, 12], "c": "1e999" })
        );
    }

    #[test]
    fn what_is_nested_too_deeply_counts_as_null() {
        for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
            let deep = format!(
                "{{\"a\": {}\"]\\\"\"{}, \"b\": 7}}",
                open.repeat(200),
                close.repeat(200)
            );
            let read: Value = from_slice(deep.as_bytes()).unwrap();
            assert_eq!(read["b"], 7);
            assert!(!read["a"].is_null());
        }
        let unclosed = "[".repeat(100_000);
        assert!(from_slice::<Value>(unclosed.as_bytes()).is_err());
    }
}
