//! The page's own address: the bot and the model in it, links with another bot, relative addresses made absolute.

use std::sync::OnceLock;

use leptos::prelude::*;
use web_sys::{Url, UrlSearchParams};

use crate::bundled::BUNDLED_MODEL;
use crate::hub::{ModelAddress, ModelRef};
use crate::state::address::Address;
use crate::state::model_choice::ModelChoice;

/// The page's address, and the model in it.
pub fn read() -> (Address, Option<ModelChoice>) {
    let query = window().location().search().unwrap_or_default();
    let mut pairs = Vec::new();
    if let Ok(params) = UrlSearchParams::new_with_str(&query) {
        for name in Address::names() {
            if let Some(value) = params.get(name) {
                pairs.push((name, value));
            }
        }
    }
    if let Some(bot) = own_bot().filter(|_| pairs.iter().all(|(name, _)| *name != "bot")) {
        pairs.push(("bot", bot));
    }
    let address = Address::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
    let named = |model| ModelRef::new(model, address.endpoint.clone(), address.dtype);
    let model = address
        .model
        .clone()
        .map(|model| absolute_model(named(model)));
    let file = || Some(ModelRef::of_files(None, vec![address.file.clone()?]));
    let model = model.or_else(file).map(ModelChoice::new);
    (address, model)
}

/// The model that comes with the page.
pub fn bundled_model() -> ModelChoice {
    ModelChoice::new(ModelRef::bundled()).with_size(BUNDLED_MODEL.size_bytes)
}

/// Absolute address of the bundled model's file.
pub fn bundled_url() -> String {
    own_file(BUNDLED_MODEL.path).unwrap_or_else(|| BUNDLED_MODEL.path.to_owned())
}

/// Name of the attribute by which the page of a bot, below the site's folder, tells the way there (src/site/bot_pages.rs).
const WAY_TO_FOLDER: &str = "data-root";

fn of_document(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Absolute address of the site's folder. It stays the same when a bot's page writes another address into the history.
pub fn folder() -> Option<String> {
    static FOLDER: OnceLock<Option<String>> = OnceLock::new();
    let find = || absolute(&of_document(WAY_TO_FOLDER).unwrap_or_else(|| "./".to_owned()));
    FOLDER.get_or_init(find).clone()
}

/// Absolute address of a file of the site.
pub fn own_file(path: &str) -> Option<String> {
    Some(Url::new_with_base(path, &folder()?).ok()?.href())
}

/// The bot whose page this is.
fn own_bot() -> Option<String> {
    of_document(WAY_TO_FOLDER).and_then(|_| of_document("data-bot"))
}

/// The address of `index.html` without its name: relative, but on the page of a bot.
pub fn home_link() -> String {
    match of_document(WAY_TO_FOLDER) {
        Some(_) => folder().unwrap_or_default(),
        None => "./".to_owned(),
    }
}

/// `model` with the path of a file on this page's host made an absolute address.
pub fn absolute_model(model: ModelRef) -> ModelRef {
    match &model.address {
        ModelAddress::OwnGguf { path } => match absolute(path) {
            Some(url) => ModelRef {
                address: ModelAddress::Gguf { url },
                ..model
            },
            None => model,
        },
        _ => model,
    }
}

/// `address` relative to this page, made absolute; `None` if it is not an address.
pub fn absolute(address: &str) -> Option<String> {
    let base = document().base_uri().ok()??;
    Some(Url::new_with_base(address.trim(), &base).ok()?.href())
}

/// The page's address without query and fragment; on the page of a bot, that of the folder's page.
pub fn without_query() -> String {
    if of_document(WAY_TO_FOLDER).is_some() {
        return folder().unwrap_or_default();
    }
    let address = window().location().href().unwrap_or_default();
    let end = address.find(['?', '#']).unwrap_or(address.len());
    address[..end].to_owned()
}

/// `query` with the names of the current address that no part of the state reads, such as `isolate`.
pub fn with_other_names(query: &str) -> String {
    let search = window().location().search().unwrap_or_default();
    let Ok(rest) = UrlSearchParams::new_with_str(&search) else {
        return query.to_owned();
    };
    for name in Address::names() {
        rest.delete(name);
    }
    match String::from(rest.to_string()) {
        rest if rest.is_empty() => query.to_owned(),
        rest => format!("{query}&{rest}"),
    }
}

/// A link to `index.html` with another bot: relative, so that it is right in any folder, but on the page of a bot.
pub fn bot_link(repo: &str) -> String {
    let search = window().location().search().unwrap_or_default();
    let query = UrlSearchParams::new().and_then(|query| {
        let current = UrlSearchParams::new_with_str(&search)?;
        // Not the model: it is not this bot's.
        if let Some(value) = current.get("endpoint") {
            query.append("endpoint", &value);
        }
        Ok(query)
    });
    let rest = query
        .map(|query| String::from(query.to_string()))
        .unwrap_or_default();
    let home = home_link();
    let home = home.trim_start_matches("./");
    // The slash of OWNER/NAME needs no escape in a query, and reads better without.
    if rest.is_empty() {
        format!("{home}?bot={repo}")
    } else {
        format!("{home}?bot={repo}&{rest}")
    }
}

/// Whether the address asks for this bot.
pub fn asks_for(repo: &str) -> bool {
    let (address, _) = read();
    address.bot.is_some_and(|asked| asked.as_str() == repo)
}

/// Adds an entry of this bot to the history.
pub fn go_to(repo: &str) {
    // A page opened from a file may not write its address; the bot opens all the same.
    let _ = window().history().and_then(|history| {
        history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&bot_link(repo)))
    });
}
