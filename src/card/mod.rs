//! `Card`: a bot's model card as a value.

use serde::{Deserialize, Serialize};

/// All that a huggingtweets model card says. Text fields are plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Which header template made it, 1 to 4 (`3`: seed 002's older header, `4`: three slots).
    pub generation: u8,
    /// AI BOT or AI CYBORG.
    pub label: Label,
    /// Display names in the order the avatars stand; one to three.
    pub names: Vec<String>,
    /// As shown behind the `@`: the sorted handles joined by `-`.
    pub handle: String,
    /// Single handles, where they can be told apart; else the joined one alone.
    pub handles: Vec<String>,
    /// Addresses of the avatars that are shown, `https://` only.
    pub avatars: Vec<String>,
    /// The share picture's address.
    pub thumbnail: Option<String>,
    /// One row per account.
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

/// What became of one account's tweets; `kept = downloaded - retweets - short`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountData {
    /// Display name, or the handle on older cards.
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
