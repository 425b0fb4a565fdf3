//! Sentences about an account's posts.

use maker::message::{AccountView, Class, ListedPost};
use posts::clean::LeftOut;
use posts::counts::Volume;

use crate::state::wording::count;

/// What the volume of an account's kept posts means.
#[must_use]
pub fn volume_words(account: &AccountView) -> String {
    let counts = account.counts;
    let characters = count(counts.joined_characters());
    let posts = match counts.kept {
        1 => "1 kept post".to_owned(),
        n => format!("{} kept posts", count(n)),
    };
    match account.volume {
        Volume::TooLittle => format!(
            "@{}: {posts} of {characters} characters are too few for a bot, which needs {}.",
            account.handle,
            count(posts::counts::MIN_CHARACTERS)
        ),
        Volume::Little => format!(
            "@{}: {posts} of {characters} characters are few; with less than {} a bot tends to repeat them.",
            account.handle,
            count(posts::counts::FEW_CHARACTERS)
        ),
        Volume::Enough => format!("{posts} of {characters} characters."),
    }
}

/// The rule that put a post into its class.
#[must_use]
pub fn reason(post: &ListedPost) -> String {
    let words = post.words.unwrap_or_default();
    match (post.class, post.left_out) {
        (Class::Kept, _) => format!("kept: {words} words that count"),
        (Class::Retweets, _) => "a retweet, boost or repost: another’s words".to_owned(),
        (Class::Short, _) => {
            format!("too short: {words} of 3 words that count (names, tags and addresses do not)")
        }
        (Class::LeftOut, Some(LeftOut::Reply)) => "left out: it answers somebody else".to_owned(),
        (Class::LeftOut, Some(LeftOut::Date)) => "left out: outside the span of dates".to_owned(),
        (Class::LeftOut, Some(LeftOut::Language)) => "left out: another language".to_owned(),
        (Class::LeftOut, _) => "left out: the same text was kept before".to_owned(),
    }
}
