//! The browser's history: opening a bot adds an entry, the back and forward buttons open the bots of other entries.

use leptos::prelude::*;

use super::address;
use super::context::Page;

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
    // A page opened from a file may not write its address; the bot opens all the same.
    let _ = window().history().and_then(|history| {
        history.push_state_with_url(
            &wasm_bindgen::JsValue::NULL,
            "",
            Some(&address::bot_link(&repo)),
        )
    });
    page.act(|state| state.choose_bot(index));
}

/// Follows the browser's back and forward buttons.
pub fn follow(page: Page) {
    window_event_listener(leptos::ev::popstate, move |_| {
        let (address, _) = address::read();
        let index = address
            .bot
            .and_then(|repo| page.with_untracked(|state| state.bot_index(repo.as_str())));
        page.act(|state| match index {
            Some(index) => state.choose_bot(index),
            None => state.choose_home(),
        });
    });
}
