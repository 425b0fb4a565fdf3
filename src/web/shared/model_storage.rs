//! `ModelStorage`: the models kept on this device, wherever this browser keeps them.
//!
//! Where it has a private file system, in files ([`private_files`]); else, as in some browsers' private windows, in
//! IndexedDB ([`database`]). Cache Storage is no step between the two: every browser with it has IndexedDB too, and an
//! entry of it is written whole or not at all, so that a broken download could not go on.
//! Only a worker writes; a page may look and delete.

mod database;
mod private_files;

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, StorageManager};

use super::js_error::{WebError, reason};
use super::tab_lock::TabLock;
use crate::protocol::Keeping;
use crate::store::KeptModel;
use database::{DatabaseWriter, ModelDatabase};
use private_files::{FileWriter, PrivateFiles};

/// Where models are kept.
pub struct ModelStorage(Kind);

enum Kind {
    Files(PrivateFiles),
    Database(Rc<ModelDatabase>),
}

/// One of them, and the bytes it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    /// The name it has in storage.
    pub key: String,
    /// What is remembered of it.
    pub kept: KeptModel,
    /// Length of what is there.
    pub size_bytes: u64,
}

impl ModelStorage {
    /// The best place that this browser gives, to look and to delete; `None` if it gives none.
    ///
    /// # Errors
    /// [`WebError::Storage`] if the place is there and fails.
    pub async fn open() -> Result<Option<Self>, WebError> {
        if let Some(files) = PrivateFiles::open().await? {
            return Ok(Some(Self(Kind::Files(files))));
        }
        Ok(ModelDatabase::open().await.ok().map(Self::in_database))
    }

    /// The same to write to: the database of some browsers' private windows refuses what models are in.
    ///
    /// # Errors
    /// [`WebError::Storage`] if the place is there and fails.
    pub async fn open_to_write() -> Result<Option<Self>, WebError> {
        if let Some(files) = PrivateFiles::open().await? {
            return Ok(Some(Self(Kind::Files(files))));
        }
        let Ok(database) = ModelDatabase::make().await else {
            return Ok(None);
        };
        let takes_blobs = database.takes_blobs().await.is_ok();
        Ok(takes_blobs.then(|| Self::in_database(database)))
    }

    fn in_database(database: ModelDatabase) -> Self {
        Self(Kind::Database(Rc::new(database)))
    }

    /// Where a model that is fetched now is kept.
    pub fn keeping(&self) -> Keeping {
        match &self.0 {
            Kind::Files(_) => Keeping::Device,
            Kind::Database(_) => Keeping::Database,
        }
    }

    /// What is kept under `key`; `None` if there is no record.
    ///
    /// # Errors
    /// [`WebError::Storage`], also for a record of another version of this page.
    pub async fn find(&self, key: &str) -> Result<Option<KeptModel>, WebError> {
        match &self.0 {
            Kind::Files(files) => files.find(key).await,
            Kind::Database(database) => database.find(key).await,
        }
    }

    /// The bytes kept under `key`; `None` if some are missing.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn blob(&self, key: &str) -> Result<Option<Blob>, WebError> {
        match &self.0 {
            Kind::Files(files) => files.blob(key).await,
            Kind::Database(database) => database.blob(key).await,
        }
    }

    /// How many bytes are kept under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn size_bytes(&self, key: &str) -> Result<u64, WebError> {
        match &self.0 {
            Kind::Files(files) => files.size_bytes(key).await,
            Kind::Database(database) => database.size_bytes(key).await,
        }
    }

    /// A model to write, what is there of it being kept. The caller holds its [`TabLock::of_model`].
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn write(&self, key: &str) -> Result<ModelWriter, WebError> {
        Ok(ModelWriter(match &self.0 {
            Kind::Files(files) => Writer::Files(files.write(key).await?),
            Kind::Database(database) => Writer::Database(database.write(key)),
        }))
    }

    /// Remembers `kept` under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn remember(&self, key: &str, kept: &KeptModel) -> Result<(), WebError> {
        match &self.0 {
            Kind::Files(files) => files.remember(key, kept).await,
            Kind::Database(database) => database.remember(key, kept).await,
        }
    }

    /// Forgets what is kept under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`], also while a tab writes it.
    pub async fn delete(&self, key: &str) -> Result<(), WebError> {
        let _lock = match &self.0 {
            // Refuses it by itself.
            Kind::Files(_) => None,
            Kind::Database(_) => {
                let lock = TabLock::of_model_at_once(key).await;
                Some(lock.ok_or_else(|| WebError::Storage {
                    reason: "a tab is fetching the model".to_owned(),
                })?)
            }
        };
        self.forget(key).await
    }

    /// The same. The caller holds its [`TabLock::of_model`].
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn forget(&self, key: &str) -> Result<(), WebError> {
        match &self.0 {
            Kind::Files(files) => files.delete(key).await,
            Kind::Database(database) => database.delete(key).await,
        }
    }

    /// Everything that is kept, whole or not, and can be read. Bytes without a record, left by a worker that was
    /// killed before it wrote one, would take their room unseen: unless a tab is about to write it, they go.
    pub async fn list(&self) -> Vec<StoredModel> {
        let mut stored = Vec::new();
        for key in self.keys().await {
            match self.find(&key).await {
                Ok(Some(kept)) => stored.push(StoredModel {
                    size_bytes: self.size_bytes(&key).await.unwrap_or(0),
                    key,
                    kept,
                }),
                Ok(None) => {
                    // Between the look and the lock another tab may have written it.
                    if let Some(_lock) = TabLock::of_model_at_once(&key).await
                        && let Ok(None) = self.find(&key).await
                    {
                        // Not gone, it is met again next time.
                        let _ = self.forget(&key).await;
                    }
                }
                // Of another version of this page, or busy just now.
                Err(_) => {}
            }
        }
        stored.sort_by(|a, b| a.kept.name.cmp(&b.kept.name));
        stored
    }

    async fn keys(&self) -> BTreeSet<String> {
        match &self.0 {
            Kind::Files(files) => files.keys().await,
            Kind::Database(database) => database.keys().await,
        }
    }
}

