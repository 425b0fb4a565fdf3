//! `Speaker`: under whose name the texts stand: a bot with its card, or a model without one.

use super::model_choice::ModelChoice;
use crate::bot::Bot;

/// Under whose name the page's texts stand.
#[derive(Debug, Clone, PartialEq)]
pub enum Speaker {
    /// A bot of the gallery.
    Bot(Bot),
    /// A model without a card, which speaks under its own name.
    Model(ModelChoice),
}

impl Speaker {
    /// The bot, if it is one.
    pub fn bot(&self) -> Option<&Bot> {
        match self {
            Speaker::Bot(bot) => Some(bot),
            Speaker::Model(_) => None,
        }
    }

    /// Its display names, in the order of the avatars.
    pub fn names(&self) -> Vec<String> {
        match self {
            Speaker::Bot(bot) => bot.card.names.clone(),
            Speaker::Model(model) => vec![model.name.clone()],
        }
    }

    /// `@HANDLE` of a bot.
    pub fn handle(&self) -> Option<String> {
        self.bot().map(|bot| format!("@{}", bot.card.handle))
    }

    /// The text that its colour follows from.
    pub fn colour_key(&self) -> &str {
        match self {
            Speaker::Bot(bot) => &bot.card.handle,
            Speaker::Model(model) => &model.name,
        }
    }

    /// The document's title.
    pub fn title(&self) -> String {
        let name = match self {
            Speaker::Bot(bot) => format!("@{}", bot.card.handle),
            Speaker::Model(model) => model.name.clone(),
        };
        format!("{name} · huggingtweets-web")
    }
}
