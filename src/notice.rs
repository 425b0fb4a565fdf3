//! `Notice`: what a visitor should know about a model's files, though the model opens.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::shown::beginning;

/// Most characters of a notice that come from a file.
const MOST_CHARS: usize = 80;

/// A fact about a file of a model, such as a setting that is passed over. Its text is one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The file's name.
    pub file: String,
    /// The fact; completes "FILE: …".
    pub fact: String,
}

impl Notice {
    /// A notice about the file named `file`.
    pub fn new(file: impl Into<String>, fact: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            fact: fact.into(),
        }
    }

    /// A notice that `key` with this `value` is passed over.
    pub fn passed_over(file: &str, key: &str, value: &serde_json::Value) -> Self {
        let (key, value) = (
            beginning(key, MOST_CHARS),
            beginning(&value.to_string(), MOST_CHARS),
        );
        Self::new(file, format!("{key} {value} is passed over"))
    }

    /// A notice that a token id of `key` is passed over, because a vocabulary of `vocab_size` tokens lacks it.
    pub fn beyond(file: &str, key: &str, id: u32, vocab_size: usize) -> Self {
        let fact =
            format!("{key} {id} is passed over, because the vocabulary has {vocab_size} tokens");
        Self::new(file, fact)
    }

    /// A notice that the whole file is passed over, and why.
    pub fn file_passed_over(file: &str, why: impl fmt::Display) -> Self {
        Self::new(file, format!("{why}, so it is passed over"))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_quotes_the_beginnings_of_key_and_value() {
        let notice = Notice::passed_over(
            "added_tokens.json",
            &"é".repeat(9999),
            &"b".repeat(9999).into(),
        );
        let (key, value) = ("é".repeat(MOST_CHARS), "b".repeat(MOST_CHARS - 1));
        assert_eq!(notice.fact, format!("{key}… \"{value}… is passed over"));
    }
}
