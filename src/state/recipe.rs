//! `Recipe`: what writes a text again: bot, model, prompt, settings and seed, as the query of this page's address.

use crate::bot::Bot;
use crate::generate::parameter::Parameter;
use crate::hub::{Dtype, Endpoint, ModelAddress, ModelRef};

/// What writes a text again, on any device and with any number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// `OWNER/NAME` of the bot under whose name the text stands; `None` for a model without a card.
    pub bot: Option<String>,
    /// The model that writes.
    pub model: ModelRef,
    /// The share of the first of two mixed bots, in percent.
    pub mix: Option<u8>,
    /// The prompt.
    pub prompt: String,
    /// The settings that differ from the model's own, seed and number of texts apart.
    pub settings: Vec<(Parameter, String)>,
    /// The number of texts, where it differs from what the model writes unasked.
    pub n: Option<usize>,
    /// The seed of the first text; `None` for a text that no single seed writes.
    pub seed: Option<u32>,
    /// Whether a search finds the texts, all together.
    pub is_search: bool,
}

impl Recipe {
    /// The recipe of one of its texts, which draws with `seed`; `None` for a text of several runs. A search finds its
    /// texts together, so the recipe of one is that of all.
    #[must_use]
    pub fn of_one(&self, seed: Option<u32>) -> Self {
        match self.is_search {
            true => self.clone(),
            false => Self {
                n: Some(1),
                seed,
                ..self.clone()
            },
        }
    }

    /// The query of the page's address, with its `?`.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = String::new();
        for (name, value) in self.pairs() {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.push_str(&encoded(&value));
        }
        query
    }

    /// The names and values of the query, in the order of reading.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let model = &self.model;
        pairs.extend(self.bot.clone().map(|bot| ("bot", bot)));
        match &model.address {
            ModelAddress::Bundled => {}
            ModelAddress::Repository { repo, file: None } => {
                pairs.push(("model", repo.to_string()))
            }
            ModelAddress::Repository {
                repo,
                file: Some(file),
            } => pairs.push(("model", model.endpoint.file_url(repo, file))),
            ModelAddress::Gguf { url } | ModelAddress::Folder { url } => {
                pairs.push(("model", url.clone()));
            }
            ModelAddress::OwnGguf { path } => pairs.push(("model", path.clone())),
            // The bot says it.
            ModelAddress::Files {
                folder: Some(folder),
                ..
            } if Bot::folder_here(folder).is_some() => {}
            ModelAddress::Files { .. } => pairs.push(("file", model.name())),
        }
        if model.dtype != Dtype::Auto {
            pairs.push(("dtype", model.dtype.name().to_owned()));
        }
        if model.endpoint != Endpoint::default() {
            pairs.push(("endpoint", model.endpoint.as_str().to_owned()));
        }
        pairs.extend(self.mix.map(|percent| ("mix", percent.to_string())));
        pairs.push(("text", self.prompt.clone()));
        let named = |parameter: Parameter, value: String| Some((parameter.address_name()?, value));
        let seed = self.seed.map(|seed| (Parameter::Seed, seed.to_string()));
        let n = self
            .n
            .map(|n| (Parameter::NumReturnSequences, n.to_string()));
        let settings = self.settings.iter().cloned().chain(n).chain(seed);
        pairs.extend(settings.filter_map(|(parameter, value)| named(parameter, value)));
        pairs
    }
}

/// `text` as a value in a query. Slashes and colons need no escape there, and read better without.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
