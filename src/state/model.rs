//! `ModelChoice` and `ModelStatus`: which model speaks, and how far it is from speaking.

use super::figures;
use crate::protocol::{ErrorReport, LoadStage, ModelInfo, ModelSource};

/// Where the chosen model's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelOrigin {
    /// Beside the page.
    Bundled,
    /// At an address the visitor gave.
    Url,
    /// In a file on the visitor's device.
    File,
}

/// A model the page can load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelChoice {
    /// Where it is.
    pub origin: ModelOrigin,
    /// What to call it.
    pub name: String,
    /// Absolute address; empty for a file.
    pub url: String,
    /// Its length, where known before loading.
    pub size_bytes: Option<u64>,
}

impl ModelChoice {
    /// A file on the visitor's device.
    pub fn file(name: &str, size_bytes: u64) -> ModelChoice {
        ModelChoice {
            origin: ModelOrigin::File,
            name: name.to_owned(),
            url: String::new(),
            size_bytes: Some(size_bytes),
        }
    }

    /// A GGUF at an absolute address; it is called after its last path segment.
    pub fn url(url: &str) -> ModelChoice {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let name = path
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or(path);
        ModelChoice {
            origin: ModelOrigin::Url,
            name: name.to_owned(),
            url: url.to_owned(),
            size_bytes: None,
        }
    }

    /// What the worker is told.
    pub fn source(&self) -> ModelSource {
        match self.origin {
            ModelOrigin::Bundled | ModelOrigin::Url => ModelSource::Url {
                url: self.url.clone(),
                name: self.name.clone(),
            },
            ModelOrigin::File => ModelSource::File {
                name: self.name.clone(),
            },
        }
    }

    /// Where it is, in words; the bundled one's name says so itself.
    pub fn place(&self) -> Option<String> {
        match self.origin {
            ModelOrigin::Bundled => None,
            ModelOrigin::File => Some("a file on this device".to_owned()),
            ModelOrigin::Url => Some(format!("from {}", figures::host_of(&self.url))),
        }
    }
}

/// How far the chosen model is.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelStatus {
    /// Nobody asked for it yet.
    Absent,
    /// On its way.
    Loading(Loading),
    /// It can be asked.
    Ready(Box<ModelInfo>),
    /// It could not be had.
    Failed(ErrorReport),
}

/// A load that is going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Loading {
    /// The last the worker said; none while the worker itself still starts.
    pub stage: Option<LoadStage>,
    /// Whether the worker has been asked.
    pub is_sent: bool,
    started_ms: Option<f64>,
    now_ms: f64,
}

/// Share of the bar that the download takes; packing is short.
const DOWNLOAD_SHARE: f64 = 0.85;

impl Loading {
    pub(super) fn new(is_sent: bool) -> Loading {
        Loading {
            stage: None,
            is_sent,
            started_ms: None,
            now_ms: 0.0,
        }
    }

    pub(super) fn advance(&mut self, stage: LoadStage, now_ms: f64) {
        self.started_ms.get_or_insert(now_ms);
        self.now_ms = now_ms;
        self.stage = Some(stage);
    }

    /// How full the bar is, 0 to 1; none while nothing can be known.
    pub fn fraction(&self) -> Option<f64> {
        match self.stage.as_ref()? {
            LoadStage::Downloading { loaded, total } => {
                let total = (*total)?;
                Some(DOWNLOAD_SHARE * figures::ratio(*loaded, total))
            }
            LoadStage::Reading { loaded, total } => {
                Some(DOWNLOAD_SHARE + (1.0 - DOWNLOAD_SHARE) * figures::ratio(*loaded, *total))
            }
        }
    }

    /// What is going on, with its numbers.
    pub fn text(&self) -> String {
        match &self.stage {
            None if self.is_sent => "Opening the model".to_owned(),
            None => "Waiting for the worker".to_owned(),
            Some(LoadStage::Downloading {
                loaded,
                total: None,
            }) => format!("{} so far", figures::bytes(*loaded)),
            Some(LoadStage::Downloading {
                loaded,
                total: Some(total),
            }) => {
                format!("{} of {}", figures::bytes(*loaded), figures::bytes(*total))
            }
            Some(LoadStage::Reading { loaded, total }) => format!(
                "Reading {} of {}",
                figures::bytes(*loaded),
                figures::bytes(*total)
            ),
        }
    }

    /// Time left of a download, once a second of it tells the speed.
    pub fn time_left(&self) -> Option<String> {
        let Some(LoadStage::Downloading {
            loaded,
            total: Some(total),
        }) = self.stage
        else {
            return None;
        };
        let elapsed_ms = self.now_ms - self.started_ms?;
        if elapsed_ms < 1000.0 || loaded == 0 || loaded >= total {
            return None;
        }
        let left_ms = elapsed_ms * (total - loaded) as f64 / loaded as f64;
        Some(format!("about {} left", figures::duration(left_ms)))
    }
}
