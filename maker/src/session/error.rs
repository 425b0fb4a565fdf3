//! Why the maker refuses or gives up.

use std::io;

use posts::archive::ReadError;
use posts::dataset::{EPOCHS, VALIDATION};

use crate::bundle::BundleError;
use crate::message::{Event, MAX_ACCOUNTS};

/// Why the maker refuses or gives up.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The export.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An export that was read to its end.
    #[error("no posts found in `{0}`")]
    NoPosts(String),
    /// The storage.
    #[error("the posts could not be stored: {0}")]
    Storage(#[from] io::Error),
    /// One more account than there may be.
    #[error("a bot has at most {MAX_ACCOUNTS} accounts")]
    TooManyAccounts,
    /// Another account of the bot has this handle.
    #[error("@{0} is one of this bot's accounts already")]
    SameHandle(String),
    /// An account without a handle.
    #[error("an account needs a handle")]
    NoHandle,
    /// A task runs.
    #[error("posts are still being read or judged")]
    Busy,
    /// The posts are too few.
    #[error(
        "@{handle} has {characters} characters of kept posts, and a bot needs {}",
        posts::counts::MIN_CHARACTERS
    )]
    TooLittle {
        /// The account.
        handle: String,
        /// Code points of its kept posts, joined.
        characters: u64,
    },
    /// Parameters of a training text that would not fit in memory, or keep all posts apart.
    #[error(
        "a training text has {} to {} copies of the posts, and at most {} % of them are kept apart",
        EPOCHS.start(),
        EPOCHS.end(),
        VALIDATION.end() * 100.0
    )]
    BeyondLimits,
    /// Nothing is written yet, or something has changed since.
    #[error("the training text is not written yet")]
    NoText,
    /// No such account, or none at all.
    #[error("there is no such account")]
    NoAccount,
    /// A bot that was saved whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The stored posts of an account are not those that were read.
    #[error("what the browser keeps of @{0}'s posts is damaged")]
    Damaged(String),
    /// What is kept of a bot cannot be read.
    #[error("what the browser keeps of this bot is damaged")]
    DamagedBot,
    /// The posts no longer make the training text that was written.
    #[error(
        "the training text is damaged: the stored posts are no longer those that it was written from"
    )]
    DamagedText,
    /// A saved bot, where another one is open.
    #[error("this file is a whole bot, which is not added to another one")]
    NotEmpty,
}

impl SessionError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Read(error) => error.hint().to_string(),
            Self::NoPosts(_) => "check that it is the file you mean; posts that not everybody could read are left out, and those in communities of X unless their box is ticked".to_owned(),
            Self::Storage(_) => "delete something in Storage, then try again".to_owned(),
            Self::TooManyAccounts => "take one out first".to_owned(),
            Self::SameHandle(_) => "type another handle".to_owned(),
            Self::NoHandle => "type the handle, with or without @".to_owned(),
            Self::Busy => "wait until this is done".to_owned(),
            Self::TooLittle { .. } => "add an export with more posts".to_owned(),
            Self::BeyondLimits => "choose other numbers".to_owned(),
            Self::NoText => "write it first".to_owned(),
            Self::NoAccount => "import posts first".to_owned(),
            Self::Bundle(BundleError::Storage(_)) => {
                "delete something in Storage, then try again".to_owned()
            }
            Self::Bundle(_) => "save it again where it was made".to_owned(),
            Self::Damaged(_) => "take the account out and choose its export again".to_owned(),
            Self::DamagedBot => {
                "delete this bot, or import its posts again to begin it anew; other bots are not touched".to_owned()
            }
            Self::DamagedText => "write it again".to_owned(),
            Self::NotEmpty => "begin another bot, then choose the file again".to_owned(),
        }
    }

    /// The error as the page shows it.
    #[must_use]
    pub fn event(&self, posts: u64) -> Event {
        Event::Failed {
            message: self.to_string(),
            hint: self.hint(),
            posts,
        }
    }
}
