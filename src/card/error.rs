//! `CardError`: why a file is not read as a huggingtweets card, and the limits of a card's parts.

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
    #[error(
        "the card has {got} bytes, more than the {MAX_CARD_BYTES} a card may have; is it a README.md of a huggingtweets model?"
    )]
    TooLarge {
        /// Its size in bytes.
        got: usize,
    },
    /// A line has more than [`MAX_LINE_BYTES`].
    #[error(
        "line {line} of the card has {got} bytes, more than the {MAX_LINE_BYTES} a line may have; is it a README.md of a huggingtweets model?"
    )]
    LineTooLong {
        /// The line's number, from 1.
        line: usize,
        /// Its length in bytes.
        got: usize,
    },
    /// The file is not UTF-8 text.
    #[error("the card is not UTF-8 text from byte {at} on; save it as UTF-8")]
    NotUtf8 {
        /// Index of the first invalid byte.
        at: usize,
    },
    /// The front matter has no end.
    #[error("the card's front matter has no closing `---`; the file may have been cut short")]
    FrontMatterOpen,
    /// The file has none of the four headers.
    #[error(
        "no header of a huggingtweets card was found; give the README.md of a huggingtweets model"
    )]
    NoHeader,
    /// The handle is missing or has other characters than a handle.
    #[error(
        "a handle has 1 to {MAX_HANDLE_BYTES} letters, digits, `_` and `-`; the card's header has none after the names, repair its `@` line"
    )]
    BadHandle,
    /// A text is longer than its limit.
    #[error("the card's {what} has {got} characters, more than the {limit} allowed; shorten it")]
    TextTooLong {
        /// The kind of text.
        what: &'static str,
        /// Its length in characters.
        got: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The card has more than the allowed widget examples.
    #[error("the card has {got} widget examples, more than the {MAX_PROMPTS} allowed; remove some")]
    TooManyPrompts {
        /// Their number.
        got: usize,
    },
    /// The data table lacks a row.
    #[error("the card's data table has no row `{row}`; add it, or remove the table")]
    RowMissing {
        /// The row's first cell.
        row: &'static str,
    },
    /// A row has no counts, more than [`MAX_ACCOUNTS`], or another number than the first row.
    #[error(
        "row `{row}` of the card's data table has {got} counts; each row needs the same number, 1 to {MAX_ACCOUNTS}"
    )]
    BadColumns {
        /// The row's first cell.
        row: &'static str,
        /// The number of its counts.
        got: usize,
    },
    /// The table's header cannot be split into one name per column.
    #[error(
        "the card's data table has {expected} columns of counts, but its header line does not name {expected} accounts; repair the line that begins with `| Data |`"
    )]
    BadTableHeader {
        /// The number of columns with counts.
        expected: usize,
    },
    /// A cell is not a count.
    #[error("row `{row}` of the card's data table has a cell that is not a whole number up to {max}; repair it", max = u32::MAX)]
    BadCount {
        /// The row's first cell.
        row: &'static str,
    },
}
