//! `TrainingFolder`: what is kept of a bot's training, in the folder `training` of the bot's own, and the files of the
//! trained bot.
//!
//! The files of a folder stand beside each other, with `%2F` in their names for `/`.

use std::collections::BTreeMap;

use maker::manifest::BOTS_FOLDER;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
};

use super::failure::is_full;
use super::out_file::OutFile;
use crate::trainer::trained::TRAINING_FOLDER;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage::{done, private_root};

/// A bot's folder; without a private file system its files are in memory.
pub struct TrainingFolder {
    folder: Option<FileSystemDirectoryHandle>,
    /// Name and bytes of each of the bot's files; the bytes of those that are not stored.
    files: BTreeMap<String, (u64, Option<Blob>)>,
}

impl TrainingFolder {
    /// The folder of a bot, made if need be.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn open(bot: &str) -> Result<Self, WebError> {
        let mut folder = private_root().await?;
        for name in [BOTS_FOLDER, bot, TRAINING_FOLDER] {
            let options = FileSystemGetDirectoryOptions::new();
            options.set_create(true);
            if let Some(parent) = folder.take() {
                let inner = parent.get_directory_handle_with_options(name, &options);
                folder = Some(done(inner).await?);
            }
        }
        Ok(Self {
            folder,
            files: BTreeMap::new(),
        })
    }

    /// The folder itself, if there is one.
    pub fn stored(&self) -> Option<&FileSystemDirectoryHandle> {
        self.folder.as_ref()
    }

    /// A new file, written from its beginning on.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn create(&self, name: &str) -> Result<OutFile, WebError> {
        match &self.folder {
            Some(folder) => OutFile::stored(folder, &stored_name(name)).await,
            None => Ok(OutFile::blob()),
        }
    }

    /// A new file, written at any offset.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn create_scattered(&self, name: &str) -> Result<OutFile, WebError> {
        match &self.folder {
            Some(folder) => OutFile::stored(folder, &stored_name(name)).await,
            None => Ok(OutFile::memory()),
        }
    }

    /// Takes on a file that was written.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn take(&mut self, name: &str, file: OutFile) -> Result<(), WebError> {
        let storage = |error: std::io::Error| match is_full(&error) {
            true => WebError::StorageFull,
            false => WebError::Storage {
                reason: error.to_string(),
            },
        };
        let in_memory = file.finish().map_err(storage)?;
        let size = match &in_memory {
            Some(blob) => blob.size(),
            None => self.stored_file(name).await?.size(),
        };
        // Sizes are whole numbers below 2^53.
        self.files.insert(name.to_owned(), (size as u64, in_memory));
        Ok(())
    }

    /// Removes a stored file, if it is there.
    pub async fn remove(&mut self, name: &str) {
        self.files.remove(name);
        if let Some(folder) = &self.folder {
            // A file that is not there is removed.
            let _ = JsFuture::from(folder.remove_entry(&stored_name(name))).await;
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn blob(&self, name: &str) -> Result<Blob, WebError> {
        match self.files.get(name) {
            Some((_, Some(blob))) => Ok(blob.clone()),
            _ => Ok(self.stored_file(name).await?.into()),
        }
    }

    /// Names and bytes of the files, in the order of names.
    pub fn files(&self) -> Vec<(String, u64)> {
        let files = self.files.iter();
        files
            .map(|(name, (size, _))| (name.clone(), *size))
            .collect()
    }

    async fn stored_file(&self, name: &str) -> Result<File, WebError> {
        let Some(folder) = &self.folder else {
            return Err(WebError::Storage {
                reason: format!("`{name}` is not there"),
            });
        };
        let handle = JsFuture::from(folder.get_file_handle(&stored_name(name))).await;
        let handle = handle.map_err(|_| WebError::Storage {
            reason: format!("`{name}` is not there"),
        })?;
        let handle: FileSystemFileHandle = handle.unchecked_into();
        done(handle.get_file()).await
    }
}

/// A file's name in the private file system, which has no slashes.
fn stored_name(name: &str) -> String {
    name.replace('/', "%2F")
}
