//! Writes what the document shows of the state: its title, `data-state`, and the bot's hue.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::context::Page;
use crate::bot;

/// Follows the state as long as the page is open.
pub fn follow(page: Page) {
    let hue = page.memo(|state| bot::hue(state.speaker().colour_key()));
    let title = page.memo(|state| state.speaker().title());
    let phase = page.memo(|state| state.phase().name());
    Effect::new(move |_| document().set_title(&title.get()));
    Effect::new(move |_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-state", phase.get());
            // Not by the attribute, which a strict security policy forbids.
            let root: HtmlElement = root.unchecked_into();
            let _ = root.style().set_property("--hue", &hue.get().to_string());
        }
    });
}
