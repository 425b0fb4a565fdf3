//! Changes of the gallery: choosing a bot, typing a prompt, and the card that arrives with a model.

use super::super::bot_texts::BotTexts;
use super::super::model::ModelStatus;
use super::super::notice::Notice;
use super::super::{Command, PageState};
use crate::bot::Bot;
use crate::generate::parameter::Parameter;

impl PageState {
    /// Every bot of the gallery.
    pub fn bots(&self) -> &[Bot] {
        self.gallery.bots()
    }

    /// The open bot.
    pub fn bot(&self) -> &Bot {
        self.gallery.bot()
    }

    /// Place of the open bot in the gallery.
    pub fn selected(&self) -> usize {
        self.gallery.open_index()
    }

    /// Place of the bot with this `OWNER/NAME` in the gallery.
    pub fn bot_index(&self, repo: &str) -> Option<usize> {
        self.gallery.index_of(repo)
    }

    /// Prompt and tweets of the open bot.
    pub fn texts(&self) -> &BotTexts {
        self.gallery.texts()
    }

    /// Opens a bot of the gallery; a text that is being written for another bot is stopped.
    pub fn choose_bot(&mut self, index: usize) -> Vec<Command> {
        if index >= self.bots().len() || index == self.selected() {
            return Vec::new();
        }
        self.gallery.open(index);
        // With the seed of one bot, another would say the same under its own name.
        self.settings.reset(Parameter::Seed);
        self.writing.was_stopped = false;
        // A tweet of the bot that was open cannot be continued any more.
        self.waiting.take_if(|task| task.is_for_one_tweet());
        let is_loading = matches!(self.model.status, ModelStatus::Loading(_));
        let stop = if self.is_generating() {
            self.stop()
        } else {
            Vec::new()
        };
        let restart = if is_loading { None } else { self.follow_bot() };
        // A worker that is replaced needs no message.
        restart.map_or(stop, |restart| vec![restart])
    }

    /// Takes the visitor's prompt.
    pub fn edit_prompt(&mut self, text: &str) {
        text.clone_into(&mut self.gallery.texts_mut().prompt);
    }

    /// The card of the model that is being loaded: its bot joins the gallery and opens.
    pub(super) fn on_card(&mut self, repo: &str, markdown: &str) {
        // A card that the original did not write names no bot; the model is opened all the same.
        let Some(bot) = Bot::from_readme(repo, markdown) else {
            return;
        };
        self.forget_missing_bot(repo);
        let index = self.gallery.add(bot);
        self.gallery.open(index);
    }

    /// Removes the notice that the gallery lacks this bot.
    pub(super) fn forget_missing_bot(&mut self, fetched: &str) {
        self.notices.retain(|notice| {
            !matches!(notice, Notice::NotInGallery { repo, .. } if repo.eq_ignore_ascii_case(fetched))
        });
    }
}
