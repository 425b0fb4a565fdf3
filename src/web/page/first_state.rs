//! The state in which the page begins, by its address and by the bot that the site was made for.

use super::{address, site_bot};
use crate::bot;
use crate::state::PageState;
use crate::state::model_choice::ModelChoice;

/// The state.
pub fn first_state() -> PageState {
    let (asked, model) = address::read();
    let (first, own) = site_bot::read().unzip();
    let of_site = |model: &ModelChoice| own.as_ref().is_some_and(|own| own.model == model.model);
    let model = match model {
        Some(model) if of_site(&model) => own.clone(),
        model => model,
    };
    let bots = first.into_iter().chain(bot::bundled().iter().cloned());
    let bundled = address::bundled_model();
    let mut state = PageState::new(bots.collect(), bundled, &asked, model);
    if let Some(own) = own {
        state.set_site_model(own);
    }
    state
}
