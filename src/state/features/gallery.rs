//! Changes of the gallery: choosing a bot, typing a prompt, and the card that arrives with a model.

use super::super::bot_texts::BotTexts;
use super::super::gallery::Place;
use super::super::model::ModelStatus;
use super::super::notice::Notice;
use super::super::speaker::Speaker;
use super::super::{Command, PageState};
use crate::bot::Bot;
use crate::generate::parameter::Parameter;

impl PageState {
    /// Every bot of the gallery.
    pub fn bots(&self) -> &[Bot] {
        self.gallery.bots()
    }

    /// Under whose name the texts stand.
    pub fn speaker(&self) -> Speaker {
        self.gallery.speaker()
    }

    /// The open bot, or the bot that was open before a model without a card.
    pub fn bot(&self) -> &Bot {
        self.gallery.bot()
    }

    /// Place of the open bot in the gallery; `None` while a model without a card is open.
    pub fn selected(&self) -> Option<usize> {
        match self.gallery.open_place() {
            Place::Bot(index) => Some(index),
            Place::Guest(_) => None,
        }
    }

    /// Place of the bot with this `OWNER/NAME` in the gallery.
    pub fn bot_index(&self, repo: &str) -> Option<usize> {
        self.gallery.index_of(repo)
    }

    /// Prompt and tweets of the open bot or model.
    pub fn texts(&self) -> &BotTexts {
        self.gallery.texts()
    }

    /// Opens a bot of the gallery; a text that is being written for another bot is stopped.
    pub fn choose_bot(&mut self, index: usize) -> Vec<Command> {
        if index >= self.bots().len() || Some(index) == self.selected() {
            return Vec::new();
        }
        self.gallery.open(index);
        self.leave_place()
    }

    /// Opens what the page opened with, as its address without a bot says; fetches nothing.
    pub fn choose_home(&mut self) -> Vec<Command> {
        match self.home.choice.clone() {
            Some(choice) if self.speaker() == Speaker::Model(choice.clone()) => Vec::new(),
            Some(choice) => {
                self.gallery.open_place_of(&choice);
                self.leave_place()
            }
            None => self.choose_bot(self.home.bot),
        }
    }

    /// Ends the work for the place that was open, and chooses the model of the one that is.
    fn leave_place(&mut self) -> Vec<Command> {
        // With the seed of one bot, another would say the same under its own name.
        self.settings.reset(Parameter::Seed);
        self.writing.was_stopped = false;
        if let Some(earlier) = &mut self.model.earlier {
            earlier.place = self.gallery.open_place();
        }
        // A tweet of the bot that was open cannot be continued any more.
        self.waiting.take_if(|task| task.is_for_one_tweet());
        let is_loading = matches!(self.model.status, ModelStatus::Loading(_));
        let stop = if self.is_generating() {
            self.stop()
        } else {
            Vec::new()
        };
        let restart = if is_loading {
            None
        } else {
            self.follow_place()
        };
        self.forget_missing_bots();
        // A worker that is replaced needs no message.
        restart.map_or(stop, |restart| vec![restart])
    }

    /// Takes the visitor's prompt.
    pub fn edit_prompt(&mut self, text: &str) {
        text.clone_into(&mut self.gallery.texts_mut().prompt);
    }

    /// The card of the model that is being loaded: its bot joins the gallery and opens.
    pub(super) fn on_card(&mut self, repo: &str, markdown: &str) {
        // A card that the original did not write names no bot; the model speaks under its own name.
        let Some(bot) = Bot::from_readme(repo, markdown) else {
            return;
        };
        let index = self.gallery.add(bot);
        self.gallery.open(index);
    }

    /// Opens the place of the chosen model.
    pub(super) fn open_place_of_choice(&mut self) {
        self.gallery.open_place_of(&self.model.choice);
    }

    /// Whether the chosen model may write for the open place.
    pub(super) fn is_for_open_place(&self) -> bool {
        match self.speaker() {
            Speaker::Model(model) => model.model == self.model.choice.model,
            Speaker::Bot(_) => self.is_bundled() || self.is_own(),
        }
    }

    /// Removes the notices about bots that Generate would not fetch any more: they have come, or another model is chosen.
    pub(super) fn forget_missing_bots(&mut self) {
        let wanted = match self.model.status {
            ModelStatus::Ready(_) => None,
            _ => self.model.choice.repo(),
        };
        self.notices.retain(|notice| match notice {
            Notice::NotInGallery { repo, .. } => {
                wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(repo))
            }
            _ => true,
        });
    }
}
