//! `ModelChoice`: a model that the page can load, with the name and the size to show.

use super::wording::host_of;
use crate::bot::Bot;
use crate::hub::{Endpoint, ModelAddress, ModelRef};

/// A model that the page can load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelChoice {
    /// The address of the model, and the type of its weights.
    pub model: ModelRef,
    /// Its name on the page.
    pub name: String,
    /// Its length, where it is known before loading.
    pub size_bytes: Option<u64>,
    /// `OWNER/NAME` of the bot that it is, where its address does not say it.
    pub bot: Option<String>,
    /// The bots whose adapters are computed beside it.
    pub shares: Vec<BotShare>,
}

/// How much of a bot's adapter counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotShare {
    /// The name of the bot's folder.
    pub folder: String,
    /// 100: as it was trained.
    pub percent: u8,
}

impl BotShare {
    /// The shares of two bots where nothing else was asked for.
    pub const HALF: u8 = 50;

    /// The shares of two bots, of which the first has so many percent, at most 100.
    #[must_use]
    pub fn pair(folders: [String; 2], first_percent: u8) -> Vec<Self> {
        let first = first_percent.min(100);
        let shares = folders.into_iter().zip([first, 100 - first]);
        shares
            .map(|(folder, percent)| Self { folder, percent })
            .collect()
    }
}

impl ModelChoice {
    /// A model under its own name, of unknown length.
    pub fn new(model: ModelRef) -> ModelChoice {
        ModelChoice {
            name: model.name(),
            model,
            size_bytes: None,
            bot: None,
            shares: Vec::new(),
        }
    }

    /// A model of known length.
    pub fn with_size(self, size_bytes: u64) -> ModelChoice {
        ModelChoice {
            size_bytes: Some(size_bytes),
            ..self
        }
    }

    /// The own model of the bot `repo`.
    pub fn of_bot(self, repo: &str) -> ModelChoice {
        ModelChoice {
            bot: Some(repo.to_owned()),
            ..self
        }
    }

    /// `OWNER/NAME`, if it is a whole repository, as a bot is.
    pub fn repo(&self) -> Option<&str> {
        whole_repository(&self.model)
    }

    /// `OWNER/NAME` of the bot that it is.
    pub fn bot_repo(&self) -> Option<&str> {
        self.bot.as_deref().or_else(|| self.repo())
    }

    /// The model in the file of a bot that was made here, by the name of the bot's folder.
    pub fn made_here(folder: &str, file: String, size_bytes: u64) -> ModelChoice {
        let repo = Bot::repo_here(folder);
        let model = ModelRef::of_files(Some(repo.clone()), vec![file.clone()]);
        ModelChoice {
            model,
            name: file,
            size_bytes: Some(size_bytes),
            bot: Some(repo),
            shares: Vec::new(),
        }
    }

    /// Whether its bytes are files on the visitor's device.
    pub fn is_picked(&self) -> bool {
        matches!(self.model.address, ModelAddress::Files { .. })
    }

    /// Whether it is a repository of the Hub, not of a mirror.
    pub fn is_from_hub(&self) -> bool {
        self.repo().is_some() && self.model.endpoint == Endpoint::default()
    }

    /// Whether it is the model that comes with the page.
    pub fn is_bundled(&self) -> bool {
        self.model.address == ModelAddress::Bundled
    }

    /// The model's origin in words.
    pub fn origin_text(&self) -> String {
        match &self.model.address {
            ModelAddress::Bundled => "comes with this page".to_owned(),
            ModelAddress::Files { .. } => "a file on this device".to_owned(),
            ModelAddress::Gguf { url } | ModelAddress::Folder { url } => {
                format!("from {}", host_of(url))
            }
            ModelAddress::OwnGguf { .. } => "from this page’s host".to_owned(),
            ModelAddress::Repository { .. } if self.model.endpoint == Endpoint::default() => {
                "from the Hub (huggingface.co)".to_owned()
            }
            ModelAddress::Repository { .. } => {
                format!("from {}", host_of(self.model.endpoint.as_str()))
            }
        }
    }
}

/// `OWNER/NAME`, if `model` is a whole repository, as a bot is, and not one file of it.
pub(super) fn whole_repository(model: &ModelRef) -> Option<&str> {
    match &model.address {
        ModelAddress::Repository { repo, file: None } => Some(repo.as_str()),
        _ => None,
    }
}
