//! The page's own address: the bot and the model in it, links with another bot, relative addresses made absolute.

use leptos::prelude::*;
use web_sys::{Url, UrlSearchParams};

use crate::bundled::BUNDLED_MODEL;
use crate::hub::{Dtype, ModelAddress, ModelRef};
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
    let address = Address::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
    let model = address.model.clone().map(|model| {
        let model = ModelRef::new(model, address.endpoint.clone(), Dtype::Auto);
        ModelChoice::new(absolute_model(model))
    });
    (address, model)
}

/// The model that comes with the page.
pub fn bundled_model() -> ModelChoice {
    ModelChoice::new(ModelRef::bundled()).with_size(BUNDLED_MODEL.size_bytes)
}

/// Absolute address of the bundled model's file.
pub fn bundled_url() -> String {
    absolute(BUNDLED_MODEL.path).unwrap_or_else(|| BUNDLED_MODEL.path.to_owned())
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

/// A link to this page with another bot: relative, so that it is right in any folder.
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
    // The slash of OWNER/NAME needs no escape in a query, and reads better without.
    if rest.is_empty() {
        format!("?bot={repo}")
    } else {
        format!("?bot={repo}&{rest}")
    }
}
