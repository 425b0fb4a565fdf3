//! The page's own address: read once at the start, written when a visitor opens another bot.

use leptos::prelude::*;
use web_sys::{Url, UrlSearchParams};

use crate::bundled::BUNDLED_MODEL;
use crate::hub::{Dtype, Endpoint, ModelAddress};
use crate::state::address::Address;
use crate::state::model::{ModelChoice, ModelOrigin};

use super::context::Page;

/// The address as it stands, and the model it names, made absolute.
pub fn read() -> (Address, Option<ModelChoice>) {
    let query = window().location().search().unwrap_or_default();
    let mut pairs = Vec::new();
    if let Ok(params) = UrlSearchParams::new_with_str(&query) {
        for name in [
            "bot",
            "model",
            "endpoint",
            "title",
            "text",
            "url",
            "n",
            "seed",
            "temperature",
            "top_k",
            "top_p",
            "max_new_tokens",
        ] {
            if let Some(value) = params.get(name) {
                pairs.push((name, value));
            }
        }
    }
    let address = Address::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
    let model = address
        .model
        .as_ref()
        .map(|model| choice(model, &address.endpoint, Dtype::Auto));
    (address, model)
}

/// The model that comes with the page.
pub fn bundled_model() -> ModelChoice {
    ModelChoice {
        origin: ModelOrigin::Bundled,
        name: BUNDLED_MODEL.name.to_owned(),
        url: absolute(BUNDLED_MODEL.path).unwrap_or_else(|| BUNDLED_MODEL.path.to_owned()),
        files: Vec::new(),
        endpoint: None,
        dtype: Dtype::Auto,
        size_bytes: Some(BUNDLED_MODEL.size_bytes),
    }
}

/// The model at `address`, a path on this page's host made absolute.
pub fn choice(address: &ModelAddress, endpoint: &Endpoint, dtype: Dtype) -> ModelChoice {
    let own = match address {
        ModelAddress::OwnGguf { path } => absolute(path).map(|url| ModelAddress::Gguf { url }),
        _ => None,
    };
    ModelChoice::at(own.as_ref().unwrap_or(address), endpoint, dtype)
}

/// `address` as seen from this page, if it is one.
pub fn absolute(address: &str) -> Option<String> {
    let base = document().base_uri().ok()??;
    Some(Url::new_with_base(address.trim(), &base).ok()?.href())
}

/// This page opened on another bot, for a link: relative, so that it holds in any folder.
pub fn bot_link(repo: &str) -> String {
    let search = window().location().search().unwrap_or_default();
    let query = UrlSearchParams::new().and_then(|query| {
        let asked = UrlSearchParams::new_with_str(&search)?;
        for name in ["model", "endpoint"] {
            if let Some(value) = asked.get(name) {
                query.append(name, &value);
            }
        }
        Ok(query)
    });
    let rest = query
        .map(|query| String::from(query.to_string()))
        .unwrap_or_default();
    // The slash of OWNER/NAME needs no escape in a query, and reads better without.
    if rest.is_empty() {
        format!("?bot={repo}")
    } else {
        format!("?bot={repo}&{rest}")
    }
}

/// Opens a bot and writes it into the address, so that "back" leads back.
pub fn open_bot(page: Page, index: usize) {
    let Some(repo) =
        page.with_untracked(|state| state.bots().get(index).map(|bot| bot.repo.clone()))
    else {
        return;
    };
    if page.with_untracked(|state| state.selected()) == index {
        return;
    }
    // A page opened from a file may not write its address; the bot opens all the same.
    let _ = window().history().and_then(|history| {
        history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&bot_link(&repo)))
    });
    page.act(|state| state.choose_bot(index));
}

/// Follows the browser's back and forward buttons.
pub fn follow_history(page: Page) {
    window_event_listener(leptos::ev::popstate, move |_| {
        let (address, _) = read();
        let index = address
            .bot
            .and_then(|repo| page.with_untracked(|state| state.bot_index(&repo)))
            .unwrap_or(0);
        page.act(|state| state.choose_bot(index));
    });
}
