//! `StoredWords`: a stored model in words: its name, what tells it from another of that name, and its file name.

use super::wording;
use crate::hub::{Dtype, Endpoint, ModelAddress, ModelRef};
use crate::shown;

/// A stored model in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWords {
    /// `OWNER/NAME`, or the name of its file or folder.
    pub name: String,
    /// The file in a repository and the chosen type.
    pub details: Vec<String>,
    /// Where it came from, unless that is the Hub.
    pub host: Option<String>,
    /// The name of the file that it is saved under.
    pub file_name: String,
}

impl StoredWords {
    /// The words for `model`.
    pub fn new(model: &ModelRef) -> StoredWords {
        let mut details = Vec::new();
        let mut host = None;
        let name = match &model.address {
            ModelAddress::Repository { repo, file } => {
                details.extend(file.as_deref().map(shown::name));
                if model.endpoint != Endpoint::default() {
                    host = Some(wording::host_of(model.endpoint.as_str()).to_owned());
                }
                repo.to_string()
            }
            ModelAddress::Gguf { url } | ModelAddress::Folder { url } => {
                host = Some(wording::host_of(url).to_owned());
                model.name()
            }
            ModelAddress::Bundled | ModelAddress::OwnGguf { .. } | ModelAddress::Files { .. } => {
                model.name()
            }
        };
        if model.dtype != Dtype::Auto {
            details.push(wording::dtype(model.dtype.name()));
        }
        StoredWords {
            name,
            details,
            host,
            file_name: file_name(model),
        }
    }

    /// Name and details on one line, as plain text.
    pub fn label(&self) -> String {
        let parts = std::iter::once(&self.name).chain(&self.details);
        let parts: Vec<_> = parts.map(|part| wording::isolated(part)).collect();
        parts.join(", ")
    }
}

/// `NAME.gguf`, with the type if the visitor chose one.
fn file_name(model: &ModelRef) -> String {
    let name = model.name();
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = wording::file_name(name.strip_suffix(".gguf").unwrap_or(name), "model");
    match model.dtype {
        Dtype::Auto => format!("{name}.gguf"),
        dtype => format!("{name}.{dtype}.gguf"),
    }
}
