//! `ModelStorage`: the artifacts of kind model on this device, in the best storage that the browser has.
//!
//! The best storage is a private file system ([`private_files`]); where there is none, as in some browsers' private
//! windows, it is IndexedDB ([`database`]). Cache Storage is no third choice: a browser with it has IndexedDB too, and
//! its entries are written whole or not at all, so a broken download could not continue. Only a worker writes; a page
//! reads and deletes.

mod browser;
mod database;
mod private_files;
mod storage_file;

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsValue;
use web_sys::Blob;

use super::js_error::WebError;
use super::tab_lock::TabLock;
use super::time_limit::{SOON_MS, settled_within};
use crate::protocol::Retention;
use crate::store::ArtifactRecord;
use browser::storage_manager;
use database::{DatabaseWriter, ModelDatabase};
use private_files::{PartsWriter, PrivateFiles};
pub use storage_file::{StorageFile, done, private_root};

/// The storage of this browser.
pub struct ModelStorage(Backend);

enum Backend {
    Files(PrivateFiles),
    Database(Rc<ModelDatabase>),
}

/// A stored model.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    /// Its name in storage: [`storage_key`](crate::store::storage_key).
    pub key: String,
    /// Its record.
    pub record: ArtifactRecord,
    /// Bytes that are stored.
    pub size_bytes: u64,
}

impl ModelStorage {
    /// The storage to read and to delete; `None` if the browser has none.
    ///
    /// # Errors
    /// [`WebError::Storage`] if the browser has a storage that fails.
    pub async fn open() -> Result<Option<Self>, WebError> {
        if let Some(files) = PrivateFiles::open().await? {
            return Ok(Some(Self(Backend::Files(files))));
        }
        Ok(ModelDatabase::open().await.ok().map(Self::in_database))
    }

    /// The storage to write to; `None` also where the database refuses `Blob`s, as in some browsers' private windows.
    ///
    /// # Errors
    /// [`WebError::Storage`] if the browser has a storage that fails.
    pub async fn open_to_write() -> Result<Option<Self>, WebError> {
        if let Some(files) = PrivateFiles::open().await? {
            return Ok(Some(Self(Backend::Files(files))));
        }
        let Ok(database) = ModelDatabase::create().await else {
            return Ok(None);
        };
        let takes_blobs = database.takes_blobs().await.is_ok();
        Ok(takes_blobs.then(|| Self::in_database(database)))
    }

    fn in_database(database: ModelDatabase) -> Self {
        Self(Backend::Database(Rc::new(database)))
    }

    /// How long the storage keeps a model.
    pub fn retention(&self) -> Retention {
        match &self.0 {
            Backend::Files(_) => Retention::PrivateFiles,
            Backend::Database(_) => Retention::Database,
        }
    }

    /// The record under `key`, if there is one.
    ///
    /// # Errors
    /// [`WebError::Storage`], also for a record of another version of this page.
    pub async fn find(&self, key: &str) -> Result<Option<ArtifactRecord>, WebError> {
        match &self.0 {
            Backend::Files(files) => files.find(key).await,
            Backend::Database(database) => database.find(key).await,
        }
    }

