//! `RepoId`: the `OWNER/NAME` of a repository on the Hub.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::shown::beginning;

/// An `OWNER/NAME` that needs no escaping in an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoId(String);

/// Why a text is not a [`RepoId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{got}\" is no OWNER/NAME: owner and name each have 1 to 96 letters, digits, `-`, `_` and `.`"
)]
pub struct RepoIdError {
    /// The text, cut after 80 characters.
    pub got: String,
}

impl RepoIdError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "copy it from the model's page on the Hub, as huggingtweets/jen_122"
    }
}

impl RepoId {
    /// The text `OWNER/NAME`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RepoId> for String {
    fn from(repo: RepoId) -> Self {
        repo.0
    }
}

impl TryFrom<String> for RepoId {
    type Error = RepoIdError;

    fn try_from(text: String) -> Result<Self, RepoIdError> {
        text.parse()
    }
}

impl FromStr for RepoId {
    type Err = RepoIdError;

    /// Takes the value of `?bot=`, already percent-decoded.
    fn from_str(text: &str) -> Result<Self, RepoIdError> {
        // The Hub's rules: no `-` or `.` at the start or the end, no `--` and no `..`.
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
                got: beginning(text, 80),
            }),
        }
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
