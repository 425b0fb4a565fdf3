//! `Card`: a bot's model card as a value.

pub mod error;
mod front_matter;
mod header;
pub mod mojibake;
pub mod read;
mod table;
mod text;

pub use error::CardError;

use serde::{Deserialize, Serialize};

/// All that a huggingtweets model card says. Text fields are plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Which header template made it, 1 to 4: 1 to 3 have one large avatar and `NAME 🤖 AI Bot`
    /// (2 in a `prose` section, 3 without colours), 4 has a row of three avatar slots.
    pub generation: u8,
    /// AI BOT or AI CYBORG.
    pub label: Label,
    /// Display names in the order the avatars stand; one to three, none empty.
    /// A cyborg whose card lacks its table has one, of all names joined by ` & `.
    pub names: Vec<String>,
    /// As shown behind the `@`: the sorted handles joined by `-`.
    pub handle: String,
    /// Single handles in the order of `handle`, which is not that of the names, where there are as
    /// many as names; else the joined one alone.
    pub handles: Vec<String>,
    /// Addresses of the avatars that are shown, `https://` only.
    pub avatars: Vec<String>,
    /// The share picture's address, `https://` or, on later cards, `http://`.
    pub thumbnail: Option<String>,
    /// One entry per account, in the order of the names; empty if the card has no table.
    pub table: Vec<AccountData>,
    /// The card's links that differ from bot to bot.
    pub links: Links,
    /// Example prompts.
    pub widget: Vec<String>,
}

/// What the header calls the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Label {
    /// One account.
    #[serde(rename = "AI BOT")]
    Bot,
    /// Two or three accounts.
    #[serde(rename = "AI CYBORG")]
    Cyborg,
}

/// What became of one account's tweets, as the card states it.
///
/// On a true card `kept = downloaded - retweets - short`; a card that says otherwise is not corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountData {
    /// Display name; older cards head the column "Quantity", and it is the header's name here too.
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
    /// Where the data could be explored.
    pub data: Option<String>,
    /// The training run.
    pub training: Option<String>,
    /// The final model's artifacts.
    pub model: Option<String>,
}
