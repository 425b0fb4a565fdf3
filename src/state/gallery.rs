//! `Gallery`: the bots, which of them is open, and each bot's prompt and tweets.

use super::bot_texts::BotTexts;
use crate::bot::Bot;

/// The prompts that the page offers; they are the prompts of the original demo.
pub const EXAMPLE_PROMPTS: [&str; 5] = [
    "My dream is",
    "I want",
    "I like",
    "I don't like",
    "I think that",
];

/// The bots in the order of the gallery.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gallery {
    bots: Vec<Bot>,
    /// The texts of each bot, in the order of `bots`.
    texts: Vec<BotTexts>,
    open: usize,
}

impl Gallery {
    /// A gallery with the first bot open.
    ///
    /// # Panics
    /// If there is no bot.
    pub(super) fn new(bots: Vec<Bot>) -> Gallery {
        assert!(!bots.is_empty(), "the gallery has at least one bot");
        let texts = bots.iter().map(|bot| BotTexts::new(first_prompt(bot)));
        Gallery {
            texts: texts.collect(),
            bots,
            open: 0,
        }
    }

    pub(super) fn bots(&self) -> &[Bot] {
        &self.bots
    }

    pub(super) fn bot(&self) -> &Bot {
        &self.bots[self.open]
    }

    pub(super) fn open_index(&self) -> usize {
        self.open
    }

    /// Place of the bot with this `OWNER/NAME`, upper or lower case.
    pub(super) fn index_of(&self, repo: &str) -> Option<usize> {
        self.bots
            .iter()
            .position(|bot| bot.repo.eq_ignore_ascii_case(repo))
    }

    /// Adds a bot at the end, unless it is there already; gives back its place.
    pub(super) fn add(&mut self, bot: Bot) -> usize {
        if let Some(index) = self.index_of(&bot.repo) {
            return index;
        }
        self.texts.push(BotTexts::new(first_prompt(&bot)));
        self.bots.push(bot);
        self.bots.len() - 1
    }

    /// Opens the bot at a place. A prompt that the visitor typed moves to that bot; a proposed prompt does not.
    pub(super) fn open(&mut self, index: usize) {
        if index == self.open {
            return;
        }
        let prompt = self.texts().prompt.clone();
        if prompt != first_prompt(self.bot()) {
            self.texts[index].prompt = prompt;
        }
        self.open = index;
    }

    /// The texts of the open bot.
    pub(super) fn texts(&self) -> &BotTexts {
        &self.texts[self.open]
    }

    /// The texts of the open bot.
    pub(super) fn texts_mut(&mut self) -> &mut BotTexts {
        &mut self.texts[self.open]
    }

    pub(super) fn texts_of_bot(&mut self, index: usize) -> &mut BotTexts {
        &mut self.texts[index]
    }

    /// How many tweets are being written, whichever bot is open.
    pub(super) fn n_unfinished(&self) -> usize {
        let tweets = self.texts.iter().flat_map(|texts| &texts.tweets);
        tweets.filter(|tweet| tweet.is_unfinished()).count()
    }
}

/// The prompt that a bot's card proposes.
fn first_prompt(bot: &Bot) -> String {
    let proposed = bot.card.widget.first().cloned();
    proposed.unwrap_or_else(|| EXAMPLE_PROMPTS[0].to_owned())
}
