//! `ModelChoice` and `ModelStatus`: which model speaks, and how far it is from speaking.

use super::{Task, figures};
use crate::hub::{Dtype, Endpoint, ModelAddress};
use crate::protocol::{ErrorReport, LoadStage, ModelInfo, ModelSource};

/// Where the chosen model's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelOrigin {
    /// Beside the page.
    Bundled,
    /// At an address the visitor gave.
    Url,
    /// In a repository of the Hub, or of what takes its place.
    Repository,
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
    /// Absolute address, or `OWNER/NAME`; empty for a file.
    pub url: String,
    /// Names of the picked files, where it is more than one.
    pub files: Vec<String>,
    /// Where repositories are read, if not on the Hub.
    pub endpoint: Option<String>,
    /// What float weights become, and which GGUF is taken.
    pub dtype: Dtype,
    /// Its length, where known before loading.
    pub size_bytes: Option<u64>,
}

impl ModelChoice {
    /// What a visitor picked on their device: one GGUF, or the files of a folder; `None` if nothing was picked.
    pub fn files(names: &[String], size_bytes: u64) -> Option<ModelChoice> {
        let first = names.first()?;
        if names.len() == 1 {
            return Some(ModelChoice::file(first, size_bytes));
        }
        let is_weights = |name: &&String| {
            let (_, ending) = name.rsplit_once('.').unwrap_or_default();
            ["gguf", "safetensors", "bin"].contains(&ending)
        };
        let name = names.iter().find(is_weights).unwrap_or(first);
        Some(ModelChoice {
            files: names.to_vec(),
            ..ModelChoice::file(name, size_bytes)
        })
    }

    /// A file on the visitor's device.
    pub fn file(name: &str, size_bytes: u64) -> ModelChoice {
        ModelChoice {
            origin: ModelOrigin::File,
            name: name.to_owned(),
            url: String::new(),
            files: Vec::new(),
            endpoint: None,
            dtype: Dtype::Auto,
            size_bytes: Some(size_bytes),
        }
    }

    /// The model at an address; a file is called after its last path segment.
    ///
    /// Of an [`ModelAddress::OwnGguf`] the caller makes an absolute address first.
    pub fn at(address: &ModelAddress, endpoint: &Endpoint, dtype: Dtype) -> ModelChoice {
        let is_hub = *endpoint == Endpoint::default();
        let (origin, url) = match address {
            ModelAddress::Repository { repo, file: None } => {
                (ModelOrigin::Repository, repo.to_string())
            }
            ModelAddress::Repository {
                repo,
                file: Some(file),
            } => (ModelOrigin::Repository, endpoint.file_url(repo, file)),
            ModelAddress::Gguf { url } | ModelAddress::Folder { url } => {
                (ModelOrigin::Url, url.clone())
            }
            ModelAddress::OwnGguf { path } => (ModelOrigin::Url, path.clone()),
        };
        let path = url.split(['?', '#']).next().unwrap_or(&url);
        let last = path.trim_end_matches('/').rsplit('/').next();
        let name = match address {
            ModelAddress::Repository { repo, file: None } => repo.to_string(),
            _ => last
                .filter(|name| !name.is_empty())
                .unwrap_or(path)
                .to_owned(),
        };
        ModelChoice {
            origin,
            name,
            endpoint: (!is_hub).then(|| endpoint.as_str().to_owned()),
            dtype,
            files: Vec::new(),
            size_bytes: None,
            url,
        }
    }

    /// `OWNER/NAME`, if it is a repository's model.
    pub fn repo(&self) -> Option<&str> {
        (self.origin == ModelOrigin::Repository && !self.url.contains(':'))
            .then_some(self.url.as_str())
    }

    /// What the worker is told.
    pub fn source(&self) -> ModelSource {
        match self.origin {
            ModelOrigin::Bundled => ModelSource::Url {
                url: self.url.clone(),
                name: self.name.clone(),
            },
            ModelOrigin::Url | ModelOrigin::Repository => ModelSource::Model {
                model: self.url.clone(),
                endpoint: self.endpoint.clone(),
                dtype: Some(self.dtype.name().to_owned()),
                keep: true,
            },
            ModelOrigin::File if self.files.is_empty() => ModelSource::File {
                name: self.name.clone(),
            },
            ModelOrigin::File => ModelSource::Files {
                name: self.name.clone(),
                files: self.files.clone(),
            },
        }
    }

    /// Whether what arrives of it stays on this device, for a download that is stopped to go on.
    pub fn is_kept(&self) -> bool {
        matches!(self.source(), ModelSource::Model { keep: true, .. })
    }

