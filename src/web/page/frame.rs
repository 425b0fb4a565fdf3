//! `FrameView`: the page in a frame of another page: one bot, without bar, gallery and card.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::UrlSearchParams;

use super::address;
use super::components::avatar::Pictures;
use super::components::bot_header::FrameHeader;
use super::components::model_line::ModelLine;
use super::components::model_notices::ModelNotices;
use super::components::prompt_box::PromptBox;
use super::components::results::Results;
use super::content_height;
use super::context::Page;
use super::document_state;
use super::first_state::first_state;
use super::frame_host;
use super::host_link::HostLink;
use super::stored_models;
use crate::state::wordpress::{self, HeightMessage};

/// Whether the address asks for this view.
pub fn is_asked() -> bool {
    query("view").as_deref() == Some("embed")
}

fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// The view. It works alone, with a worker of its own, and as a part of `<huggingtweets-bot>`, with the engine that all
/// elements of a page share.
#[component]
pub fn FrameView() -> impl IntoView {
    let state = first_state();
    let host = HostLink::find();
    let content = NodeRef::<html::Div>::new();
    let page = match &host {
        Some(host) => frame_host::start(host, state, content),
        None => {
            tell_wordpress(content);
            Page::start(state)
        }
    };
    provide_context(page);
    provide_context(Pictures::drawn());
    document_state::follow(page);
    stored_models::refresh(page);
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-view", "embed");
        if let Some(theme) = query("theme").filter(|theme| theme == "light" || theme == "dark") {
            let _ = root.set_attribute("data-theme", &theme);
        }
    }
    let link = page.memo(|state| {
        let bot = state.bot();
        address::bot_link(&bot.repo)
    });
    view! {
        <main class="frame">
            <div class="frame-content" node_ref=content>
                <FrameHeader/>
                <div class="frame-body">
                    <PromptBox/>
                    <Results/>
                    <ModelLine/>
                    <ModelNotices/>
                    <p class="frame-foot">
                        "A language model on your device makes the texts up. "
                        <a href=link target="_blank" rel="noopener">"Open its page"</a>
                    </p>
                </div>
            </div>
        </main>
    }
}

/// Tells a WordPress post around the frame the height of `content`.
fn tell_wordpress(content: NodeRef<html::Div>) {
    let fragment = window().location().hash().unwrap_or_default();
    let (Some(secret), Ok(Some(host))) = (wordpress::secret(&fragment), window().parent()) else {
        return;
    };
    let secret = secret.to_owned();
    let tell = move |height| {
        let message = HeightMessage::new(height, &secret);
        // A sandboxed frame does not know the address of its host; the message has nothing of the visitor's.
        if let Ok(message) = serde_wasm_bindgen::to_value(&message) {
            let _ = host.post_message(&message, "*");
        }
    };
    let tell = std::rc::Rc::new(tell);
    Effect::new(move |_| {
        if let Some(content) = content.get() {
            let tell = tell.clone();
            content_height::follow(content.unchecked_into(), move |height| tell(height));
        }
    });
}
