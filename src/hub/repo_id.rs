//! `RepoId`: the `OWNER/NAME` of a repository on the Hub.

use std::fmt;
use std::str::FromStr;

/// An `OWNER/NAME` that can stand in an address as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoId(String);

/// Why a text is no [`RepoId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bot is named OWNER/NAME, each of 1 to 96 letters, digits, `-`, `_` and `.`, as in huggingtweets/jen_122; got \"{got}\""
)]
pub struct RepoIdError {
    /// The text, cut after 80 characters.
    pub got: String,
}

impl RepoId {
    /// As it was given, `OWNER/NAME`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepoId {
    type Err = RepoIdError;

    /// Takes the value of `?bot=`, already percent-decoded.
    fn from_str(text: &str) -> Result<Self, RepoIdError> {
        // The Hub's rules: no end or start in `-` or `.`, no two of these in a row, which also keeps `..` out of paths.
        let is_part = |part: &str| {
            (1..=96).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                && !part.starts_with(['-', '.'])
                && !part.ends_with(['-', '.'])
                && !part.contains("--")
                && !part.contains("..")
        };
        match text.split_once('/') {
            Some((owner, name)) if is_part(owner) && is_part(name) => Ok(Self(text.to_owned())),
            _ => Err(RepoIdError {
                got: text.chars().take(80).collect(),
            }),
        }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
