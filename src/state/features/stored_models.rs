//! Reads and updates the list of the models that are stored on this device.

use super::super::model::ModelStatus;
use super::super::model_choice::whole_repository;
use super::super::{Command, PageState};
use crate::bot::Bot;
use crate::hub::ModelRef;
use crate::protocol::Retention;

impl PageState {
    /// Whether the complete model is stored on this device.
    pub fn is_stored(&self, model: &ModelRef) -> bool {
        self.stored.contains(model)
    }

    /// Takes the list of complete models on this device, each with its card as Markdown. Their bots join the gallery,
    /// and the open bot's own model is chosen unless the visitor chose another. An open model that was deleted lasts as
    /// long as the tab.
    pub fn update_stored(&mut self, stored: Vec<(ModelRef, Option<String>)>) -> Vec<Command> {
        for (model, card) in &stored {
            let repo = whole_repository(model).zip(card.as_ref());
            let bot = repo.and_then(|(repo, card)| Bot::from_readme(repo, card));
            if let Some(bot) = bot {
                self.gallery.add(bot);
            }
        }
        let was_stored = self.is_stored(&self.model.choice.model);
        let models = stored.into_iter().map(|(model, _)| model);
        self.stored.replace(models.collect());
        let is_gone = was_stored && !self.is_stored(&self.model.choice.model);
        if let ModelStatus::Ready(info) = &mut self.model.status
            && is_gone
        {
            info.retention = Retention::Tab;
        }
        if self.model.status == ModelStatus::Absent
            && self.selected().is_some()
            && (self.is_bundled() || is_gone)
        {
            self.follow_place().into_iter().collect()
        } else {
            Vec::new()
        }
    }
}