    /// Where it is, in words; the bundled one's name says so itself.
    pub fn place(&self) -> Option<String> {
        match self.origin {
            ModelOrigin::Bundled => None,
            ModelOrigin::File => Some("a file on this device".to_owned()),
            ModelOrigin::Url => Some(format!("from {}", figures::host_of(&self.url))),
            ModelOrigin::Repository => Some(match &self.endpoint {
                None => "from the Hub".to_owned(),
                Some(endpoint) => format!("from {}", figures::host_of(endpoint)),
            }),
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
    /// On its way until the visitor stopped it for a while.
    Paused(Paused),
    /// It can be asked.
    Ready(Box<ModelInfo>),
    /// It could not be had.
    Failed(ErrorReport),
}

/// A download that waits for the visitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Paused {
    /// Bytes that have arrived.
    pub loaded: u64,
    /// Length of the file, where the host tells it.
    pub total: Option<u64>,
    /// What is to be done once the model is there.
    pub(super) queued: Option<Task>,
}

impl Paused {
    /// How full the bar is, 0 to 1; none if the length is not known.
    pub fn fraction(&self) -> Option<f64> {
        Some(DOWNLOAD_SHARE * figures::ratio(self.loaded, self.total?))
    }

    /// Where it stands.
    pub fn text(&self) -> String {
        let loaded = figures::bytes(self.loaded);
        match self.total {
            Some(total) => format!("Paused at {loaded} of {}", figures::bytes(total)),
            None => format!("Paused at {loaded}"),
        }
    }
}

/// A load that is going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Loading {
    /// The last the worker said; none while the worker itself still starts.
    pub stage: Option<LoadStage>,
    /// Whether the worker has been asked.
    pub is_sent: bool,
    /// Whether it is to wait once it has stopped.
    pub is_pausing: bool,
    /// Whether it had to be begun again from the first byte.
    has_started_over: bool,
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
            is_pausing: false,
            has_started_over: false,
            started_ms: None,
            now_ms: 0.0,
        }
    }

    pub(super) fn advance(&mut self, stage: LoadStage, now_ms: f64) {
        if stage == LoadStage::StartingOver {
            self.has_started_over = true;
            self.started_ms = None;
        }
        self.started_ms.get_or_insert(now_ms);
        self.now_ms = now_ms;
        self.stage = Some(stage);
    }

    /// Bytes that have arrived and the file's length, while it downloads.
    pub(super) fn downloaded(&self) -> Option<(u64, Option<u64>)> {
        match self.stage {
            Some(LoadStage::Downloading { loaded, total }) => Some((loaded, total)),
            _ => None,
        }
    }

    /// How full the bar is, 0 to 1; none while nothing can be known.
    pub fn fraction(&self) -> Option<f64> {
        match self.stage.as_ref()? {
            LoadStage::Looking | LoadStage::Waiting { .. } | LoadStage::StartingOver => None,
            LoadStage::Downloading { loaded, total } | LoadStage::OtherTab { loaded, total } => {
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
            Some(LoadStage::Looking) => "Asking what there is".to_owned(),
            Some(LoadStage::OtherTab { loaded: 0, .. }) => {
                "Another tab is fetching it; it opens here as soon as that is done".to_owned()
            }
            Some(LoadStage::OtherTab {
                loaded,
                total: None,
            }) => format!(
                "Another tab is fetching it, {} so far",
                figures::bytes(*loaded)
            ),
            Some(LoadStage::OtherTab {
                loaded,
                total: Some(total),
            }) => format!(
                "Another tab is fetching it, {} of {}",
                figures::bytes(*loaded),
                figures::bytes(*total)
            ),
            Some(LoadStage::Waiting { seconds, loaded: 0 }) => {
                format!("No connection; trying again in {seconds} s")
            }
            Some(LoadStage::Waiting { seconds, loaded }) => format!(
                "The connection broke; {} are safe, trying again in {seconds} s",
                figures::bytes(*loaded)
            ),
            Some(LoadStage::StartingOver) => {
                "The file changed, or its server sends it only whole; starting again".to_owned()
            }
            Some(LoadStage::Downloading {
                loaded,
                total: None,
            }) => format!("{} so far", figures::bytes(*loaded)),
            Some(LoadStage::Downloading {
                loaded,
                total: Some(total),
            }) => {
                let so_far = format!("{} of {}", figures::bytes(*loaded), figures::bytes(*total));
                match self.has_started_over {
                    // The stage itself is over before anybody can read it.
                    true => format!(
                        "{so_far}, again from the start: the file changed, or its server sends it only whole"
                    ),
                    false => so_far,
                }
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
