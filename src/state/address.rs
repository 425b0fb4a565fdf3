//! `Address`: what a page address asks for, checked once, with a plain notice for what it cannot have.

use super::settings::Field;
use crate::hub::{Endpoint, ModelAddress, RepoId};
use crate::protocol::GenerationParams;

/// A page address, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Address {
    /// `OWNER/NAME` of the bot.
    pub bot: Option<String>,
    /// The model.
    pub model: Option<ModelAddress>,
    /// Where repositories are read.
    pub endpoint: Endpoint,
    /// The prompt.
    pub text: Option<String>,
    /// Generation parameters, as written; all of them readable.
    pub settings: Vec<(Field, String)>,
    /// What was left out, one sentence each.
    pub notices: Vec<String>,
}

/// Longest prompt taken from an address, in bytes; browsers cut addresses not far above.
const MAX_TEXT: usize = 32 * 1024;

impl Address {
    /// Reads the decoded `name=value` pairs of the address, first one wins. Names it does not know are ignored.
    ///
    /// What another program shares with this page comes as `title`, `text` and `url`: the prompt is all of it.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Address {
        let mut address = Address::default();
        let pairs: Vec<_> = pairs.into_iter().collect();
        // A model's address is read as the endpoint has it, wherever that stands.
        if let Some((_, value)) = pairs.iter().find(|(name, _)| *name == "endpoint") {
            match value.parse() {
                Ok(endpoint) => address.endpoint = endpoint,
                Err(error) => address.notices.push(format!(
                    "The endpoint in the address was left out: {error}."
                )),
            }
        }
        let [mut title, mut text, mut url] = [None; 3];
        for (name, value) in pairs {
            match name {
                "bot" if address.bot.is_none() => address.read_bot(value),
                "model" if address.model.is_none() => address.read_model(value),
                "title" if title.is_none() => title = Some(value),
                "text" if text.is_none() => text = Some(value),
                "url" if url.is_none() => url = Some(value),
                "n" | "seed" | "temperature" | "top_k" | "top_p" | "max_new_tokens" => {
                    address.read_setting(name, value)
                }
                _ => {}
            }
        }
        let mut parts: Vec<&str> = [title, text, url].into_iter().flatten().collect();
        if parts.len() > 1 {
            parts.retain(|part| !part.is_empty());
            address.read_text(&parts.join(" "));
        } else if let [only] = parts[..] {
            address.read_text(only);
        }
        address
    }

    fn read_bot(&mut self, value: &str) {
        match value.parse::<RepoId>() {
            Ok(repo) => self.bot = Some(repo.as_str().to_owned()),
            Err(error) => self
                .notices
                .push(format!("Left out of the address: {error}.")),
        }
    }

    fn read_model(&mut self, value: &str) {
        match ModelAddress::parse(value, &self.endpoint) {
            Ok(model) => self.model = Some(model),
            Err(error) => self
                .notices
                .push(format!("The model in the address was left out: {error}.")),
        }
    }

    fn read_text(&mut self, value: &str) {
        if value.len() <= MAX_TEXT {
            self.text = Some(value.to_owned());
        } else {
            self.notices.push(
                "The prompt in the address was left out: it is longer than 32 KiB.".to_owned(),
            );
        }
    }

    fn read_setting(&mut self, name: &str, value: &str) {
        let Some(field) = Field::from_name(name) else {
            return;
        };
        if self.settings.iter().any(|(known, _)| *known == field) {
            return;
        }
        match field.apply(value, &mut GenerationParams::default()) {
            Ok(()) => self.settings.push((field, value.trim().to_owned())),
            Err(error) => self
                .notices
                .push(format!("Left out of the address: {error}.")),
        }
    }
}
