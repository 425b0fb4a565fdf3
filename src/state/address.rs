//! `Address`: what a page address asks for, checked once, with a plain notice for what it cannot have.

use super::settings::Field;
use crate::bot::RepoId;
use crate::protocol::GenerationParams;

/// A page address, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Address {
    /// `OWNER/NAME` of the bot.
    pub bot: Option<String>,
    /// Address of a GGUF, absolute or relative to the page.
    pub model: Option<String>,
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
        if is_gguf_address(value) {
            self.model = Some(value.to_owned());
        } else {
            self.notices.push(
                "The model in the address was left out: ?model= takes the address of a GGUF file."
                    .to_owned(),
            );
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

/// Whether `text` can be the address of a GGUF: `http(s):` or relative, its path ending in `.gguf`.
pub fn is_gguf_address(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let is_web = lower.starts_with("https://") || lower.starts_with("http://");
    // A relative address has no colon before its first slash; whatever else has one is another scheme.
    let is_relative = !lower
        .split(['/', '?', '#'])
        .next()
        .unwrap_or("")
        .contains(':');
    let path = lower.split(['?', '#']).next().unwrap_or("");
    (is_web || is_relative) && path.ends_with(".gguf") && !lower.chars().any(char::is_control)
}
