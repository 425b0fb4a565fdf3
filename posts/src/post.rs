//! `Post` and `Account`: what every export is read into.

use serde::{Deserialize, Serialize};

/// One post, in the text that its author wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Post {
    /// The network's name of it; empty where the export has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Seconds since 1970 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// The text before cleaning. Posts of X have their entities (`&amp;`) and addresses; those of the other networks are
    /// plain text without links.
    pub text: String,
    /// Whether it repeats another's post: a retweet, boost or repost.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_retweet: bool,
    /// Whom it answers.
    #[serde(skip_serializing_if = "Reply::is_none")]
    pub reply: Reply,
    /// Whether it quotes another post.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_quote: bool,
    /// The language as a tag of BCP 47, if the export states one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// Whom a post answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Nobody.
    #[default]
    No,
    /// The author, as the posts of a thread do.
    ToSelf,
    /// Somebody else.
    ToOther,
}

impl Reply {
    fn is_none(&self) -> bool {
        *self == Self::No
    }
}

/// Whose posts an export holds, as far as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The handle without `@`, as written.
    pub handle: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The picture.
    pub avatar: Option<Avatar>,
}

/// An account's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Avatar {
    /// A file of the export, as it is.
    Bytes {
        /// The file's name.
        name: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// Where the network keeps it.
    Address(String),
}

/// A handle as huggingtweets compares handles: trimmed, without one leading `@`, in lower case.
#[must_use]
pub fn normal_handle(handle: &str) -> String {
    let trimmed = crate::python::trim(handle);
    let bare = trimmed.strip_prefix('@').unwrap_or(trimmed);
    crate::python::trim(&bare.to_lowercase()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::normal_handle;

    #[test]
    fn handles_that_differ_in_case_spaces_or_one_at_sign_are_the_same() {
        for written in ["jen_122", " @Jen_122 ", "JEN_122", "@ jen_122\u{3000}"] {
            assert_eq!(normal_handle(written), "jen_122", "{written:?}");
        }
        assert_eq!(normal_handle("@@jen"), "@jen");
    }
}
