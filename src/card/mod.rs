//! `Card`: the facts on a huggingtweets model card, and how they are read and written.

pub mod error;
mod front_matter;
mod header;
pub mod mojibake;
pub mod read;
mod table;
mod text;
pub mod write;

pub use error::CardError;
pub use write::{CardFacts, CardWriteError};

use serde::{Deserialize, Serialize};

/// The content of a huggingtweets model card. Text fields are plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The generation of the header's template, 1 to 4. Generations 1 to 3 have one large avatar and `NAME 🤖 AI Bot`
    /// (2 in a `prose` section, 3 without colours), generation 4 has a row of three avatar slots.
    pub generation: u8,
    /// AI BOT or AI CYBORG.
    pub label: Label,
    /// One to three display names in the order of the avatars, none empty. A cyborg whose card has no table has a
    /// single name, all names joined by ` & `.
    pub names: Vec<String>,
    /// The text after the `@`: the sorted handles joined by `-`.
    pub handle: String,
    /// The single handles in the order of `handle`, which is not the order of the names. If their number differs from
    /// the names', the joined handle alone.
    pub handles: Vec<String>,
    /// Addresses of the visible avatars, `https://` only.
    pub avatars: Vec<String>,
    /// The share picture's address, `https://` or, on later cards, `http://`.
    pub thumbnail: Option<String>,
    /// One entry per account in the order of the names; empty if the card has no table.
    pub table: Vec<AccountData>,
    /// The card's links that differ from bot to bot.
    pub links: Links,
    /// Example prompts.
    pub widget: Vec<String>,
}

/// The header's label of the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Label {
    /// One account.
    #[serde(rename = "AI BOT")]
    Bot,
    /// Two or three accounts.
    #[serde(rename = "AI CYBORG")]
    Cyborg,
}

impl Label {
    /// The words of the label.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Bot => "AI BOT",
            Self::Cyborg => "AI CYBORG",
        }
    }
}

/// The counts of one account's tweets, as the card states them.
///
/// On original cards `kept = downloaded - retweets - short`; a card with other counts is not corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountData {
    /// Display name. Older cards head the column "Quantity"; then this is the header's name.
    pub name: String,
    /// Tweets downloaded.
    pub downloaded: u32,
    /// Retweets among them.
    pub retweets: u32,
    /// Tweets too short to learn from.
    pub short: u32,
    /// Tweets the model was trained on.
    pub kept: u32,
}

/// Addresses that differ from card to card, `https://` only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The page for exploring the data.
    pub data: Option<String>,
    /// The page of the training run.
    pub training: Option<String>,
    /// The page of the final model's artifacts.
    pub model: Option<String>,
}
