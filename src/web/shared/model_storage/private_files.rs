//! `PrivateFiles`: artifacts in the origin's private file system.
//!
//! An artifact is two files in the folder of its kind: `KEY.json`, an [`ArtifactRecord`], and `KEY.gguf`, its bytes so
//! far.

use std::collections::BTreeSet;
use std::io;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use super::browser::{KIND, io_error, name_of, storage_error, storage_manager};
use crate::store::ArtifactRecord;
use crate::web::shared::js_error::WebError;

/// Most bytes of a record that are read: a journal and a card.
const MAX_RECORD_BYTES: f64 = 4e6;

/// The folder of one kind of artifact.
pub(super) struct PrivateFiles {
    folder: FileSystemDirectoryHandle,
}

impl PrivateFiles {
    /// The folder, created if need be; `None` where the browser has no private file system. Any other failure is an
    /// error, because the stored models would otherwise seem to be lost.
    pub(super) async fn open() -> Result<Option<Self>, WebError> {
        let Some(manager) = storage_manager() else {
            return Ok(None);
        };
        // In some private windows the method is missing.
        let method = Reflect::get(&manager, &JsValue::from_str("getDirectory"));
        if !method.is_ok_and(|method| method.is_function()) {
            return Ok(None);
        }
        let root = match JsFuture::from(manager.get_directory()).await {
            Err(error) if is_refusal(&error) => return Ok(None),
            root => root.map_err(|e| storage_error(&e))?,
        };
        let root: FileSystemDirectoryHandle = root.unchecked_into();
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = root.get_directory_handle_with_options(KIND.folder(), &options);
        Ok(Some(Self {
            folder: done(folder).await?,
        }))
    }

    pub(super) async fn find(&self, key: &str) -> Result<Option<ArtifactRecord>, WebError> {
        let file = self.file(&record_name(key)).await?;
        let Some(file) = file.filter(|file| file.size() <= MAX_RECORD_BYTES) else {
            return Ok(None);
        };
        let text = JsFuture::from(file.text()).await;
        let text = text.map_err(|e| storage_error(&e))?;
        Ok(ArtifactRecord::from_json(
            &text.as_string().unwrap_or_default(),
        )?)
    }

    pub(super) async fn blob(&self, key: &str) -> Result<Option<Blob>, WebError> {
        Ok(self.file(&part_name(key)).await?.map(Blob::from))
    }

    pub(super) async fn size_bytes(&self, key: &str) -> Result<u64, WebError> {
        let file = self.file(&part_name(key)).await?;
        Ok(file.map_or(0, |file| file.size() as u64))
    }

    pub(super) async fn write(&self, key: &str) -> Result<FileWriter, WebError> {
        Ok(FileWriter {
            part: self.open_file(&part_name(key)).await?,
            record: self.open_file(&record_name(key)).await?,
        })
    }

    pub(super) async fn write_record(
        &self,
        key: &str,
        record: &ArtifactRecord,
    ) -> Result<(), WebError> {
        let file = self.open_file(&record_name(key)).await?;
        file.replace(record.to_json().as_bytes())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), WebError> {
        // The bytes first: a record without bytes is still listed, and so can be deleted again.
        for name in [part_name(key), record_name(key)] {
            let removed = JsFuture::from(self.folder.remove_entry(&name)).await;
            if let Err(error) = removed
                && !is_not_found(&error)
            {
                return Err(storage_error(&error));
            }
        }
        Ok(())
    }

    /// The keys of all files, also of those without a record.
    pub(super) async fn keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        let names = self.folder.keys();
        while let Ok(next) = names.next() {
            let Ok(item) = JsFuture::from(next).await else {
                break;
            };
            let value = Reflect::get(&item, &JsValue::from_str("value")).unwrap_or_default();
            let Some(name) = value.as_string() else {
                break;
            };
            if let Some((key, _)) = name.rsplit_once('.') {
                keys.insert(key.to_owned());
            }
        }
        keys
    }

    async fn file(&self, name: &str) -> Result<Option<File>, WebError> {
        let handle = match JsFuture::from(self.folder.get_file_handle(name)).await {
            Err(error) if is_not_found(&error) => return Ok(None),
            handle => handle.map_err(|e| storage_error(&e))?,
        };
        let handle: FileSystemFileHandle = handle.unchecked_into();
        done(handle.get_file()).await.map(Some)
    }

    /// A file to write, its content kept. No other writer can open it meanwhile.
    async fn open_file(&self, name: &str) -> Result<StorageFile, WebError> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = self.folder.get_file_handle_with_options(name, &options);
        let handle: FileSystemFileHandle = done(handle).await?;
        Ok(StorageFile {
            handle: done(handle.create_sync_access_handle()).await?,
        })
    }
}

fn part_name(key: &str) -> String {
    format!("{key}.{}", KIND.part())
}

fn record_name(key: &str) -> String {
    format!("{key}.json")
}

/// An artifact that is being written: its two files, open.
pub struct FileWriter {
    part: StorageFile,
    record: StorageFile,
}

impl FileWriter {
    pub(super) fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.part.write_at(offset, bytes)
    }

    pub(super) fn commit(&self, record: &ArtifactRecord) -> Result<(), WebError> {
        self.part.flush()?;
        self.record.replace(record.to_json().as_bytes())
    }

    pub(super) fn restart(&self, record: &ArtifactRecord) -> Result<(), WebError> {
        self.record.replace(record.to_json().as_bytes())?;
        self.part.truncate(0)
    }

    pub(super) fn flush(&self) -> Result<(), WebError> {
        self.part.flush()
    }
}

/// An open file of the storage; closed when it is dropped.
struct StorageFile {
    handle: FileSystemSyncAccessHandle,
}

impl StorageFile {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let options = FileSystemReadWriteOptions::new();
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Offsets are below 2^53.
            options.set_at(at as f64);
            // Some browsers refuse a view of shared memory, so the bytes are copied out of it.
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

    /// Replaces the content by `bytes`.
    fn replace(&self, bytes: &[u8]) -> Result<(), WebError> {
        let io = |e: io::Error| WebError::Storage {
            reason: e.to_string(),
        };
        // In this order the file is readable at any moment, if the first write is atomic.
        self.write_at(0, bytes).map_err(io)?;
        self.truncate(bytes.len() as u64)?;
        self.flush()
    }

    /// Cuts or lengthens the file.
    fn truncate(&self, len: u64) -> Result<(), WebError> {
        let cut = self.handle.truncate_with_f64(len as f64);
        cut.map_err(|e| storage_error(&e))
    }

    /// Waits until everything has reached the device.
    fn flush(&self) -> Result<(), WebError> {
        self.handle.flush().map_err(|e| storage_error(&e))
    }
}

impl Drop for StorageFile {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Whether this is the error of a browser without a private file system: `SecurityError` in Firefox's private windows,
/// `UnknownError` in Safari's.
fn is_refusal(error: &JsValue) -> bool {
    let refusals = [
        "SecurityError",
        "UnknownError",
        "NotSupportedError",
        "NotAllowedError",
    ];
    name_of(error).is_some_and(|name| refusals.contains(&name.as_str()))
}

fn is_not_found(error: &JsValue) -> bool {
    name_of(error).is_some_and(|name| name == "NotFoundError")
}

async fn done<T: JsCast>(promise: js_sys::Promise) -> Result<T, WebError> {
    let value = JsFuture::from(promise)
        .await
        .map_err(|e| storage_error(&e))?;
    Ok(value.unchecked_into())
}
