//! The browser's history: opening a bot adds an entry, the back and forward buttons open the bots of other entries.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::address;
use super::context::Page;
use super::{made_bot, maker_door, mixed_bot};
use crate::bot::Bot;
use crate::state::model_choice::BotShare;

/// Opens a bot and writes it into the address, so that the browser's back button leads back.
pub fn open_bot(page: Page, index: usize) {
    let Some(repo) =
        page.with_untracked(|state| state.bots().get(index).map(|bot| bot.repo.clone()))
    else {
        return;
    };
    if page.with_untracked(|state| state.selected()) == Some(index) {
        return;
    }
    address::go_to(&repo);
    page.act(|state| state.choose_bot(index));
}

/// Opens a trained bot of this device, as [`open_bot`] does.
pub fn open_made_bot(page: Page, folder: &str) {
    address::go_to(&Bot::repo_here(folder));
    open_here(page, folder);
}

/// Opens a trained bot of this device, or one that is mixed of two, unless it is open.
pub fn open_here(page: Page, folder: &str) {
    let repo = Bot::repo_here(folder);
    let is_open = page.with_untracked(|state| {
        let open = state.speaker().bot().map(|open| open.repo.clone());
        open.as_ref() == Some(&repo) && state.is_own()
    });
    if is_open {
        return;
    }
    let folder = folder.to_owned();
    spawn_local(async move {
        match Bot::mixed_here(&repo) {
            Some(folders) => {
                let percent = address::read().0.mix.unwrap_or(BotShare::HALF);
                mixed_bot::open(page, folders, percent, None).await;
            }
            None => made_bot::open(page, &folder).await,
        }
    });
}

/// Writes what the texts of the open bot were written with into the address, so that a reload or a bookmark brings it
/// back.
pub fn keep_recipe(page: Page) {
    let query = page.memo(|state| state.link_query());
    Effect::new(move |_| {
        let Some(query) = query.get() else { return };
        let address = address::with_other_names(&query);
        // A page opened from a file may not write its address.
        let _ = window().history().and_then(|history| {
            history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&address))
        });
    });
}

/// Opens a bot of this device if the address asks for one, and follows the browser's back and forward buttons.
pub fn follow(page: Page) {
    let (asked, _) = address::read();
    let asked = asked.bot.map(|repo| repo.to_string());
    if let Some(folder) = asked.as_deref().and_then(Bot::folder_here) {
        open_here(page, folder);
    }
    window_event_listener(leptos::ev::popstate, move |_| {
        // The maker's entries are no bots'.
        if maker_door::is_asked() {
            return;
        }
        let (address, _) = address::read();
        let repo = address.bot.as_ref().map(|repo| repo.as_str());
        if let Some(folder) = repo.and_then(Bot::folder_here) {
            return open_here(page, folder);
        }
        let index = address
            .bot
            .and_then(|repo| page.with_untracked(|state| state.bot_index(repo.as_str())));
        page.act(|state| match index {
            Some(index) => state.choose_bot(index),
            None => state.choose_home(),
        });
    });
}
