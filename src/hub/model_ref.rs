//! `ModelRef`: names a model and a type of its weights, in protocol, storage, page and command line alike.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::address::{AddressError, ModelAddress, last_segment};
use super::dtype::{Dtype, DtypeError};
use super::endpoint::Endpoint;
use super::repo_id::RepoId;
use super::web_address::WebAddressError;
use crate::bundled::BUNDLED_MODEL;
use crate::shown;

/// The name of a model, with the type of its weights. Two requests for the same model in the same type are equal.
///
/// In messages it has the form of [`ModelText`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "ModelText", into = "ModelText")]
pub struct ModelRef {
    /// Where its files are.
    pub address: ModelAddress,
    /// The endpoint that repositories are read from.
    pub endpoint: Endpoint,
    /// The type that float weights are quantized to, and that selects one of several GGUFs.
    pub dtype: Dtype,
}

/// A [`ModelRef`] as texts, not checked yet: `{ address?, endpoint?, dtype? }`, or `{ folder?, files }`.
/// Without address and files it is the bundled model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelText {
    /// `OWNER/NAME`, the address of a GGUF or of a folder, or handles: the input of [`ModelAddress::parse`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The folder that the picked files lie in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Names of the picked files; their bytes stand beside the message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The endpoint, in place of the Hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `auto`, `q8_0`, `q4_0`, `q4_k`, `q6_k`, `f16` or `f32`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
}

/// Why a [`ModelText`] names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelRefError {
    /// The address is not a model's.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The endpoint is not an address.
    #[error("the endpoint cannot be used: {0}")]
    Endpoint(WebAddressError),
    /// The type is unknown.
    #[error(transparent)]
    Dtype(#[from] DtypeError),
}

impl ModelRefError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Address(error) => error.hint().into(),
            Self::Endpoint(error) => error.hint().into(),
            Self::Dtype(error) => error.hint().into(),
        }
    }
}

impl ModelRef {
    /// The model at `address`.
    #[must_use]
    pub fn new(address: ModelAddress, endpoint: Endpoint, dtype: Dtype) -> Self {
        // An endpoint is for repositories; with one form of every other address, equal models are equal values.
        let endpoint = match address {
            ModelAddress::Repository { .. } => endpoint,
            _ => Endpoint::default(),
        };
        Self {
            address,
            endpoint,
            dtype,
        }
    }

    /// The model that comes with the program.
    #[must_use]
    pub fn bundled() -> Self {
        Self::new(ModelAddress::Bundled, Endpoint::default(), Dtype::Auto)
    }

    /// The model in files picked on this device; `folder`: the name of the folder they lie in.
    #[must_use]
    pub fn of_files(folder: Option<String>, names: Vec<String>) -> Self {
        let address = ModelAddress::Files { folder, names };
        Self::new(address, Endpoint::default(), Dtype::Auto)
    }

    /// The model that a visitor typed.
    ///
    /// # Errors
    /// As [`ModelAddress::parse`].
    pub fn parse(text: &str, endpoint: &Endpoint, dtype: Dtype) -> Result<Self, AddressError> {
        let address = ModelAddress::parse(text, endpoint)?;
        Ok(Self::new(address, endpoint.clone(), dtype))
    }

    /// A name to show: `OWNER/NAME`, or the last part of an address or path, as [`shown::name`] shows it.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match &self.address {
            ModelAddress::Bundled => BUNDLED_MODEL.name.to_owned(),
            ModelAddress::Repository { repo, file: None } => repo.to_string(),
            ModelAddress::Repository {
                file: Some(file), ..
            } => last_segment(file).to_owned(),
            ModelAddress::Gguf { url } | ModelAddress::Folder { url } => {
                last_segment(url).to_owned()
            }
            ModelAddress::OwnGguf { path } => last_segment(path).to_owned(),
            ModelAddress::Files { folder, names } => match folder {
                Some(folder) => folder.clone(),
                None => main_file(names).to_owned(),
            },
        };
        // Names of files are strangers' texts.
        match shown::name(&name) {
            shown if shown.is_empty() => "model".to_owned(),
            shown => shown,
        }
    }

    /// The model's repository, also where the address names a file of it.
    #[must_use]
    pub fn repo(&self) -> Option<&RepoId> {
        match &self.address {
            ModelAddress::Repository { repo, .. } => Some(repo),
            _ => None,
        }
    }

    /// Whether the device can keep it for the next visit: the bundled model and picked files are there anyway.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        match self.address {
            ModelAddress::Repository { .. }
            | ModelAddress::Gguf { .. }
            | ModelAddress::OwnGguf { .. }
            | ModelAddress::Folder { .. } => true,
            ModelAddress::Bundled | ModelAddress::Files { .. } => false,
        }
    }

    /// Where a file of the model is: `file` as listed. `None` if the model has no address, or an address that only the
    /// program's host knows.
    #[must_use]
    pub fn file_url(&self, file: &str) -> Option<String> {
        match &self.address {
            ModelAddress::Repository { repo, .. } => Some(self.endpoint.file_url(repo, file)),
            ModelAddress::Gguf { url } => Some(url.clone()),
            ModelAddress::OwnGguf { path } => Some(path.clone()),
            ModelAddress::Folder { url } => Some(format!("{url}{file}")),
            ModelAddress::Bundled | ModelAddress::Files { .. } => None,
        }
    }
}

