//! `CardError`: why a file is not read as a huggingtweets card, and the limits of a card's parts.

use crate::file_kind::FileKind;
use crate::shown;

/// Largest card read; the real ones are about 4 kB.
pub const MAX_CARD_BYTES: usize = 256 * 1024;
/// Longest line read; it bounds the work per line.
pub const MAX_LINE_BYTES: usize = 8 * 1024;
/// Most accounts in one bot.
pub const MAX_ACCOUNTS: usize = 3;
/// Longest display name, in characters; Twitter allows 50.
pub(super) const MAX_NAME_CHARS: usize = 200;
/// Longest joined handle; three handles of Twitter's 15 characters with two hyphens have 47.
pub(super) const MAX_HANDLE_BYTES: usize = 64;
/// Most widget examples of a card.
pub(super) const MAX_PROMPTS: usize = 16;
/// Longest widget example, in characters.
pub(super) const MAX_PROMPT_CHARS: usize = 2000;

/// Why a file is not read as a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The file has more than [`MAX_CARD_BYTES`].
    #[error("the card has {got} bytes, more than the {MAX_CARD_BYTES} a card may have")]
    TooLarge {
        /// Its size in bytes.
        got: usize,
    },
    /// A line has more than [`MAX_LINE_BYTES`].
    #[error(
        "line {line} of the card has {got} bytes, more than the {MAX_LINE_BYTES} a line may have"
    )]
    LineTooLong {
        /// The line's number, from 1.
        line: usize,
        /// Its length in bytes.
        got: usize,
    },
    /// The file is not UTF-8 text.
    #[error("the card is not UTF-8 text from byte {at} on")]
    NotUtf8 {
        /// Index of the first invalid byte.
        at: usize,
    },
    /// The front matter has no end.
    #[error("the card's front matter has no closing `---`")]
    FrontMatterOpen,
    /// Another kind of file came in the card's place.
    #[error("this is no card: it is {found}")]
    OtherFile {
        /// What came.
        found: FileKind,
    },
    /// No known header was found.
    #[error("no header of a huggingtweets card was found")]
    NoHeader,
    /// No text after the label begins with `@`.
    #[error("the card's header has no handle: no text after the label begins with `@`")]
    NoHandle,
    /// The handle is empty, too long or has other characters than a handle.
    #[error(
        "the handle `@{got}` in the card's header is not 1 to {MAX_HANDLE_BYTES} letters, digits, `_` and `-`"
    )]
    BadHandle {
        /// The text after the `@`, shortened.
        got: String,
    },
    /// A text is longer than its limit.
    #[error("the card's {what} has {got} characters, more than the {limit} allowed")]
    TextTooLong {
        /// The kind of text.
        what: &'static str,
        /// Its length in characters.
        got: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The card has more than the allowed widget examples.
    #[error("the card has {got} widget examples, more than the {MAX_PROMPTS} allowed")]
    TooManyPrompts {
        /// Their number.
        got: usize,
    },
    /// The data table lacks a row.
    #[error("the card's data table has no row `{row}`")]
    RowMissing {
        /// The row's first cell.
        row: &'static str,
    },
    /// A row has no counts, more than [`MAX_ACCOUNTS`], or another number than the first row.
    #[error(
        "row `{row}` of the card's data table has {got} counts; every row needs the same number of them, 1 to {MAX_ACCOUNTS}"
    )]
    BadColumns {
        /// The row's first cell.
        row: &'static str,
        /// The number of its counts.
        got: usize,
    },
    /// The table's header cannot be split into one name per column.
    #[error(
        "the card's data table has {expected} columns of counts, but its header line does not name {expected} accounts"
    )]
    BadTableHeader {
        /// The number of columns with counts.
        expected: usize,
    },
    /// A cell is not a count.
    #[error("row `{row}` of the card's data table has the cell `{got}`, which is not a whole number up to {max}", max = u32::MAX)]
    BadCount {
        /// The row's first cell.
        row: &'static str,
        /// The cell, shortened.
        got: String,
    },
}

/// Longest text that an error quotes, in characters.
const MAX_QUOTED_CHARS: usize = 40;

/// `text` as an error quotes it: on one line, shortened.
pub(super) fn quoted(text: &str) -> String {
    shown::beginning(&shown::name(text), MAX_QUOTED_CHARS)
}

impl CardError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::LineTooLong { .. } | Self::NoHeader => {
                "give the README.md of a huggingtweets model"
            }
            Self::OtherFile { found } => match found {
                FileKind::Html
                | FileKind::LfsPointer
                | FileKind::ServerAnswer
                | FileKind::Compressed(_)
                | FileKind::Utf16
                | FileKind::Empty => found.hint(),
                _ => "give the README.md of a huggingtweets model",
            },
            Self::NotUtf8 { .. } => "save it as UTF-8",
            Self::FrontMatterOpen => {
                "the file may have been cut short; take it again from the model's repository"
            }
            Self::NoHandle => "add `@` and the handle below the name",
            Self::BadHandle { .. } => "repair the line of the header that begins with `@`",
            Self::TextTooLong { .. } => "shorten it",
            Self::TooManyPrompts { .. } => "remove some",
            Self::RowMissing { .. } => "add the row, or remove the table",
            Self::BadColumns { .. } => "give each row the same number of counts",
            Self::BadTableHeader { .. } => "repair the line that begins with `| Data |`",
            Self::BadCount { .. } => "write the number with digits alone, such as 3200",
        }
    }
}
