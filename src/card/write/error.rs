//! Why no card is written.

use crate::card::error::{MAX_ACCOUNTS, MAX_CARD_BYTES, MAX_HANDLE_BYTES};

/// Why no card is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardWriteError {
    /// Not JSON of this shape.
    #[error("the bot's facts are not JSON as `card read` prints it: {cause}")]
    Json {
        /// The parser's words.
        cause: String,
    },
    /// No name, or more than [`MAX_ACCOUNTS`].
    #[error("a bot has one to {MAX_ACCOUNTS} names, not {got}")]
    Names {
        /// The names given.
        got: usize,
    },
    /// Something that must be there once per name.
    #[error("there are {got} {what} for {names} names")]
    Number {
        /// The kind of thing.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// The names.
        names: usize,
    },
    /// A handle with other characters than handles have.
    #[error("`{got}` is no handle of 1 to {MAX_HANDLE_BYTES} letters, digits, `_` and `-`")]
    Handle {
        /// As given.
        got: String,
    },
    /// An address that is none.
    #[error("`{got}` is no address that begins with https:// or http://")]
    Address {
        /// As given.
        got: String,
    },
    /// A value of the front matter that would break it.
    #[error("the {what} `{got}` is not a short word")]
    Value {
        /// The value's name.
        what: &'static str,
        /// As given.
        got: String,
    },
    /// The original wrote no such card.
    #[error("the original wrote no card of generation {generation} with {names} names{without}", without = if *has_table { "" } else { " and without counts" })]
    NoTemplate {
        /// As given.
        generation: u8,
        /// The names.
        names: usize,
        /// Whether there are counts.
        has_table: bool,
    },
    /// A card that would be too long to be read again.
    #[error("the card would have {got} bytes, more than {MAX_CARD_BYTES}")]
    TooLarge {
        /// Its bytes.
        got: usize,
    },
}

impl CardWriteError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Json { .. } => {
                "give the JSON that `card read CARD --json` prints, or one like it"
            }
            Self::Names { .. } => "give `names` as a list of display names",
            Self::Number { .. } => "give one for each name, in the order of the names",
            Self::Handle { .. } => "give `handles` as a list of handles without `@`",
            Self::Address { .. } => "give the whole address, or leave it out",
            Self::Value { .. } => "give it as one word, such as `en`, or leave it out",
            Self::NoTemplate { .. } => {
                "leave `generation` and `faithful` out, or give one name and its counts for generation 3"
            }
            Self::TooLarge { .. } => "shorten the names or the prompts",
        }
    }
}