/// The file that picked files are called after: the first with weights in it.
fn main_file(names: &[String]) -> &str {
    let is_weights = |name: &&String| {
        let (_, ending) = name.rsplit_once('.').unwrap_or_default();
        ["gguf", "safetensors", "bin"].contains(&ending)
    };
    let found = names.iter().find(is_weights).or(names.first());
    found.map(String::as_str).unwrap_or_default()
}

impl TryFrom<ModelText> for ModelRef {
    type Error = ModelRefError;

    fn try_from(text: ModelText) -> Result<Self, ModelRefError> {
        let endpoint = match text.endpoint {
            Some(endpoint) => endpoint.parse().map_err(ModelRefError::Endpoint)?,
            None => Endpoint::default(),
        };
        let dtype = match text.dtype {
            Some(dtype) => dtype.parse()?,
            None => Dtype::Auto,
        };
        let address = match text.address {
            Some(address) => ModelAddress::parse(&address, &endpoint)?,
            None if text.files.is_empty() => ModelAddress::Bundled,
            None => ModelAddress::Files {
                folder: text.folder,
                names: text.files,
            },
        };
        Ok(Self::new(address, endpoint, dtype))
    }
}

impl From<ModelRef> for ModelText {
    fn from(model: ModelRef) -> Self {
        let is_hub = model.endpoint == Endpoint::default();
        let mut text = Self {
            endpoint: (!is_hub).then(|| model.endpoint.as_str().to_owned()),
            dtype: (model.dtype != Dtype::Auto).then(|| model.dtype.name().to_owned()),
            ..Self::default()
        };
        match model.address {
            ModelAddress::Bundled => {}
            ModelAddress::Repository { repo, file: None } => text.address = Some(repo.to_string()),
            ModelAddress::Repository {
                repo,
                file: Some(file),
            } => text.address = Some(model.endpoint.file_url(&repo, &file)),
            ModelAddress::Gguf { url } | ModelAddress::Folder { url } => text.address = Some(url),
            ModelAddress::OwnGguf { path } => text.address = Some(path),
            ModelAddress::Files { folder, names } => {
                text.folder = folder;
                text.files = names;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn model(text: &str) -> ModelRef {
        let mirror = "https://mirror.example/hub".parse().unwrap();
        ModelRef::parse(text, &mirror, Dtype::Q4K).unwrap()
    }

    #[test]
    fn every_model_survives_a_message() {
        let models = [
            ModelRef::bundled(),
            ModelRef::of_files(Some("tiny".to_owned()), vec!["config.json".to_owned()]),
            ModelRef::of_files(None, vec!["tiny.gguf".to_owned()]),
            model("@jen_122"),
            model("huggingtweets/jen_122"),
            model("https://mirror.example/hub/me/my.bot/resolve/main/a%20b/x.Q8_0.gguf"),
            model("https://example.org/x.gguf?download=true"),
            model("https://huggingface.co/me/bot/resolve/0123abc/x.gguf"),
            model("https://example.org/models/tiny/config.json"),
            model("models/x.gguf?v=2"),
            ModelRef::parse("me/bot", &Endpoint::default(), Dtype::Auto).unwrap(),
        ];
        for model in models {
            let json = serde_json::to_string(&model).unwrap();
            assert_eq!(
                serde_json::from_str::<ModelRef>(&json).unwrap(),
                model,
                "{json}"
            );
        }
    }

    #[test]
    fn a_message_leaves_out_all_that_goes_without_saying() {
        let json = |model: &ModelRef| serde_json::to_string(model).unwrap();
        assert_eq!(json(&ModelRef::bundled()), "{}");
        let plain = ModelRef::parse("@jen_122", &Endpoint::default(), Dtype::Auto).unwrap();
        assert_eq!(json(&plain), r#"{"address":"huggingtweets/jen_122"}"#);
    }

    #[test]
    fn a_text_that_names_no_model_has_its_own_message_and_hint() {
        let refuse = |text: ModelText| {
            let error = ModelRef::try_from(text).unwrap_err();
            assert!(!error.to_string().contains(';') && error.hint().len() > 10);
            error
        };
        let some = |text: &str| Some(text.to_owned());
        let error = refuse(ModelText {
            address: some("ftp://example.org/x.gguf"),
            ..ModelText::default()
        });
        assert!(matches!(error, ModelRefError::Address(_)), "{error}");
        let error = refuse(ModelText {
            endpoint: some("nowhere"),
            ..ModelText::default()
        });
        assert!(matches!(error, ModelRefError::Endpoint(_)), "{error}");
        let error = refuse(ModelText {
            dtype: some("q3"),
            ..ModelText::default()
        });
        assert!(matches!(error, ModelRefError::Dtype(_)), "{error}");
    }

    #[test]
    fn a_files_name_cannot_turn_the_words_around_it() {
        let name = |name: &str| ModelRef::of_files(None, vec![name.to_owned()]).name();
        assert_eq!(name("\u{202e}fugg.gguf"), "fugg.gguf");
        assert_eq!(name("\u{200b}\u{3164}"), "model");
    }

    #[test]
    fn picked_files_are_called_after_their_folder_or_their_weights() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let files = names(&["config.json", "model.safetensors"]);
        assert_eq!(ModelRef::of_files(None, files).name(), "model.safetensors");
        let folder = Some("tiny".to_owned());
        assert_eq!(
            ModelRef::of_files(folder, names(&["config.json"])).name(),
            "tiny"
        );
        assert_eq!(
            model("https://example.org/models/tiny/config.json").name(),
            "tiny"
        );
        assert_eq!(
            model("https://example.org/x.gguf?download=true").name(),
            "x.gguf"
        );
    }
}
