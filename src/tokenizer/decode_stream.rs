//! `DecodeStream`: ids in, text out as soon as it is whole characters.

use tokenizers::step_decode_stream;

use super::Tokenizer;

/// The state of the tokenizers crate's stream, which decodes a window of the last ids at each step, and text that is
/// better shown together with what follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodeStream {
    ids: Vec<u32>,
    prefix: String,
    prefix_index: usize,
    held_back: String,
}

/// Joins the emoji before and after it.
const ZERO_WIDTH_JOINER: char = '\u{200D}';

impl DecodeStream {
    /// A stream at the start of a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// A stream after a prompt: a tokenizer that writes a space between words also writes a space after the prompt's
    /// last word.
    pub fn after(tokenizer: &Tokenizer, prompt_ids: &[u32]) -> Self {
        let mut stream = Self::new();
        if tokenizer.text_depends_on_context()
            && let Ok(prefix) = tokenizer.inner.decode(prompt_ids, true)
        {
            stream.ids = prompt_ids.to_vec();
            stream.prefix_index = prompt_ids.len();
            stream.prefix = prefix;
        }
        stream
    }

    /// The text that this token completes: often one word, sometimes nothing yet.
    ///
    /// A joiner and the first half of a flag wait for the character that follows.
    pub fn push(&mut self, tokenizer: &Tokenizer, token_id: u32) -> String {
        // The crate refuses a step after which the window's text no longer begins with the text returned before. The
        // ids then stay in the window, and their text comes with a later step or at the end.
        let step = step_decode_stream(
            &tokenizer.inner,
            vec![token_id],
            true,
            &mut self.ids,
            &mut self.prefix,
            &mut self.prefix_index,
        );
        let mut text = std::mem::take(&mut self.held_back);
        text.push_str(&step.ok().flatten().unwrap_or_default());
        self.held_back = text.split_off(text.len() - incomplete_len(&text));
        text
    }

    /// The text that is left at the end; bytes that never became a whole character read as U+FFFD.
    pub fn finish(&mut self, tokenizer: &Tokenizer) -> String {
        let stream = std::mem::take(self);
        let window = tokenizer.inner.decode(&stream.ids, true);
        let window = window.unwrap_or_default();
        let rest = window.strip_prefix(&stream.prefix).unwrap_or_default();
        stream.held_back + rest
    }
}

/// Bytes at the end of `text` that are better shown together with what follows.
fn incomplete_len(text: &str) -> usize {
    let Some(last) = text.chars().next_back() else {
        return 0;
    };
    let regional = |c: &char| ('\u{1F1E6}'..='\u{1F1FF}').contains(c);
    let waits = last == ZERO_WIDTH_JOINER
        || regional(&last) && text.chars().rev().take_while(regional).count() % 2 == 1;
    if waits { last.len_utf8() } else { 0 }
}