    /// The bytes under `key`; `None` if some are missing.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn blob(&self, key: &str) -> Result<Option<Blob>, WebError> {
        match &self.0 {
            Backend::Files(files) => files.blob(key).await,
            Backend::Database(database) => database.blob(key).await,
        }
    }

    /// The number of bytes under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn size_bytes(&self, key: &str) -> Result<u64, WebError> {
        match &self.0 {
            Backend::Files(files) => files.size_bytes(key).await,
            Backend::Database(database) => database.size_bytes(key).await,
        }
    }

    /// A writer that keeps the bytes and the record under `key`. The caller holds [`TabLock::of_model`].
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn write(&self, key: &str) -> Result<ModelWriter, WebError> {
        Ok(ModelWriter(match &self.0 {
            Backend::Files(files) => Writer::Files(files.write(key).await?),
            Backend::Database(database) => Writer::Database(database.write(key)),
        }))
    }

    /// Writes the record under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn write_record(&self, key: &str, record: &ArtifactRecord) -> Result<(), WebError> {
        match &self.0 {
            Backend::Files(files) => files.write_record(key, record).await,
            Backend::Database(database) => database.write_record(key, record).await,
        }
    }

    /// Deletes record and bytes under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`], also while a tab writes them.
    pub async fn delete(&self, key: &str) -> Result<(), WebError> {
        let _lock = match &self.0 {
            // The file system itself refuses to delete a file that is being written.
            Backend::Files(_) => None,
            Backend::Database(_) => {
                let lock = TabLock::of_model_at_once(key).await;
                Some(lock.ok_or_else(|| WebError::Storage {
                    reason: "a tab is fetching the model".to_owned(),
                })?)
            }
        };
        self.delete_locked(key).await
    }

    /// Deletes like [`ModelStorage::delete`], for a caller that holds [`TabLock::of_model`].
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn delete_locked(&self, key: &str) -> Result<(), WebError> {
        match &self.0 {
            Backend::Files(files) => files.delete(key).await,
            Backend::Database(database) => database.delete(key).await,
        }
    }

    /// All stored models with a readable record, complete or not. Bytes without a record, left by a worker that was
    /// killed before it wrote one, would take room unseen: they are deleted, unless a tab is about to write the record.
    pub async fn list(&self) -> Vec<StoredModel> {
        let mut stored = Vec::new();
        for key in self.keys().await {
            match self.find(&key).await {
                Ok(Some(record)) => stored.push(StoredModel {
                    size_bytes: self.size_bytes(&key).await.unwrap_or(0),
                    key,
                    record,
                }),
                Ok(None) => {
                    // Another tab may have written the record before the lock was taken.
                    if let Some(_lock) = TabLock::of_model_at_once(&key).await
                        && let Ok(None) = self.find(&key).await
                    {
                        // Bytes that cannot be deleted now are found again by the next listing.
                        let _ = self.delete_locked(&key).await;
                    }
                }
                // A record of another version of this page, or storage that is busy.
                Err(_) => {}
            }
        }
        stored.sort_by(|a, b| a.record.name.cmp(&b.record.name));
        stored
    }

    async fn keys(&self) -> BTreeSet<String> {
        match &self.0 {
            Backend::Files(files) => files.keys().await,
            Backend::Database(database) => database.keys().await,
        }
    }
}

/// A model that is being written.
pub struct ModelWriter(Writer);

enum Writer {
    Files(PartsWriter),
    Database(DatabaseWriter),
}

impl ModelWriter {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// `StorageFull`, or another error of the browser.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Writer::Files(writer) => writer.write_at(offset, bytes),
            Writer::Database(writer) => writer.write_at(offset, bytes),
        }
    }

    /// Moves bytes from memory to the device when too many wait; to be called between writes.
    ///
    /// # Errors
    /// [`WebError::StorageFull`], [`WebError::Storage`].
    pub async fn settle(&mut self) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.settle().await,
            Writer::Database(writer) => writer.settle().await,
        }
    }

    /// Waits until everything has reached the device.
    ///
    /// # Errors
    /// [`WebError::StorageFull`], [`WebError::Storage`].
    pub async fn flush(&mut self) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.flush().await,
            Writer::Database(writer) => writer.flush(None).await,
        }
    }

    /// Writes the record after all bytes have reached the device.
    ///
    /// # Errors
    /// [`WebError::StorageFull`], [`WebError::Storage`].
    pub async fn commit(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.commit(record).await,
            Writer::Database(writer) => writer.flush(Some(record)).await,
        }
    }

    /// Deletes all bytes and writes `record`, which describes no bytes.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn restart(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.restart(record).await,
            Writer::Database(writer) => writer.restart(record).await,
        }
    }
}

/// How long a visitor may take to answer the browser's question about persistent storage.
const PERSIST_MS: u32 = 60_000;

/// Quota and usage of the origin's storage, in bytes, where the browser tells them.
pub async fn estimate() -> Option<(u64, u64)> {
    let estimate = storage_manager()?.estimate().ok()?;
    let estimate = settled_within(&estimate, SOON_MS).await.ok()?;
    let number = |name: &str| {
        let value = Reflect::get(&estimate, &JsValue::from_str(name)).ok()?;
        Some(value.as_f64()? as u64)
    };
    Some((number("quota")?, number("usage")?))
}

/// Asks the browser to keep the storage when the device runs out of space; whether it agreed.
pub async fn persist() -> bool {
    let Some(Ok(asked)) = storage_manager().map(|manager| manager.persist()) else {
        return false;
    };
    settled_within(&asked, PERSIST_MS)
        .await
        .is_ok_and(|answer| answer.is_truthy())
}
