//! `ModelStorage`: the models kept on this device, in the origin's private file system.
//!
//! Two files each in the folder `models`: `KEY.json`, a [`KeptModel`], and `KEY.gguf`, its bytes so far. Only a
//! worker writes; a page may look and delete.

use std::io;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
    StorageManager,
};

use super::js_error::{WebError, reason};
use crate::store::KeptModel;

const FOLDER: &str = "models";

/// Most bytes of a record that are read: a journal and a card.
const MAX_RECORD_BYTES: f64 = 4e6;

/// The folder of kept models.
#[derive(Clone)]
pub struct ModelStorage {
    folder: FileSystemDirectoryHandle,
}

/// One of them, and the bytes it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    /// The name of its files.
    pub key: String,
    /// What is remembered of it.
    pub kept: KeptModel,
    /// Length of what is there.
    pub size_bytes: u64,
}

impl ModelStorage {
    /// The folder, made if need be.
    ///
    /// # Errors
    /// [`WebError::Storage`] where the browser has none to give, as in some private windows.
    pub async fn open() -> Result<Self, WebError> {
        let manager = storage_manager().ok_or_else(|| WebError::Storage {
            reason: "this browser has no private file system".to_owned(),
        })?;
        let root: FileSystemDirectoryHandle = done(manager.get_directory()).await?;
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = root.get_directory_handle_with_options(FOLDER, &options);
        Ok(Self {
            folder: done(folder).await?,
        })
    }

    /// What is kept under `key`; `None` if nothing is or the record is unreadable.
    pub async fn find(&self, key: &str) -> Option<KeptModel> {
        let file = self.file(&format!("{key}.json")).await.ok()?;
        if file.size() > MAX_RECORD_BYTES {
            return None;
        }
        let text = JsFuture::from(file.text()).await.ok()?;
        KeptModel::from_json(&text.as_string()?)
    }

    /// The bytes kept under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn file(&self, name: &str) -> Result<File, WebError> {
        let handle: FileSystemFileHandle = done(self.folder.get_file_handle(name)).await?;
        done(handle.get_file()).await
    }

    /// A file to write, what it holds being kept. Nobody else can write it meanwhile.
    ///
    /// # Errors
    /// [`WebError::Storage`], also while another tab writes it.
    pub async fn write(&self, name: &str) -> Result<StorageFile, WebError> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = self.folder.get_file_handle_with_options(name, &options);
        let handle: FileSystemFileHandle = done(handle).await?;
        Ok(StorageFile {
            handle: done(handle.create_sync_access_handle()).await?,
        })
    }

    /// Remembers `kept` under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub async fn remember(&self, key: &str, kept: &KeptModel) -> Result<(), WebError> {
        let file = self.write(&format!("{key}.json")).await?;
        file.replace(kept.to_json().as_bytes())
    }

    /// Forgets what is kept under `key`.
    ///
    /// # Errors
    /// [`WebError::Storage`], also while a tab writes it.
    pub async fn delete(&self, key: &str) -> Result<(), WebError> {
        // Without the record the bytes are nothing; so the bytes go first, and what is left can be deleted again.
        for name in [format!("{key}.gguf"), format!("{key}.json")] {
            let removed = JsFuture::from(self.folder.remove_entry(&name)).await;
            if let Err(error) = removed
                && !is_not_found(&error)
            {
                return Err(storage(&error));
            }
        }
        Ok(())
    }

    /// Everything that is kept, whole or not.
    pub async fn list(&self) -> Vec<StoredModel> {
        let mut stored = Vec::new();
        let names = self.folder.keys();
        while let Ok(next) = names.next() {
            let Ok(item) = JsFuture::from(next).await else {
                break;
            };
            let value = Reflect::get(&item, &JsValue::from_str("value")).unwrap_or_default();
            let Some(name) = value.as_string() else {
                break;
            };
            let Some(key) = name.strip_suffix(".json") else {
                continue;
            };
            if let Some(kept) = self.find(key).await {
                let file = self.file(&format!("{key}.gguf")).await;
                stored.push(StoredModel {
                    key: key.to_owned(),
                    kept,
                    size_bytes: file.map_or(0, |file| file.size() as u64),
                });
            }
        }
        stored.sort_by(|a, b| a.kept.name.cmp(&b.kept.name));
        stored
    }
}

/// An open file of the storage; closed when it is dropped.
pub struct StorageFile {
    handle: FileSystemSyncAccessHandle,
}

impl StorageFile {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// `StorageFull`, or whatever else the browser says.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let options = FileSystemReadWriteOptions::new();
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Offsets are below 2^53.
            options.set_at(at as f64);
            // A view of shared memory is refused by some browsers, so the bytes are copied out of this program's.
            let piece = Uint8Array::from(rest);
            let written = self
                .handle
                .write_with_js_u8_array_and_options(&piece, &options)
                .map_err(|error| io_error(&error))? as usize;
            if written == 0 || written > rest.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            at += written as u64;
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Puts `bytes` in place of all it held.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub fn replace(&self, bytes: &[u8]) -> Result<(), WebError> {
        let io = |e: io::Error| WebError::Storage {
            reason: e.to_string(),
        };
        // In this order something readable stands there at any moment, as long as the first write is one.
        self.write_at(0, bytes).map_err(io)?;
        self.truncate(bytes.len() as u64)?;
        self.flush()
    }

    /// Cuts or lengthens it.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub fn truncate(&self, len: u64) -> Result<(), WebError> {
        let cut = self.handle.truncate_with_f64(len as f64);
        cut.map_err(|e| storage(&e))
    }

    /// Waits until everything has reached the device.
    ///
    /// # Errors
    /// [`WebError::Storage`].
    pub fn flush(&self) -> Result<(), WebError> {
        self.handle.flush().map_err(|e| storage(&e))
    }
}

impl Drop for StorageFile {
    fn drop(&mut self) {
        self.handle.close();
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

async fn done<T: JsCast>(promise: js_sys::Promise) -> Result<T, WebError> {
    let value = JsFuture::from(promise).await.map_err(|e| storage(&e))?;
    Ok(value.unchecked_into())
}

fn storage(error: &JsValue) -> WebError {
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

fn is_not_found(error: &JsValue) -> bool {
    name_of(error).is_some_and(|name| name == "NotFoundError")
}

fn name_of(error: &JsValue) -> Option<String> {
    let name = Reflect::get(error, &JsValue::from_str("name")).ok()?;
    name.as_string()
}
