//! `Acquisition`: brings a model's GGUF onto this device: from storage, or fetched, converted and stored on the way.
//! Bytes that have arrived once are not fetched again.

mod destination;
mod look_up;
mod receiver;
mod refusal;
mod source_files;

use std::rc::Rc;

use web_sys::Blob;

use super::blob_reader::BlobReader;
use crate::engine::{Arrival, Companions, ModelFile, conversion};
use crate::hub::{ListedFile, MAX_MEMORY_BYTES, ModelAddress, Plan, Weights, over_address_space};
use crate::notice::Notice;
use crate::protocol::{ErrorCode, ErrorReport, Event, LoadStage, Retention};
use crate::store::{ArtifactRecord, Download, storage_key};
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_news::ModelNews;
use crate::web::shared::model_storage::ModelStorage;
use crate::web::shared::tab_lock::TabLock;
use destination::Destination;
use receiver::Receiver;
use refusal::refused;
use source_files::SmallFiles;

pub use look_up::LookedUp;
pub use source_files::{Reporter, SourceFiles};

/// Attempts of one load whose files change while they are fetched.
const MAX_ATTEMPTS: usize = 3;

/// A model on this device.
pub struct Acquired {
    /// Its GGUF.
    pub blob: Blob,
    /// Where the model is kept for the next visit.
    pub retention: Retention,
    /// What was noticed about it while it arrived.
    pub notices: Vec<Notice>,
}

/// A model to bring onto this device.
pub struct Acquisition<'a> {
    /// The model's files.
    pub files: &'a SourceFiles,
    /// Whether to keep it for the next visit.
    pub keep: bool,
    /// The host's answer to an earlier look-up, if there was one.
    pub looked_up: Option<Rc<LookedUp>>,
}

