//! `StorageFile`: a file of the origin's private file system that a worker writes.

use std::io;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetFileOptions,
    FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use super::browser::{io_error, name_of, storage_error, storage_manager};
use crate::web::shared::js_error::WebError;

/// The root of the private file system; `None` where the browser has none.
///
/// # Errors
/// [`WebError::Storage`] for any other failure.
pub async fn private_root() -> Result<Option<FileSystemDirectoryHandle>, WebError> {
    let Some(manager) = storage_manager() else {
        return Ok(None);
    };
    // In some private windows the method is missing.
    let method = Reflect::get(&manager, &JsValue::from_str("getDirectory"));
    if !method.is_ok_and(|method| method.is_function()) {
        return Ok(None);
    }
    match JsFuture::from(manager.get_directory()).await {
        Err(error) if is_refusal(&error) => Ok(None),
        root => {
            let root = root.map_err(|e| storage_error(&e))?;
            Ok(Some(root.unchecked_into()))
        }
    }
}

/// The storage's error for a write that failed.
pub fn full_or_failed(error: io::Error) -> WebError {
    match error.kind() {
        io::ErrorKind::StorageFull => WebError::StorageFull,
        _ => WebError::Storage {
            reason: error.to_string(),
        },
    }
}

/// An open file of the storage; closed when it is dropped.
pub struct StorageFile {
    handle: FileSystemSyncAccessHandle,
}

impl StorageFile {
    /// A file to write, its content kept, made if need be. No other writer can open it meanwhile.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn open(folder: &FileSystemDirectoryHandle, name: &str) -> Result<Self, WebError> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = folder.get_file_handle_with_options(name, &options);
        let handle: FileSystemFileHandle = done(handle).await?;
        Ok(Self {
            handle: done(handle.create_sync_access_handle()).await?,
        })
    }

    /// Its length.
    ///
    /// # Errors
    /// The browser's.
    pub fn size_bytes(&self) -> io::Result<u64> {
        let size = self.handle.get_size().map_err(|error| io_error(&error))?;
        // Sizes are whole numbers below 2^53.
        Ok(size as u64)
    }

    /// Reads bytes from `offset` on into `out`; gives their number, 0 at the end.
    ///
    /// # Errors
    /// The browser's.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(offset as f64);
        // Some browsers refuse a view of shared memory.
        let into = Uint8Array::new_with_length(out.len() as u32);
        let read = self
            .handle
            .read_with_js_u8_array_and_options(&into, &options);
        let n = read.map_err(|error| io_error(&error))? as usize;
        into.subarray(0, n as u32).copy_to(&mut out[..n]);
        Ok(n)
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// The browser's.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
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
    ///
    /// # Errors
    /// [`WebError`].
    pub fn replace(&self, bytes: &[u8]) -> Result<(), WebError> {
        // In this order the file is readable at any moment, if the first write is atomic.
        self.write_at(0, bytes).map_err(full_or_failed)?;
        self.truncate(bytes.len() as u64)?;
        self.flush()
    }

    /// Cuts or lengthens the file.
    ///
    /// # Errors
    /// [`WebError`].
    pub fn truncate(&self, len: u64) -> Result<(), WebError> {
        let cut = self.handle.truncate_with_f64(len as f64);
        cut.map_err(|e| storage_error(&e))
    }

    /// Waits until everything has reached the device.
    ///
    /// # Errors
    /// [`WebError`].
    pub fn flush(&self) -> Result<(), WebError> {
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

/// The value of a promise.
///
/// # Errors
/// [`WebError`].
pub async fn done<T: JsCast>(promise: js_sys::Promise) -> Result<T, WebError> {
    let value = JsFuture::from(promise)
        .await
        .map_err(|e| storage_error(&e))?;
    Ok(value.unchecked_into())
}
