//! `SourceFiles`: a model's files where they are, on the web or picked on this device: listed, read and streamed.

use std::rc::Rc;

use js_sys::Uint8Array;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, Blob};

use super::refusal::not_a_model;
use crate::engine::{Companions, ModelFile};
use crate::hub::{
    ListedFile, Listing, ModelAddress, ModelRef, NEEDS, Need, Plan, ShardIndex, WeightList,
    Weights, choose, choose_file,
};
use crate::protocol::{Event, JobId, LoadStage};
use crate::store::{Checksum, MAX_CARD_BYTES};
use crate::web::shared::js_error::{WebError, reason};
use crate::web::worker::download::{Delay, Receive, download, download_small, exists, read};

/// Most bytes of a list of files, a configuration, a tokenizer.
const MAX_SMALL_BYTES: usize = 64 << 20;

/// The files of one model, and how to reach them.
pub struct SourceFiles {
    /// The model.
    pub model: ModelRef,
    /// The bytes of picked files, by name.
    pub picked: Vec<(String, Blob)>,
    /// Address of the bundled model.
    pub bundled_url: Option<String>,
    /// Ends every access.
    pub abort: AbortController,
    /// Reports the progress to the page.
    pub reporter: Reporter,
}

/// Reports the progress of a job to the page.
#[derive(Clone)]
pub struct Reporter {
    /// The job.
    pub job: JobId,
    /// Takes the events.
    pub post: Rc<dyn Fn(Event)>,
}

impl Reporter {
    /// Reports a delay of a download; `loaded`: bytes of the model so far.
    pub(super) fn delay(&self, delay: Delay, loaded: u64) {
        self.stage(match delay {
            Delay::Unanswered => LoadStage::Unanswered,
            Delay::Retry {
                seconds,
                attempt,
                attempts,
            } => LoadStage::Waiting {
                seconds,
                attempt,
                attempts,
                loaded,
            },
        });
    }

    /// Reports the stage of the job.
    pub fn stage(&self, stage: LoadStage) {
        let job = self.job;
        (self.post)(Event::Progress { job, stage });
    }
}

/// The small files of a model.
pub(super) struct SmallFiles {
    pub(super) companions: Companions,
    pub(super) card: Option<String>,
}

impl SourceFiles {
    /// The file that is named by the model's address itself.
    pub(super) fn named_file(&self) -> Option<String> {
        match &self.model.address {
            ModelAddress::Repository { file, .. } => file.clone(),
            ModelAddress::Gguf { .. } | ModelAddress::OwnGguf { .. } | ModelAddress::Bundled => {
                Some(self.model.name())
            }
            ModelAddress::Folder { .. } | ModelAddress::Files { .. } => None,
        }
    }

    /// The model's files, from its host's own list where there is one.
    pub(super) async fn listing(&self) -> Result<Listing, WebError> {
        match &self.model.address {
            ModelAddress::Repository { repo, .. } => {
                let url = self.model.endpoint.listing_url(repo);
                let no_such_model = || WebError::NoSuchModel {
                    name: repo.to_string(),
                };
                let json = match self.download_small(&url, MAX_SMALL_BYTES).await {
                    Err(WebError::Status { status: 401, .. }) => Err(no_such_model()),
                    json => json?.ok_or_else(no_such_model),
                };
                Listing::from_json(&json?).map_err(|e| not_a_model(&e, e.hint()))
            }
            ModelAddress::Folder { url } => self.listing_of_folder(url).await,
            ModelAddress::Files { .. } => {
                let sizes = self.picked.iter();
                let sizes = sizes.map(|(name, blob)| (name.clone(), Some(blob.size() as u64)));
                Ok(Listing::of_files(sizes))
            }
            ModelAddress::Gguf { .. } | ModelAddress::OwnGguf { .. } | ModelAddress::Bundled => {
                let file = ListedFile {
                    name: self.model.name(),
                    size_bytes: None,
                    sha256: None,
                };
                Ok(Listing {
                    files: vec![file],
                    ..Listing::default()
                })
            }
        }
    }

    /// The listing of a folder without a list: the server is asked for every name that a model's file can have.
    async fn listing_of_folder(&self, url: &str) -> Result<Listing, WebError> {
        let mut found = Vec::new();
        for need in NEEDS.into_iter().chain([Need::WEIGHTS]) {
            for names in need.one_of {
                let mut all = Vec::new();
                for name in *names {
                    let remote =
                        exists(&format!("{url}{name}"), &self.abort, &self.on_delay()).await?;
                    all.extend(remote.map(|file| ((*name).to_owned(), file.size_bytes)));
                }
                if all.len() == names.len() {
                    found.extend(all);
                    break;
                }
            }
        }
        Ok(Listing::of_files(found))
    }

    /// The listing of one GGUF, completed with the length that the host states when asked for the file.
    pub(super) async fn with_size(&self, mut listing: Listing) -> Result<Listing, WebError> {
        if let [file] = &mut listing.files[..]
            && file.size_bytes.is_none()
            && let Some(url) = self.url(&file.name)
            && let Some(remote) = exists(&url, &self.abort, &self.on_delay()).await?
        {
            file.size_bytes = remote.size_bytes;
        }
        Ok(listing)
    }

    /// The files to fetch.
    pub(super) fn plan(&self, listing: &Listing) -> Result<Plan, WebError> {
        let plan = match self.named_file() {
            Some(file) => choose_file(listing, &file),
            None => choose(listing, self.model.dtype),
        };
        plan.map_err(|e| not_a_model(&e, e.hint()))
    }