/// A model that is being written.
pub struct ModelWriter(Writer);

enum Writer {
    Files(FileWriter),
    Database(DatabaseWriter),
}

impl ModelWriter {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// `StorageFull`, or whatever else the browser says.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Writer::Files(writer) => writer.write_at(offset, bytes),
            Writer::Database(writer) => writer.write_at(offset, bytes),
        }
    }

    /// Lets what waits in memory get to the device before it is too much; to be called between writes.
    ///
    /// # Errors
    /// [`WebError::StorageFull`], [`WebError::Storage`].
    pub async fn settle(&mut self) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(_) => Ok(()),
            Writer::Database(writer) => writer.settle().await,
        }
    }

    /// Waits until everything has reached the device.
    ///
    /// # Errors
    /// [`WebError::StorageFull`], [`WebError::Storage`].
    pub async fn flush(&mut self) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.flush(),
            Writer::Database(writer) => writer.flush(None).await,
        }
    }

    /// Remembers how far the model is, once that has reached the device.
    ///
    /// # Errors
    /// [`WebError::StorageFull`], [`WebError::Storage`].
    pub async fn note(&mut self, kept: &KeptModel) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.note(kept),
            Writer::Database(writer) => writer.flush(Some(kept)).await,
        }
    }

    /// Begins again with `kept` for its record.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn empty(&mut self, kept: &KeptModel) -> Result<(), WebError> {
        match &mut self.0 {
            Writer::Files(writer) => writer.empty(kept),
            Writer::Database(writer) => writer.empty(kept).await,
        }
    }
}

/// What the origin may store and has stored, in bytes, where the browser says so.
pub async fn estimate() -> Option<(u64, u64)> {
    let estimate = storage_manager()?.estimate().ok()?;
    let estimate = JsFuture::from(estimate).await.ok()?;
    let number = |name: &str| {
        let value = Reflect::get(&estimate, &JsValue::from_str(name)).ok()?;
        Some(value.as_f64()? as u64)
    };
    Some((number("quota")?, number("usage")?))
}

/// Asks the browser not to clear the storage when space gets short; whether it agreed.
pub async fn persist() -> bool {
    let Some(Ok(asked)) = storage_manager().map(|manager| manager.persist()) else {
        return false;
    };
    JsFuture::from(asked)
        .await
        .is_ok_and(|answer| answer.is_truthy())
}

/// `navigator.storage`, in a page or a worker.
fn storage_manager() -> Option<StorageManager> {
    let navigator = Reflect::get(&js_sys::global(), &JsValue::from_str("navigator")).ok()?;
    let manager = Reflect::get(&navigator, &JsValue::from_str("storage")).ok()?;
    manager.is_object().then(|| manager.unchecked_into())
}

fn storage_error(error: &JsValue) -> WebError {
    match is_quota(error) {
        true => WebError::StorageFull,
        false => WebError::Storage {
            reason: reason(error),
        },
    }
}

fn io_error(error: &JsValue) -> io::Error {
    match is_quota(error) {
        true => io::ErrorKind::StorageFull.into(),
        false => io::Error::other(reason(error)),
    }
}

fn is_quota(error: &JsValue) -> bool {
    name_of(error).is_some_and(|name| name == "QuotaExceededError")
}

fn name_of(error: &JsValue) -> Option<String> {
    let name = Reflect::get(error, &JsValue::from_str("name")).ok()?;
    name.as_string()
}
