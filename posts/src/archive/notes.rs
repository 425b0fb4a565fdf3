//! `Notes`: the whole texts of X's long posts, which an archive keeps apart from their beginnings.

use std::collections::HashMap;

use serde::Deserialize;

use super::lossy::{Id, Lossy};
use crate::post::Post;
use crate::time;

/// Most bytes of texts that are remembered.
const MAX_BYTES: usize = 24 << 20;
/// Characters of the whole text that its beginning must contain.
const COMMON_CHARS: usize = 200;

/// An element of `note-tweet.js`, in the three shapes that occur.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NoteElement {
    #[serde(rename = "noteTweet")]
    wrapped: Option<Box<NoteElement>>,
    #[serde(rename = "createdAt")]
    created_at: Option<Lossy>,
    #[serde(rename = "tweetId")]
    tweet_id: Option<Id>,
    core: Option<NoteText>,
    #[serde(rename = "noteTweetResults")]
    results: Option<NoteText>,
    #[serde(rename = "noteTweetContents")]
    contents: Option<NoteText>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NoteText {
    text: Option<Lossy>,
    #[serde(rename = "tweetId")]
    tweet_id: Option<Id>,
}

/// A long post's whole text.
#[derive(Debug)]
struct Note {
    time_ms: i64,
    text: String,
}

/// The long posts of an archive.
#[derive(Debug, Default)]
pub(super) struct Notes {
    by_id: HashMap<String, String>,
    by_second: HashMap<i64, Vec<Note>>,
    bytes: usize,
}

impl Notes {
    /// Remembers a long post; `false` if there are too many.
    pub fn add(&mut self, element: NoteElement) -> bool {
        let note = match element.wrapped {
            Some(inner) => *inner,
            None => element,
        };
        let parts = [note.core, note.results, note.contents];
        let mut id = note.tweet_id;
        let mut text = None;
        for part in parts.into_iter().flatten() {
            id = id.or(part.tweet_id);
            text = text.or(part.text);
        }
        let Some(Lossy(text)) = text else {
            return true;
        };
        self.bytes += text.len();
        if self.bytes > MAX_BYTES {
            return false;
        }
        match id.filter(|id| !id.0.is_empty()) {
            Some(id) => _ = self.by_id.insert(id.0, text),
            None => {
                let date = note.created_at.unwrap_or_default();
                if let Some(time_ms) = time::parse_ms(&date.0) {
                    let second = time_ms.div_euclid(1000);
                    let notes = self.by_second.entry(second).or_default();
                    notes.push(Note { time_ms, text });
                }
            }
        }
        true
    }

    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Gives `post` its whole text, if it is a long one: by its id, or by the second of its making and its beginning.
    pub fn join(&self, post: &mut Post) -> bool {
        if self.is_empty() || post.is_retweet {
            return false;
        }
        if let Some(text) = self.by_id.get(&post.id) {
            post.text.clone_from(text);
            return true;
        }
        let Some(second) = post.time else {
            return false;
        };
        let near = (second - 1..=second + 1).filter_map(|second| self.by_second.get(&second));
        let mut near = near
            .flatten()
            .filter(|note| (note.time_ms - second * 1000).abs() < 1000);
        let found = near.find(|note| {
            let beginning = match note.text.char_indices().nth(COMMON_CHARS) {
                Some((end, _)) => &note.text[..end],
                None => &note.text,
            };
            // An archive escapes the entities of the post, and perhaps not those of the whole text.
            post.text.contains(beginning)
                || post.text.contains(
                    &beginning
                        .replace('&', "&amp;")
                        .replace('<', "&lt;")
                        .replace('>', "&gt;"),
                )
        });
        match found {
            Some(note) => {
                post.text.clone_from(&note.text);
                true
            }
            None => false,
        }
    }
}
