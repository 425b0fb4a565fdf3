//! `Infinity`, `-Infinity` and `NaN` in a file's generation parameters: Python writes them for numbers that JSON cannot state.
//!
//! As a value it is read as `null`. Inside a list, where a bias of `-Infinity` forbids a word, it becomes a number outside of
//! every range.

use std::borrow::Cow;

use serde_json::Value;

use crate::json::map_of;
use crate::notice::Notice;

/// The words with the numbers that stand for them; the first word that begins a text is taken.
const MARKS: [(&str, &str, f64); 3] = [
    ("-Infinity", "-1.618034e300", -1.618_034e300),
    ("Infinity", "1.618034e300", 1.618_034e300),
    ("NaN", "2.718282e300", 2.718_282e300),
];

/// The JSON with numbers for the words that stand outside of strings.
pub(super) fn marked(json: &[u8]) -> Cow<'_, [u8]> {
    let mut changed: Option<Vec<u8>> = None;
    let (mut at, mut copied, mut is_in_string) = (0, 0, false);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => is_in_string = !is_in_string,
            b'\\' if is_in_string => at += 1,
            b'-' | b'I' | b'N' if !is_in_string => {
                let is_here =
                    |(word, ..): &&(&str, &str, f64)| json[at..].starts_with(word.as_bytes());
                if let Some((word, number, _)) = MARKS.iter().find(is_here) {
                    let changed = changed.get_or_insert_default();
                    changed.extend_from_slice(&json[copied..at]);
                    changed.extend_from_slice(number.as_bytes());
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
        None => Cow::Borrowed(json),
        Some(mut changed) => {
            changed.extend_from_slice(&json[copied..]);
            Cow::Owned(changed)
        }
    }
}

/// Whether a number is a mark; the reader of JSON rounds the last digit as it likes.
fn is(number: f64, mark: f64) -> bool {
    (number / mark - 1.0).abs() < 1e-14
}

/// `null` for one of the numbers alone.
pub(super) fn null_if_marked(value: &Value) -> &Value {
    match value.as_f64() {
        Some(number) if MARKS.iter().any(|(.., mark)| is(number, *mark)) => &Value::Null,
        _ => value,
    }
}

/// A notice that `key` with this `value` is passed over, which shows the words of the file.
pub(super) fn passed_over(file: &str, key: &str, value: &Value) -> Notice {
    let mut notice = Notice::passed_over(file, key, &with_words(value));
    for (word, ..) in MARKS {
        notice.fact = notice.fact.replace(&format!("\"{}\"", quoted(word)), word);
    }
    notice
}

/// A string that no file has: what stands for a word until the value is text.
fn quoted(word: &str) -> String {
    format!("\u{f8ff}{word}")
}

fn with_words(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(with_words).collect(),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (key.clone(), with_words(value)));
            Value::Object(map_of(entries))
        }
        value => {
            let mark = MARKS
                .iter()
                .find(|(.., mark)| value.as_f64().is_some_and(|number| is(number, *mark)));
            mark.map_or_else(|| value.clone(), |(word, ..)| quoted(word).into())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn a_notice_shows_the_words_of_the_file() {
        let text = br#"{"a": [[[22], -Infinity], [Infinity, NaN, "NaN \" -Infinity"]], "b": NaN, "c": -1}"#;
        let read: Value = serde_json::from_slice(&marked(text)).unwrap();
        let notice = passed_over("config.json", "a", &read["a"]);
        assert_eq!(
            notice.to_string(),
            r#"config.json: a [[[22],-Infinity],[Infinity,NaN,"NaN \" -Infinity"]] is passed over"#
        );
        assert_eq!(null_if_marked(&read["b"]), &Value::Null);
        assert_eq!(null_if_marked(&read["c"]), &read["c"]);
    }

    #[test]
    fn json_without_the_words_is_not_copied() {
        let text = b"{\"a\": \"Infinity\", \"b\": -1}";
        assert!(matches!(marked(text), Cow::Borrowed(_)));
    }
}