    /// A small file of the model; `None` if it is absent.
    pub(super) async fn small(
        &self,
        file: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, WebError> {
        if let Some(url) = self.url(file) {
            return self.download_small(&url, max_bytes).await;
        }
        let Some(blob) = self.picked_file(file) else {
            return Ok(None);
        };
        if blob.size() > max_bytes as f64 {
            return Err(WebError::TooLarge { most: max_bytes });
        }
        let buffer = JsFuture::from(blob.array_buffer()).await;
        let buffer = buffer.map_err(|e| WebError::Read { reason: reason(&e) })?;
        Ok(Some(Uint8Array::new(&buffer).to_vec()))
    }

    /// The small file of this name with the cap that its kind has.
    pub(super) async fn companion(&self, file: &str) -> Result<Option<Vec<u8>>, WebError> {
        let max_bytes = match file {
            "README.md" => MAX_CARD_BYTES,
            _ => MAX_SMALL_BYTES,
        };
        self.small(file, max_bytes).await
    }

    /// The small files of a plan. `config_json`: the configuration, if it was fetched before.
    pub(super) async fn companions(
        &self,
        plan: &Plan,
        config_json: Option<&[u8]>,
    ) -> Result<SmallFiles, WebError> {
        let mut companions = Companions::default();
        let mut card = None;
        for file in &plan.companions {
            let bytes = match (file.name.as_str(), config_json) {
                ("config.json", Some(bytes)) => Some(bytes.to_vec()),
                (name, _) => match self.companion(name).await {
                    // A bot works without its card.
                    Err(WebError::TooLarge { .. }) if name == "README.md" => None,
                    bytes => bytes?,
                },
            };
            let Some(bytes) = bytes else { continue };
            match file.name.as_str() {
                "README.md" => card = Some(String::from_utf8_lossy(&bytes).into_owned()),
                name => companions.insert(name, bytes),
            }
        }
        let is_of_floats = !matches!(plan.weights, Weights::Gguf(_));
        if is_of_floats {
            for name in companions.tokenizer.others_to_try() {
                if let Some(bytes) = self.companion(name).await? {
                    companions.insert(name, bytes);
                }
            }
        }
        Ok(SmallFiles { companions, card })
    }

    /// The files that hold the weights, in their order.
    pub(super) async fn weight_files(&self, plan: &Plan) -> Result<Vec<ListedFile>, WebError> {
        let parts = match &plan.weights {
            Weights::Gguf(file) => return Ok(vec![file.clone()]),
            Weights::Safetensors(parts) | Weights::Pytorch(parts) => parts,
        };
        match parts.list() {
            WeightList::Files(files) => Ok(files),
            WeightList::Index(index) => {
                let json = self.small(&index.name, MAX_SMALL_BYTES).await?;
                let index = ShardIndex::from_json(&index.name, &json.unwrap_or_default())
                    .map_err(|e| not_a_model(&e, e.hint()))?;
                let of_name = |name| ListedFile {
                    name,
                    size_bytes: None,
                    sha256: None,
                };
                Ok(index.files.into_iter().map(of_name).collect())
            }
        }
    }

    /// A checksum that identifies these weight files: [`crate::store::Download::files`].
    pub(super) async fn identity(&self, files: &[ListedFile]) -> Result<String, WebError> {
        let mut identity = Checksum::default();
        for file in files {
            let ListedFile {
                name,
                size_bytes,
                sha256,
            } = file;
            identity.update(format!("{name}\n{size_bytes:?}\n{sha256:?}\n").as_bytes());
            // Without a list, two versions of several files differ only in the length and the validator that the server
            // states for each file. With one file, the download itself notices the other version.
            if let ModelAddress::Folder { url } = &self.model.address
                && files.len() > 1
            {
                let remote = exists(&format!("{url}{name}"), &self.abort, &self.on_delay()).await?;
                let version = remote.map(|file| (file.size_bytes, file.validator));
                identity.update(format!("{version:?}\n").as_bytes());
            }
        }
        Ok(identity.finish())
    }

    /// Streams the bytes of `file` to the receiver, from the receiver's offset on. `loaded`: the bytes of the model so
    /// far, to be reported while the connection is down.
    pub(super) async fn stream(
        &self,
        file: &str,
        receiver: &mut impl Receive,
        loaded: &dyn Fn() -> u64,
    ) -> Result<(), WebError> {
        let Some(url) = self.url(file) else {
            let blob = self.picked_file(file).ok_or_else(|| WebError::Read {
                reason: format!("{file} is not among the files"),
            })?;
            return read(blob, &self.abort, receiver).await;
        };
        // Runs once the request is sent, while the bytes are on their way.
        spawn_local(async { ModelFile::prepare() });
        let on_delay = |delay| self.reporter.delay(delay, loaded());
        download(&url, &self.abort, receiver, &on_delay).await
    }

    /// A picked file.
    pub(super) fn picked_file(&self, file: &str) -> Option<&Blob> {
        let found = self.picked.iter().find(|(name, _)| name == file);
        found.map(|(_, blob)| blob)
    }

    fn url(&self, file: &str) -> Option<String> {
        match self.model.address {
            ModelAddress::Bundled => self.bundled_url.clone(),
            _ => self.model.file_url(file),
        }
    }

    async fn download_small(
        &self,
        url: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, WebError> {
        download_small(url, max_bytes, &self.abort, &self.on_delay()).await
    }

    /// Reports the delays of small files and of questions.
    fn on_delay(&self) -> impl Fn(Delay) {
        |delay| self.reporter.delay(delay, 0)
    }
}
