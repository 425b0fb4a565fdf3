//! The bot that is made, as the gallery and a card show it.

use maker::message::AccountView;

use super::MakerState;
use crate::bot::Bot;
use crate::card::write::CardFacts;
use crate::card::{AccountData, Card, Label, Links};

/// The prompt of a new bot.
const PROMPT: &str = "My dream is";

impl MakerState {
    /// The bot in the gallery, once there is an account.
    #[must_use]
    pub fn card_bot(&self) -> Option<Bot> {
        let accounts = &self.bot.accounts;
        let mut handles: Vec<String> = accounts.iter().map(|a| a.handle.clone()).collect();
        handles.sort();
        let handle = handles.join("-");
        if handle.is_empty() {
            return None;
        }
        let card = Card {
            generation: 4,
            label: match accounts.len() {
                1 => Label::Bot,
                _ => Label::Cyborg,
            },
            names: accounts.iter().map(|a| shown_name(a).to_owned()).collect(),
            handles,
            avatars: match accounts.iter().any(|account| account.picture.is_some()) {
                true => accounts
                    .iter()
                    .map(|account| account.picture.clone().unwrap_or_default())
                    .collect(),
                false => Vec::new(),
            },
            thumbnail: None,
            table: self.table(),
            links: Links::default(),
            widget: vec![PROMPT.to_owned()],
            handle,
        };
        Some(Bot {
            repo: format!("{}/{}", Bot::ON_THIS_DEVICE, card.handle),
            card,
        })
    }

    fn table(&self) -> Vec<AccountData> {
        let few = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let columns = self.bot.accounts.iter().map(|account| {
            let counts = account.counts;
            AccountData {
                name: shown_name(account).to_owned(),
                downloaded: few(counts.downloaded),
                retweets: few(counts.retweets),
                short: few(counts.short_on_card()),
                kept: few(counts.kept),
            }
        });
        columns.collect()
    }

    /// What its card says before it is trained, written on `date`, such as 2026-01-31.
    ///
    /// # Errors
    /// A sentence on what a card cannot have.
    pub fn card_text(&self, date: &str) -> Result<String, String> {
        self.card_with(CardFacts {
            untrained: true,
            date: Some(date.to_owned()),
            ..CardFacts::default()
        })
    }

    /// What it says once it is trained on the base model of this name.
    ///
    /// # Errors
    /// As [`MakerState::card_text`].
    pub fn card_of_trained(&self, base: &str, date: &str) -> Result<String, String> {
        self.card_with(CardFacts {
            base_model: Some(base.to_owned()),
            date: Some(date.to_owned()),
            ..CardFacts::default()
        })
    }

    fn card_with(&self, facts: CardFacts) -> Result<String, String> {
        let Some(Bot { card, .. }) = self.card_bot() else {
            return Err("Import posts first.".to_owned());
        };
        let facts = CardFacts {
            names: card.names,
            handles: card.handles,
            table: card.table,
            language: self.language(),
            ..facts
        };
        crate::card::write::mended(&facts).map_err(|error| format!("{error}: {}", error.hint()))
    }

    /// The language of the posts: the one that the cleaning was told, or that of all accounts.
    fn language(&self) -> Option<String> {
        if self.bot.options.lang.is_some() {
            return self.bot.options.lang.clone();
        }
        let mut languages = self
            .bot
            .accounts
            .iter()
            .map(|account| &account.survey.language);
        let first = languages.next()?;
        let is_one = languages.all(|language| language == first);
        first.clone().filter(|_| is_one)
    }
}

/// The display name, or the handle where there is none.
fn shown_name(account: &AccountView) -> &str {
    match account.name.is_empty() {
        true => &account.handle,
        false => &account.name,
    }
}
