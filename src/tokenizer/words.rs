//! `Words`: a text cut into the words within which a byte-level BPE merges.
//!
//! Source: openai/gpt-2 `src/encoder.py`, the pattern
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
//! Read by hand: a regex engine that knows Unicode and looks ahead would be half of the worker's code, and making it ready
//! took longer than a first token.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// What a character is to the pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Number,
    Space,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            'a'..='z' | 'A'..='Z' => Self::Letter,
            '0'..='9' => Self::Number,
            _ if c.is_whitespace() => Self::Space,
            _ if c.is_ascii() => Self::Other,
            _ => match c.general_category_group() {
                GeneralCategoryGroup::Letter => Self::Letter,
                GeneralCategoryGroup::Number => Self::Number,
                _ => Self::Other,
            },
        }
    }
}

/// The words of a text, in order; together they are the text.
pub struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    /// Of `text`.
    pub fn of(text: &'t str) -> Self {
        Self { rest: text }
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let (word, rest) = self.rest.split_at(first_word_len(self.rest)?);
        self.rest = rest;
        Some(word)
    }
}

/// Bytes of the first word; none of an empty text.
fn first_word_len(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first == '\''
        && let Some(contraction) = CONTRACTIONS.iter().find(|c| text.starts_with(**c))
    {
        return Some(contraction.len());
    }
    // A space opens the word that follows it.
    let opening = usize::from(first == ' ');
    let kind = text[opening..].chars().next().map_or(Kind::Space, Kind::of);
    if kind != Kind::Space {
        return Some(opening + run_len(&text[opening..], kind));
    }
    let spaces = run_len(text, Kind::Space);
    // Of several, the last is left to the word that follows.
    let last = text[..spaces].chars().next_back().map_or(0, char::len_utf8);
    let is_followed = spaces < text.len() && spaces > last;
    Some(if is_followed { spaces - last } else { spaces })
}

/// Bytes of the characters of one kind that a text begins with.
fn run_len(text: &str, kind: Kind) -> usize {
    let end = text.char_indices().find(|(_, c)| Kind::of(*c) != kind);
    end.map_or(text.len(), |(at, _)| at)
}
