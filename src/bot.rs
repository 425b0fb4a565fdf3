//! `Bot`: a published bot as the page shows it, by its repository and its model card.

mod avatar;
mod gallery;

pub use avatar::{drawings, hue, initials};
pub use gallery::{bundled, find};

// The page's components name the types of a card through this module.
pub use crate::card::{AccountData, Card, Label, Links};
use crate::hub::HUB;

/// Size in MB (10⁶ bytes) of the `pytorch_model.bin` of each bundled bot, as listed on the Hub: 124.4 million weights
/// of 4 bytes, and 12.6 MB of attention masks.
pub const HUB_WEIGHTS_MB: u32 = 510;

/// A bot and its model card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// `OWNER/NAME` on the Hub.
    pub repo: String,
    /// Its model card.
    pub card: Card,
}

impl Bot {
    /// The owner's name of a bot that is being made here.
    pub const ON_THIS_DEVICE: &str = "this-device";

    /// The bot of the repository `repo`, from its `README.md`; `None` if that is not a huggingtweets card.
    pub fn from_readme(repo: &str, markdown: &str) -> Option<Bot> {
        let card = crate::card::read::read(markdown.as_bytes()).ok()?;
        Some(Bot {
            repo: repo.to_owned(),
            card,
        })
    }

    /// The address of the repository's page on the Hub.
    pub fn hub_url(&self) -> String {
        format!("{HUB}/{}", self.repo)
    }
}
