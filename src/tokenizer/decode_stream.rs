//! `DecodeStream`: ids in, text out as soon as it is whole characters.
//!
//! It keeps at most a few bytes, and gives text again after a byte that can never become a character.

use super::Tokenizer;

/// The tail of a text that is not whole yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodeStream {
    pending: Vec<u8>,
}

/// Joins the emoji before and after it.
const ZERO_WIDTH_JOINER: char = '\u{200D}';

impl DecodeStream {
    /// At the start of a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Text that became whole with this token, often one word, sometimes nothing yet.
    ///
    /// A byte that can no longer become part of a character reads as U+FFFD at once. A joiner and the first
    /// half of a flag wait for what they belong to.
    pub fn push(&mut self, tokenizer: &Tokenizer, token_id: u32) -> String {
        if !tokenizer.is_special(token_id) {
            self.pending
                .extend_from_slice(tokenizer.token_bytes(token_id));
        }
        let mut text = String::new();
        let mut read = 0;
        let unfinished = loop {
            match std::str::from_utf8(&self.pending[read..]) {
                Ok(valid) => {
                    text.push_str(valid);
                    break self.pending.len();
                }
                Err(error) => {
                    let (valid, rest) = self.pending[read..].split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(valid).expect("checked up to here"));
                    match error.error_len() {
                        Some(n) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            read += valid.len() + n;
                        }
                        None => break self.pending.len() - rest.len(),
                    }
                }
            }
        };
        let shown = text.len() - held_back(&text);
        // The bytes to keep are those of the held-back characters, which are valid, and the unfinished ones.
        let keep = text[shown..].len() + self.pending.len() - unfinished;
        let start = self.pending.len() - keep;
        self.pending.drain(..start);
        text.truncate(shown);
        text
    }

    /// What is left at the end of the text; bytes that never became whole read as U+FFFD.
    pub fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }
}

/// Bytes at the end of `text` that are better shown together with what follows.
fn held_back(text: &str) -> usize {
    let Some(last) = text.chars().next_back() else {
        return 0;
    };
    let regional = |c: &char| ('\u{1F1E6}'..='\u{1F1FF}').contains(c);
    let waits = last == ZERO_WIDTH_JOINER
        || regional(&last) && text.chars().rev().take_while(regional).count() % 2 == 1;
    if waits { last.len_utf8() } else { 0 }
}
