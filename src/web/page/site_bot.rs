//! The bot that a copy of this site was made for (`web/trainer/site_copy.rs`): its card and the name of its file are in
//! `index.html`, and it stands before the bots of the gallery.

use leptos::prelude::document;

use super::address;
use crate::bot::Bot;
use crate::hub::{Dtype, Endpoint, ModelAddress, ModelRef};
use crate::state::model_choice::ModelChoice;
use crate::trainer::site::{CARD, FILE, ID};

/// The bot with its model, if the site has one.
pub fn read() -> Option<(Bot, ModelChoice)> {
    let element = document().get_element_by_id(ID)?;
    let (card, file) = (element.get_attribute(CARD)?, element.get_attribute(FILE)?);
    let name = file.rsplit('/').next()?.trim_end_matches(".gguf");
    let bot = Bot::from_readme(&Bot::repo_of_site(name), &card)?;
    let address = ModelAddress::Gguf {
        url: address::own_file(&file)?,
    };
    let model = ModelRef::new(address, Endpoint::default(), Dtype::Auto);
    let choice = ModelChoice::new(model).of_bot(&bot.repo);
    Some((bot, choice))
}
