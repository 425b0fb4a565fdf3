//! `acquire`: from where a model is to the `Blob` of its GGUF on this device, looked up, fetched, converted and kept
//! on the way; what came once is not fetched again.

mod files;
mod output;
mod receiver;

use std::rc::Rc;

use web_sys::{AbortController, Blob};

use super::blob_reader::BlobReader;
use super::download::{Receive, download, read};
use crate::engine::{Arrival, Companions, EngineError, ModelFile, conversion};
use crate::hub::{
    Dtype, Endpoint, ListedFile, MOST_MEMORY, ModelAddress, Plan, Weights, beyond_any_browser,
};
use crate::protocol::{ErrorCode, ErrorReport, Event, Keeping, LoadStage};
use crate::store::{Checksum, KeptModel, Origin, Part};
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_news::ModelNews;
use crate::web::shared::model_storage::ModelStorage;
use crate::web::shared::tab_lock::TabLock;
use output::Output;
use receiver::Receiver;

/// Times that a model is begun again because its files change while they are fetched.
const MAX_RESTARTS: usize = 3;

/// A model on this device.
pub struct Acquired {
    /// Its GGUF.
    pub blob: Blob,
    /// What to call it.
    pub name: String,
    /// Where it is kept.
    pub keeping: Keeping,
}

/// Where a model's files are.
pub enum Place {
    /// On the web.
    Web {
        /// Which model.
        address: ModelAddress,
        /// Where repositories are read.
        endpoint: Endpoint,
    },
    /// Picked on this device: a folder called `name`.
    Picked {
        /// What to call it.
        name: String,
        /// Its files by name.
        files: Vec<(String, Blob)>,
    },
}

/// What is wanted, and who hears of it.
pub struct Acquisition<'a> {
    /// Where it is.
    pub place: Place,
    /// In which type.
    pub dtype: Dtype,
    /// Whether it is to be kept for the next visit.
    pub keep: bool,
    /// Stops it; what has arrived stays.
    pub abort: &'a AbortController,
    /// Hears how far it is.
    pub tell: Rc<dyn Fn(Event)>,
}

