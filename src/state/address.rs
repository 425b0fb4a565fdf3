//! `Address`: the page's address, read and checked once, with a notice for every part that cannot be used.

use super::notice::{AddressPart, Notice};
use crate::generate::parameter::Parameter;
use crate::hub::{Dtype, Endpoint, ModelAddress, RepoId};
use crate::protocol::GenerationParams;

/// A page's address.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Address {
    /// The bot.
    pub bot: Option<RepoId>,
    /// The model.
    pub model: Option<ModelAddress>,
    /// The endpoint that repositories are read from.
    pub endpoint: Endpoint,
    /// The type that the model's weights are quantized to.
    pub dtype: Dtype,
    /// The name of a file on another device, from which the model was opened there.
    pub file: Option<String>,
    /// The share of the first of two mixed bots, in percent.
    pub mix: Option<u8>,
    /// The prompt.
    pub text: Option<String>,
    /// Generation parameters as written, each within its range.
    pub settings: Vec<(Parameter, String)>,
    /// A notice for every part that was ignored.
    pub notices: Vec<Notice>,
}

/// Longest prompt in an address, in bytes; many servers refuse longer addresses.
const MAX_PROMPT_BYTES: usize = 32 * 1024;

/// Longest name of a file, in bytes; file systems allow 255.
const MAX_FILE_NAME_BYTES: usize = 255;

impl Address {
    /// The names that an address may have, besides those of generation parameters.
    const NAMES: [&str; 9] = [
        "bot", "model", "dtype", "file", "endpoint", "mix", "title", "text", "url",
    ];

    /// Every name that an address may have.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let parameters = Parameter::ALL.into_iter();
        Self::NAMES
            .into_iter()
            .chain(parameters.filter_map(Parameter::address_name))
    }

    /// Reads the decoded `name=value` pairs of the address. The first value of a repeated name counts; unknown names
    /// are ignored.
    ///
    /// A program that shares a text with this page sends `title`, `text` and `url`; the prompt joins all three.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Address {
        let mut address = Address::default();
        let pairs: Vec<_> = pairs.into_iter().collect();
        // The endpoint comes first: a model's address is read relative to it.
        if let Some((_, value)) = pairs.iter().find(|(name, _)| *name == "endpoint") {
            match value.parse() {
                Ok(endpoint) => address.endpoint = endpoint,
                Err(error) => address.ignore(AddressPart::Endpoint(error)),
            }
        }
        let [mut title, mut text, mut url, mut dtype] = [None; 4];
        for (name, value) in pairs {
            match name {
                "bot" if address.bot.is_none() => address.read_bot(value),
                "model" if address.model.is_none() => address.read_model(value),
                "dtype" if dtype.is_none() => {
                    dtype = Some(value);
                    match value.parse() {
                        Ok(dtype) => address.dtype = dtype,
                        Err(error) => address.ignore(AddressPart::Dtype(error)),
                    }
                }
                "file" if address.file.is_none() => address.read_file(value),
                "mix" if address.mix.is_none() => address.read_mix(value),
                "title" if title.is_none() => title = Some(value),
                "text" if text.is_none() => text = Some(value),
                "url" if url.is_none() => url = Some(value),
                _ => {
                    if let Some(parameter) = Parameter::from_address_name(name) {
                        address.read_setting(parameter, value);
                    }
                }
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

    fn ignore(&mut self, part: AddressPart) {
        self.notices.push(Notice::Ignored(part));
    }

    fn read_bot(&mut self, value: &str) {
        match value.parse() {
            Ok(repo) => self.bot = Some(repo),
            Err(error) => self.ignore(AddressPart::Bot(error)),
        }
    }

    fn read_model(&mut self, value: &str) {
        match ModelAddress::parse(value, &self.endpoint) {
            Ok(model) => self.model = Some(model),
            Err(error) => self.ignore(AddressPart::Model(error)),
        }
    }

    fn read_file(&mut self, value: &str) {
        match value.len() <= MAX_FILE_NAME_BYTES {
            true => self.file = Some(value.to_owned()),
            false => self.ignore(AddressPart::File),
        }
    }

    fn read_mix(&mut self, value: &str) {
        match value.parse() {
            Ok(percent @ 0..=100) => self.mix = Some(percent),
            _ => self.ignore(AddressPart::Mix),
        }
    }

    fn read_text(&mut self, value: &str) {
        if value.len() <= MAX_PROMPT_BYTES {
            self.text = Some(value.to_owned());
        } else {
            self.ignore(AddressPart::Prompt);
        }
    }

    fn read_setting(&mut self, parameter: Parameter, value: &str) {
        if self.settings.iter().any(|(known, _)| *known == parameter) {
            return;
        }
        match parameter.set(value, &mut GenerationParams::default()) {
            Ok(()) => self.settings.push((parameter, value.trim().to_owned())),
            Err(error) => self.ignore(AddressPart::Parameter(error)),
        }
    }
}
