//! What a bot's texts share with the posts that it was trained on, in words.

use crate::posts::copied::COPIED_WORDS;
use crate::runs::RunRecord;

/// How much of the bot's texts was copied from its posts, in words; empty where it was not looked at.
#[must_use]
pub fn copied_words(record: &RunRecord) -> String {
    let number = |name: &str| {
        record
            .run
            .summary
            .get(name)
            .and_then(serde_json::Value::as_u64)
    };
    match (
        number("texts"),
        number("texts_copied"),
        number("longest_copied_words"),
    ) {
        (Some(texts), Some(copied), Some(longest)) => format!(
            "Of {texts} texts, {copied} repeat {COPIED_WORDS} or more words in a row of a post; the longest run has {longest}."
        ),
        _ => String::new(),
    }
}

/// What a text shares with the posts that its bot was trained on, in words.
#[must_use]
pub fn shared_words(words: u32, post: &str) -> String {
    match words {
        0 => "No word of it is in the posts.".to_owned(),
        1 => format!("No two words in a row of it are in the posts. Nearest: “{post}”"),
        n => format!("{n} words in a row of it are in this post: “{post}”"),
    }
}