impl Acquisition<'_> {
    /// The model: from storage if it is kept there, else from where it is.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn run(&self) -> Result<Acquired, WebError> {
        if let Place::Picked { name, .. } = &self.place
            && let Weights::Gguf(file) = self.plan().await?.weights
            && let Some(blob) = self.picked(&file.name)
        {
            // It is on the device already, and is read from there.
            return Ok(Acquired {
                blob: blob.clone(),
                name: name.clone(),
                keeping: Keeping::Nothing,
            });
        }
        let origin = self.origin();
        let key = origin.key();
        let storage = match self.keep {
            true => ModelStorage::open_to_write().await?,
            false => None,
        };
        let Some(storage) = storage else {
            let name = self.name();
            let keeping = match self.keep {
                true => Keeping::Tab,
                false => Keeping::Nothing,
            };
            let kept = KeptModel::new(origin, name);
            let (kept, output) = self.fetch(kept, None).await?;
            let Output::Memory(file) = output else {
                unreachable!("without storage it is written to memory");
            };
            return Ok(Acquired {
                blob: file.into_blob()?,
                name: kept.name,
                keeping,
            });
        };
        let mut news = None;
        let _lock = TabLock::of_model(&key, &self.abort.signal(), || {
            let tell = Rc::clone(&self.tell);
            let hear = move |(loaded, total)| {
                let stage = LoadStage::OtherTab { loaded, total };
                tell(Event::Progress { stage });
            };
            hear((0, None));
            news = ModelNews::hear_of(&key, hear);
        })
        .await;
        drop(news);
        if self.abort.signal().aborted() {
            return Err(WebError::Cancelled);
        }
        let found = storage.find(&key).await?;
        let kept = match found.filter(|kept| kept.origin == origin) {
            Some(kept) if is_there(&storage, &key, &kept).await? => kept,
            _ => {
                storage.forget(&key).await?;
                KeptModel::new(origin, self.name())
            }
        };
        let kept = match kept.is_whole() {
            true => {
                self.tell_card(&kept);
                kept
            }
            false => {
                let (kept, output) = self.fetch(kept, Some((&storage, &key))).await?;
                drop(output);
                // What cannot be opened is not worth keeping.
                let written = stored(&storage, &key).await?;
                if let Err(error) = ModelFile::from_gguf(Box::new(BlobReader::new(written)?)) {
                    storage.forget(&key).await?;
                    return Err(refused(&error));
                }
                storage.remember(&key, &kept).await?;
                kept
            }
        };
        Ok(Acquired {
            blob: stored(&storage, &key).await?,
            name: kept.name,
            keeping: storage.keeping(),
        })
    }

    fn origin(&self) -> Origin {
        let (model, endpoint, file) = match &self.place {
            Place::Picked { name, .. } => (name.clone(), None, None),
            Place::Web { address, endpoint } => match address {
                ModelAddress::Repository { repo, file } => (
                    repo.to_string(),
                    Some(endpoint.as_str().to_owned()),
                    file.clone(),
                ),
                ModelAddress::Gguf { url } | ModelAddress::Folder { url } => {
                    (url.clone(), None, None)
                }
                ModelAddress::OwnGguf { path } => (path.clone(), None, None),
            },
        };
        Origin {
            model,
            endpoint,
            file,
            dtype: self.dtype.name().to_owned(),
        }
    }

    fn name(&self) -> String {
        match &self.place {
            Place::Picked { name, .. } => name.clone(),
            Place::Web { address, .. } => match address {
                ModelAddress::Repository { repo, .. } => repo.to_string(),
                ModelAddress::Gguf { url } => last_part(url),
                ModelAddress::OwnGguf { path } => last_part(path),
                ModelAddress::Folder { url } => last_part(url.trim_end_matches('/')),
            },
        }
    }

    fn stage(&self, stage: LoadStage) {
        (self.tell)(Event::Progress { stage });
    }

    fn tell_card(&self, kept: &KeptModel) {
        if let Place::Web {
            address: ModelAddress::Repository { repo, .. },
            ..
        } = &self.place
            && let Some(markdown) = &kept.card
        {
            (self.tell)(Event::Card {
                repo: repo.to_string(),
                markdown: markdown.clone(),
            });
        }
    }

    /// Fetches what is missing of `kept`, and again from the start where files changed on their way.
    async fn fetch(
        &self,
        mut kept: KeptModel,
        storage: Option<(&ModelStorage, &str)>,
    ) -> Result<(KeptModel, Output), WebError> {
        let mut restarts = 0;
        loop {
            self.stage(LoadStage::Looking);
            let plan = self.plan().await?;
            let companions = self.companions(&plan, &mut kept).await?;
            self.tell_card(&kept);
            self.refuse_beyond_any_browser(&plan, &companions)?;
            let files = self.weight_files(&plan).await?;
            let mut output = Output::open(storage).await?;
            let fetched = self.weights(&plan, &companions, &files, &mut kept, &mut output);
            match fetched.await {
                Ok(()) => {
                    output.flush().await?;
                    kept.part = None;
                    return Ok((kept, output));
                }
                Err(error @ (WebError::StartOver | WebError::Checksum { .. })) => {
                    // Nothing of what has come is worth keeping.
                    let card = kept.card.take();
                    kept = KeptModel::new(kept.origin, kept.name);
                    kept.card = card;
                    output.empty(&kept).await?;
                    restarts += 1;
                    if restarts == MAX_RESTARTS || !matches!(error, WebError::StartOver) {
                        return Err(error);
                    }
                    self.stage(LoadStage::StartingOver);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What could not be opened once it is here is not fetched.
    fn refuse_beyond_any_browser(
        &self,
        plan: &Plan,
        companions: &Companions,
    ) -> Result<(), WebError> {
        if matches!(plan.weights, Weights::Gguf(_)) {
            return Ok(());
        }
        let Some((needed, instead)) = beyond_any_browser(&companions.config, self.dtype) else {
            return Ok(());
        };
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let hint = match instead {
            Some(dtype) => format!("it fits as {}: choose that type", dtype.name()),
            None => "no type of it is small enough; take a smaller model".to_owned(),
        };
        Err(WebError::Refused(Box::new(ErrorReport {
            code: ErrorCode::UnsupportedModel,
            message: format!(
                "the model needs {:.1} GB of memory, and a browser gives a page at most {:.1} GB",
                gigabytes(needed),
                gigabytes(MOST_MEMORY)
            ),
            hint,
            retryable: false,
        })))
    }

    /// Hands the bytes of `file` to the receiver, from its offset on.
    async fn receive(&self, file: &str, receiver: &mut Receiver<'_>) -> Result<(), WebError> {
        let (address, endpoint) = match &self.place {
            Place::Web { address, endpoint } => (address, endpoint),
            Place::Picked { .. } => {
                let blob = self.picked(file).ok_or_else(|| WebError::Read {
                    reason: format!("{file} is not among the files"),
                })?;
                return read(blob, self.abort, receiver).await;
            }
        };
        let loaded = Rc::clone(&receiver.loaded);
        download(
            &url(address, endpoint, file),
            self.abort,
            receiver,
            &|seconds| {
                self.stage(LoadStage::Waiting {
                    seconds,
                    loaded: loaded.get(),
                });
            },
        )
        .await
    }

    /// The weights, from where `kept` stopped.
    async fn weights(
        &self,
        plan: &Plan,
        companions: &Companions,
        files: &[ListedFile],
        kept: &mut KeptModel,
        output: &mut Output,
    ) -> Result<(), WebError> {
        let identity = self.identity(files).await?;
        let part = kept.part.clone();
        // What is in memory did not outlive the last attempt; what was made of other files is of no use.
        let part =
            part.filter(|part| matches!(output, Output::Stored { .. }) && part.files == identity);
        let journal = part.as_ref().map(|part| &part.journal);
        let arrival = match &plan.weights {
            Weights::Gguf(_) => Arrival::of_gguf(journal),
            Weights::Safetensors(_) | Weights::Pytorch(_) => {
                let dtype = conversion::target(self.dtype);
                Arrival::of_floats(companions, &kept.name, dtype, files.len(), journal)
                    .map_err(|e| refused(&e))?
            }
        };
        let (first, offset) = arrival.source_pos();
        if (first, offset) == (0, 0) && kept.part.as_ref().is_some_and(|part| part.loaded > 0) {
            // A tail of what came before would stay behind what comes now.
            kept.part = Some(Part::default());
            output.empty(kept).await?;
        }
        let size = |file: &ListedFile| file.size_bytes;
        let total = files
            .iter()
            .try_fold(0_u64, |sum, file| sum.checked_add(size(file)?));
        let before = files.iter().take(first).filter_map(size).sum();
        let is_resumed = offset > 0 && part.is_some();
        let checksum = part.as_ref().and_then(|part| part.checksum.as_deref());
        let mut receiver = Receiver {
            acquisition: self,
            arrival,
            output,
            kept,
            identity,
            file: first,
            before,
            loaded: Rc::default(),
            total,
            is_alone: files.len() == 1,
            expected: None,
            validator: part
                .as_ref()
                .and_then(|part| part.validator.clone())
                .filter(|_| is_resumed),
            checksum: match is_resumed {
                true => checksum.and_then(Checksum::resume),
                false => Some(Checksum::default()),
            },
            snapshot: None,
            noted: offset,
        };
        for (i, file) in files.iter().enumerate().skip(first) {
            receiver.expected = file.size_bytes;
            receiver.tell();
            let is_whole = file
                .size_bytes
                .is_some_and(|size| size == receiver.offset());
            if !is_whole {
                self.receive(&file.name, &mut receiver).await?;
            }
            receiver.end_file(file).await?;
            debug_assert_eq!(receiver.file, i + 1);
        }
        Ok(())
    }
}

/// Whether the bytes are there that `kept` stands for.
async fn is_there(storage: &ModelStorage, key: &str, kept: &KeptModel) -> Result<bool, WebError> {
    Ok(match &kept.part {
        Some(part) => part.loaded > 0 && storage.size_bytes(key).await? > 0,
        None => {
            let blob = storage.blob(key).await?;
            blob.is_some_and(|blob| blob.size() > 0.0)
        }
    })
}

/// The bytes of a whole model. Where some are missing none stay, so that the next try begins afresh.
async fn stored(storage: &ModelStorage, key: &str) -> Result<Blob, WebError> {
    if let Some(blob) = storage.blob(key).await? {
        return Ok(blob);
    }
    storage.forget(key).await?;
    Err(WebError::Storage {
        reason: "a part of the model was missing".to_owned(),
    })
}

/// Where a file of the model at `address` is.
fn url(address: &ModelAddress, endpoint: &Endpoint, file: &str) -> String {
    match address {
        ModelAddress::Repository { repo, .. } => endpoint.file_url(repo, file),
        ModelAddress::Gguf { url } => url.clone(),
        ModelAddress::OwnGguf { path } => path.clone(),
        ModelAddress::Folder { url } => format!("{url}{file}"),
    }
}

fn last_part(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn not_a_model(error: &dyn std::error::Error) -> WebError {
    let text = error.to_string();
    let (message, hint) = text
        .split_once("; ")
        .unwrap_or((&text, "take another model"));
    WebError::Refused(Box::new(ErrorReport {
        code: ErrorCode::NotAModel,
        message: message.to_owned(),
        hint: hint.to_owned(),
        retryable: false,
    }))
}

fn refused(error: &EngineError) -> WebError {
    if error.is_storage_full() {
        return WebError::StorageFull;
    }
    WebError::Refused(Box::new(ErrorReport::from(error)))
}
