//! Who the bot is: repository name, card, and the bundled five.

use crate::card::Card;

/// One bot of the gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// `OWNER/NAME` on the Hub.
    pub repo: String,
    /// Its card.
    pub card: Card,
}
