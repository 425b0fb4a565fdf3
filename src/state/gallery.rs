//! `Gallery`: the bots and the models without a card, which of them is open, and the prompt and tweets of each.

use super::bot_texts::BotTexts;
use super::model_choice::ModelChoice;
use super::speaker::Speaker;
use crate::bot::Bot;

/// The prompts that the page offers; they are the prompts of the original demo.
pub const EXAMPLE_PROMPTS: [&str; 5] = [
    "My dream is",
    "I want",
    "I like",
    "I don't like",
    "I think that",
];

/// A place whose texts the page can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A bot, by its index in the gallery.
    Bot(usize),
    /// A model without a card, by its index among the guests.
    Guest(usize),
}

/// The bots in the order of the gallery, and the models without a card that were opened on this page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gallery {
    bots: Vec<Bot>,
    /// The texts of each bot, in the order of `bots`.
    texts: Vec<BotTexts>,
    guests: Vec<(ModelChoice, BotTexts)>,
    open: Place,
    /// The bot that is open, or that was before the guest.
    last_bot: usize,
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
            guests: Vec::new(),
            open: Place::Bot(0),
            last_bot: 0,
        }
    }

    pub(super) fn bots(&self) -> &[Bot] {
        &self.bots
    }

    /// The open bot, or the last one.
    pub(super) fn bot(&self) -> &Bot {
        &self.bots[self.last_bot]
    }

    /// Index of the open bot, or of the last one.
    pub(super) fn last_bot(&self) -> usize {
        self.last_bot
    }

    pub(super) fn open_place(&self) -> Place {
        self.open
    }

    pub(super) fn speaker(&self) -> Speaker {
        match self.open {
            Place::Bot(index) => Speaker::Bot(self.bots[index].clone()),
            Place::Guest(index) => Speaker::Model(self.guests[index].0.clone()),
        }
    }

    /// Index of the bot with this `OWNER/NAME`, upper or lower case.
    pub(super) fn index_of(&self, repo: &str) -> Option<usize> {
        self.bots
            .iter()
            .position(|bot| bot.repo.eq_ignore_ascii_case(repo))
    }

    /// Adds a bot at the end, unless it is there already; gives back its index. It takes over the texts of the guest
    /// that it was before its card came.
    pub(super) fn add(&mut self, bot: Bot) -> usize {
        if let Some(index) = self.index_of(&bot.repo) {
            return index;
        }
        let is_it = |model: &ModelChoice| {
            model
                .bot_repo()
                .is_some_and(|repo| repo.eq_ignore_ascii_case(&bot.repo))
        };
        let guest = self.guests.iter_mut().find(|(model, _)| is_it(model));
        let fresh = || BotTexts::new(EXAMPLE_PROMPTS[0].to_owned());
        let mut texts = guest.map(|(_, texts)| std::mem::replace(texts, fresh()));
        if let Some(texts) = &mut texts
            && texts.tweets.is_empty()
            && texts.prompt == EXAMPLE_PROMPTS[0]
        {
            texts.prompt = first_prompt(&bot);
        }
        let texts = texts.unwrap_or_else(|| BotTexts::new(first_prompt(&bot)));
        self.texts.push(texts);
        self.bots.push(bot);
        self.bots.len() - 1
    }

    /// Opens the bot at an index.
    pub(super) fn open(&mut self, index: usize) {
        self.open_at(Place::Bot(index));
        self.last_bot = index;
    }

    /// Opens a place that was open before.
    pub(super) fn reopen(&mut self, place: Place) {
        match place {
            Place::Bot(index) => self.open(index),
            Place::Guest(_) => self.open_at(place),
        }
    }

    /// Opens the place of a model without a card.
    pub(super) fn open_guest(&mut self, model: &ModelChoice) {
        let known = self
            .guests
            .iter()
            .position(|(guest, _)| guest.model == model.model);
        let index = known.unwrap_or_else(|| {
            let texts = BotTexts::new(EXAMPLE_PROMPTS[0].to_owned());
            self.guests.push((model.clone(), texts));
            self.guests.len() - 1
        });
        self.open_at(Place::Guest(index));
    }

    /// Opens the place of a model: its bot, or its own where it has no card. The model that comes with the page speaks for
    /// the bot that is open, or was last.
    pub(super) fn open_place_of(&mut self, model: &ModelChoice) {
        match model.bot_repo().and_then(|repo| self.index_of(repo)) {
            Some(index) => self.open(index),
            None if !model.is_bundled() => self.open_guest(model),
            None if matches!(self.open, Place::Guest(_)) => self.open(self.last_bot),
            None => {}
        }
    }

    /// Opens a place. A prompt that the visitor typed moves there; a proposed prompt does not.
    fn open_at(&mut self, place: Place) {
        if place == self.open {
            return;
        }
        let proposed = match self.open {
            Place::Bot(index) => first_prompt(&self.bots[index]),
            Place::Guest(_) => EXAMPLE_PROMPTS[0].to_owned(),
        };
        let prompt = self.texts().prompt.clone();
        if prompt != proposed {
            self.texts_at(place).prompt = prompt;
        }
        self.open = place;
    }

    /// The texts of the open place.
    pub(super) fn texts(&self) -> &BotTexts {
        match self.open {
            Place::Bot(index) => &self.texts[index],
            Place::Guest(index) => &self.guests[index].1,
        }
    }

    /// The texts of the open place.
    pub(super) fn texts_mut(&mut self) -> &mut BotTexts {
        self.texts_at(self.open)
    }

    pub(super) fn texts_at(&mut self, place: Place) -> &mut BotTexts {
        match place {
            Place::Bot(index) => &mut self.texts[index],
            Place::Guest(index) => &mut self.guests[index].1,
        }
    }

    /// The texts of a bot, by its index.
    pub(super) fn texts_of_bot(&self, index: usize) -> Option<&BotTexts> {
        self.texts.get(index)
    }

    /// How many tweets are being written, whichever place is open.
    pub(super) fn n_unfinished(&self) -> usize {
        let guests = self.guests.iter().map(|(_, texts)| texts);
        let tweets = self
            .texts
            .iter()
            .chain(guests)
            .flat_map(|texts| &texts.tweets);
        tweets.filter(|tweet| tweet.is_unfinished()).count()
    }
}

/// The prompt that a bot's card proposes.
fn first_prompt(bot: &Bot) -> String {
    let proposed = bot.card.widget.first().cloned();
    proposed.unwrap_or_else(|| EXAMPLE_PROMPTS[0].to_owned())
}