impl Acquisition<'_> {
    /// The model, from storage or from its source.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn run(mut self) -> Result<Acquired, WebError> {
        if let Some(blob) = self.picked_gguf().await? {
            return Ok(Acquired {
                blob,
                retention: Retention::None,
                notices: Vec::new(),
            });
        }
        let files = self.files;
        let model = &files.model;
        let is_kept = self.keep && model.is_storable();
        let storage = match is_kept {
            true => ModelStorage::open_to_write().await?,
            false => None,
        };
        let Some(storage) = storage else {
            let record = ArtifactRecord::new(model.clone());
            let (record, destination) = self.fetch(record, None).await?;
            let Destination::Memory(file) = destination else {
                unreachable!("without storage it is written to memory");
            };
            return Ok(Acquired {
                blob: file.into_blob()?,
                retention: match is_kept {
                    true => Retention::Tab,
                    false => Retention::None,
                },
                notices: record.notices,
            });
        };
        let key = storage_key(model);
        let _lock = self.lock(&key).await?;
        let mut record = self.record(&storage, &key).await?;
        if record.is_complete() {
            self.report_card(&record);
        } else {
            let destination;
            (record, destination) = self.fetch(record, Some((&storage, &key))).await?;
            drop(destination);
            let written = stored(&storage, &key).await?;
            let reader = BlobReader::new(written)?;
            let size_bytes = reader.size();
            // A fetched file that cannot be opened is deleted.
            if let Err(error) = ModelFile::from_gguf(Box::new(reader)) {
                storage.delete_locked(&key).await?;
                return Err(refused(&error));
            }
            let sha256 = record.parts.pop().and_then(|part| part.sha256);
            record.complete(size_bytes, sha256);
            storage.write_record(&key, &record).await?;
        }
        Ok(Acquired {
            blob: stored(&storage, &key).await?,
            retention: storage.retention(),
            notices: record.notices,
        })
    }

    /// The GGUF among picked files: it is on the device already, and is read from there.
    async fn picked_gguf(&self) -> Result<Option<Blob>, WebError> {
        if !matches!(self.files.model.address, ModelAddress::Files { .. }) {
            return Ok(None);
        }
        // A file that was picked alone may have any name.
        if let [(_, blob)] = &self.files.picked[..] {
            return Ok(Some(blob.clone()));
        }
        let plan = self.files.plan(&self.files.listing().await?)?;
        Ok(match &plan.weights {
            Weights::Gguf(file) => self.files.picked_file(&file.name).cloned(),
            Weights::Safetensors(_) | Weights::Pytorch(_) => None,
        })
    }

    /// Waits until no other tab writes the model.
    async fn lock(&self, key: &str) -> Result<TabLock, WebError> {
        let signal = self.files.abort.signal();
        let mut news = None;
        let lock = TabLock::of_model(key, &signal, || {
            let reporter = self.files.reporter.clone();
            let report = move |(loaded, total)| {
                reporter.stage(LoadStage::OtherTab { loaded, total });
            };
            report((0, None));
            news = ModelNews::receiver(key, report);
        })
        .await;
        drop(news);
        match signal.aborted() {
            true => Err(WebError::Cancelled),
            false => Ok(lock),
        }
    }

    /// The record in storage, if it is of this model and its bytes are there; else a new record.
    async fn record(&self, storage: &ModelStorage, key: &str) -> Result<ArtifactRecord, WebError> {
        let model = &self.files.model;
        let found = storage.find(key).await?;
        if let Some(record) = found.filter(|record| record.model == *model)
            && has_bytes(storage, key, &record).await?
        {
            return Ok(record);
        }
        storage.delete_locked(key).await?;
        Ok(ArtifactRecord::new(model.clone()))
    }

    fn report_card(&self, record: &ArtifactRecord) {
        if let (Some(repo), Some(markdown)) = (self.files.model.repo(), &record.card) {
            (self.files.reporter.post)(Event::Card {
                job: self.files.reporter.job,
                repo: repo.clone(),
                markdown: markdown.clone(),
            });
        }
    }

    /// Fetches the missing bytes of a model, all bytes again where its files change during the download. A complete
    /// copy of a GGUF has its checksum in the record.
    async fn fetch(
        &mut self,
        mut record: ArtifactRecord,
        storage: Option<(&ModelStorage, &str)>,
    ) -> Result<(ArtifactRecord, Destination), WebError> {
        for attempt in 1.. {
            // The earlier answer is good for one attempt.
            let looked_up = self.looked_up.take();
            let may_be_outdated = looked_up.is_some();
            let listing = match &looked_up {
                Some(answer) => answer.listing.clone(),
                None => {
                    self.files.reporter.stage(LoadStage::LookingUp);
                    self.files.listing().await?
                }
            };
            let plan = self.files.plan(&listing)?;
            let config_json = looked_up.as_ref().and_then(|it| it.config_json.as_deref());
            let SmallFiles { companions, card } = self.files.companions(&plan, config_json).await?;
            record.card = card.or(record.card);
            self.report_card(&record);
            self.refuse_over_address_space(&plan, &companions)?;
            let files = self.files.weight_files(&plan).await?;
            let mut destination = Destination::open(storage).await?;
            let fetched = self
                .weights(&plan, &companions, &files, &mut record, &mut destination)
                .await;
            let error = match fetched {
                Ok(()) => {
                    destination.flush().await?;
                    return Ok((record, destination));
                }
                Err(error) => error,
            };
            if !matches!(error, WebError::StartOver | WebError::Checksum { .. }) {
                return Err(error);
            }
            // The bytes so far belong to other files, so they are discarded.
            let card = record.card.take();
            record = ArtifactRecord::new(record.model);
            record.card = card;
            destination.restart(&record).await?;
            let is_change = matches!(error, WebError::StartOver) || may_be_outdated;
            if attempt == MAX_ATTEMPTS || !is_change {
                return Err(error);
            }
            self.files.reporter.stage(LoadStage::StartingOver);
        }
        unreachable!("the last attempt returns")
    }

    /// Refuses a model that could not be opened after it was fetched.
    fn refuse_over_address_space(
        &self,
        plan: &Plan,
        companions: &Companions,
    ) -> Result<(), WebError> {
        if matches!(plan.weights, Weights::Gguf(_)) {
            return Ok(());
        }
        let dtype = self.files.model.dtype;
        let Some((needed, smaller)) = over_address_space(&companions.config, dtype) else {
            return Ok(());
        };
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let hint = match smaller {
            Some(dtype) => format!("it fits as {}: choose that type", dtype.name()),
            None => "no type of it is small enough; take a smaller model".to_owned(),
        };
        Err(WebError::Refused(Box::new(ErrorReport {
            code: ErrorCode::UnsupportedModel,
            message: format!(
                "the model needs {:.1} GB of memory, and a browser gives a page at most {:.1} GB",
                gigabytes(needed),
                gigabytes(MAX_MEMORY_BYTES)
            ),
            hint,
            retryable: false,
        })))
    }

    /// Fetches the weights, from the byte where the record's download stopped.
    async fn weights(
        &self,
        plan: &Plan,
        companions: &Companions,
        files: &[ListedFile],
        record: &mut ArtifactRecord,
        destination: &mut Destination,
    ) -> Result<(), WebError> {
        let identity = self.files.identity(files).await?;
        // Bytes in memory did not outlive the last attempt; bytes of other files are of no use.
        let download = record.download.clone().filter(|download| {
            matches!(destination, Destination::Stored { .. }) && download.files == identity
        });
        let journal = download.as_ref().map(|download| &download.journal);
        let arrival = match &plan.weights {
            Weights::Gguf(_) => Arrival::of_gguf(journal),
            Weights::Safetensors(_) | Weights::Pytorch(_) => {
                let dtype = conversion::target(self.files.model.dtype);
                Arrival::of_floats(companions, &record.name, dtype, files.len(), journal)
                    .map_err(|e| refused(&e))?
            }
        };
        let (first, offset) = arrival.source_pos();
        let has_bytes = |record: &ArtifactRecord| {
            let download = record.download.as_ref();
            download.is_some_and(|download| download.loaded > 0)
        };
        if (first, offset) == (0, 0) && has_bytes(record) {
            // A tail of the earlier bytes would otherwise remain after the new bytes.
            record.download = Some(Download::default());
            destination.restart(record).await?;
        }
        let resumed = download.filter(|_| offset > 0);
        let mut receiver = Receiver::new(
            self.files,
            arrival,
            destination,
            record,
            identity,
            files,
            resumed,
        );
        for (i, file) in files.iter().enumerate().skip(first) {
            receiver.begin_file(file);
            if !receiver.is_file_complete() {
                let loaded = receiver.loaded();
                let loaded = move || loaded.get();
                let streamed = self.files.stream(&file.name, &mut receiver, &loaded).await;
                if let Err(error) = streamed {
                    // Bytes of another file are discarded, and bytes that were refused are of no use.
                    if !matches!(error, WebError::StartOver | WebError::Refused(_)) {
                        // The download has ended already, with an error of its own.
                        let _ = receiver.commit().await;
                    }
                    return Err(error);
                }
            }
            let sha256 = receiver.end_file(file).await?;
            if matches!(plan.weights, Weights::Gguf(_)) {
                receiver.set_checksum(sha256);
            }
            debug_assert_eq!(receiver.file_index(), i + 1);
        }
        receiver.note_notices();
        Ok(())
    }
}

/// Whether storage has the bytes that the record describes.
async fn has_bytes(
    storage: &ModelStorage,
    key: &str,
    record: &ArtifactRecord,
) -> Result<bool, WebError> {
    Ok(match &record.download {
        Some(download) => download.loaded > 0 && storage.size_bytes(key).await? > 0,
        None => {
            let blob = storage.blob(key).await?;
            blob.is_some_and(|blob| record.has_length(blob.size() as u64))
        }
    })
}

/// The bytes of a complete model. If some are missing, the others are deleted, so that the next load fetches all of
/// them.
async fn stored(storage: &ModelStorage, key: &str) -> Result<Blob, WebError> {
    if let Some(blob) = storage.blob(key).await? {
        return Ok(blob);
    }
    storage.delete_locked(key).await?;
    Err(WebError::Storage {
        reason: "a part of the model was missing".to_owned(),
    })
}
