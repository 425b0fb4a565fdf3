//! `PrivateFiles`: artifacts in the origin's private file system.
//!
//! An artifact is, in the folder of its kind, `KEY.json`, an [`ArtifactRecord`], and its bytes so far in parts of at
//! most [`PART_BYTES`]: `KEY.gguf`, `KEY.gguf.1`, …

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
};

use super::browser::{KIND, name_of, storage_error};
use super::storage_file::{StorageFile, done, full_or_failed, private_root};
use crate::store::ArtifactRecord;
use crate::web::shared::js_error::WebError;

/// Most bytes of a record that are read: a journal and a card.
const MAX_RECORD_BYTES: f64 = 4e6;

/// The folder of one kind of artifact.
#[derive(Clone)]
pub(super) struct PrivateFiles {
    folder: FileSystemDirectoryHandle,
}

impl PrivateFiles {
    /// The folder, created if need be; `None` where the browser has no private file system. Any other failure is an
    /// error, because the stored models would otherwise seem to be lost.
    pub(super) async fn open() -> Result<Option<Self>, WebError> {
        let Some(root) = private_root().await? else {
            return Ok(None);
        };
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

    /// The bytes of all parts, one after the other.
    pub(super) async fn blob(&self, key: &str) -> Result<Option<Blob>, WebError> {
        let parts = Array::new();
        while let Some(part) = self.file(&part_name(key, parts.length())).await? {
            parts.push(&part);
        }
        if parts.length() == 0 {
            return Ok(None);
        }
        let whole = Blob::new_with_blob_sequence(&parts);
        whole.map(Some).map_err(|e| storage_error(&e))
    }

    pub(super) async fn size_bytes(&self, key: &str) -> Result<u64, WebError> {
        let mut sum = 0;
        for name in self.part_names(key).await {
            sum += self.file(&name).await?.map_or(0, |file| file.size() as u64);
        }
        Ok(sum)
    }

    pub(super) async fn write(&self, key: &str) -> Result<PartsWriter, WebError> {
        let first = self.file(&part_name(key, 0)).await?;
        let first_bytes = first.map_or(0, |file| file.size() as u64);
        let mut writer = PartsWriter {
            files: self.clone(),
            key: key.to_owned(),
            record: self.open_file(&record_name(key)).await?,
            part_bytes: match first_bytes > PART_BYTES {
                // Begun by a version of this page that wrote one file.
                true => u64::MAX,
                false => PART_BYTES,
            },
            parts: BTreeMap::new(),
            waiting: Vec::new(),
        };
        // Open from the beginning, so that no other tab writes or deletes it.
        writer.open_part(0).await?;
        Ok(writer)
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
        for name in self.part_names(key).await {
            self.remove(&name).await?;
        }
        self.remove(&record_name(key)).await
    }

    async fn remove(&self, name: &str) -> Result<(), WebError> {
        match JsFuture::from(self.folder.remove_entry(name)).await {
            Err(error) if !is_not_found(&error) => Err(storage_error(&error)),
            _ => Ok(()),
        }
    }

    /// The keys of all files, also of those without a record.
    pub(super) async fn keys(&self) -> BTreeSet<String> {
        let names = self.names().await;
        let keys = names.iter().filter_map(|name| name.split_once('.'));
        keys.map(|(key, _)| key.to_owned()).collect()
    }

    /// The names of the parts of an artifact, the first part first.
    async fn part_names(&self, key: &str) -> BTreeSet<String> {
        let mut names = self.names().await;
        let first = part_name(key, 0);
        names.retain(|name| {
            let rest = name.strip_prefix(&first);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        names
    }

    async fn names(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let names = self.folder.keys();
        while let Ok(next) = names.next() {
            let Ok(item) = JsFuture::from(next).await else {
                break;
            };
            let value = Reflect::get(&item, &JsValue::from_str("value")).unwrap_or_default();
            let Some(name) = value.as_string() else {
                break;
            };
            all.insert(name);
        }
        all
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
        StorageFile::open(&self.folder, name).await
    }
}

/// Most bytes of a part. Chromium reserves room for an open file by doubling up to the next power of two, so one file
/// of 136 MB would need 268 MB while it is written.
const PART_BYTES: u64 = 32 << 20;

fn part_name(key: &str, index: u32) -> String {
    let first = format!("{key}.{}", KIND.part());
    match index {
        0 => first,
        _ => format!("{first}.{index}"),
    }
}

fn record_name(key: &str) -> String {
    format!("{key}.json")
}

/// An artifact that is being written: its record and the parts of its bytes so far, open.
pub struct PartsWriter {
    files: PrivateFiles,
    key: String,
    record: StorageFile,
    part_bytes: u64,
    parts: BTreeMap<u32, StorageFile>,
    /// Bytes of parts that are not open yet, with their offsets: opening a file takes a promise.
    waiting: Vec<(u64, Vec<u8>)>,
}

impl PartsWriter {
    pub(super) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (index, inside) = self.place(at)?;
            let room = usize::try_from(self.part_bytes - inside).unwrap_or(usize::MAX);
            let (piece, later) = rest.split_at(rest.len().min(room));
            match self.parts.get(&index) {
                Some(part) => part.write_at(inside, piece)?,
                None => self.waiting.push((at, piece.to_owned())),
            }
            at += piece.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// The part that has the byte at `offset`, and the offset in it.
    fn place(&self, offset: u64) -> io::Result<(u32, u64)> {
        let index = u32::try_from(offset / self.part_bytes).map_err(io::Error::other)?;
        Ok((index, offset % self.part_bytes))
    }

    async fn open_part(&mut self, index: u32) -> Result<(), WebError> {
        if !self.parts.contains_key(&index) {
            let part = self.files.open_file(&part_name(&self.key, index)).await?;
            self.parts.insert(index, part);
        }
        Ok(())
    }

    /// Writes the bytes that wait for their parts to open.
    pub(super) async fn settle(&mut self) -> Result<(), WebError> {
        for (offset, bytes) in std::mem::take(&mut self.waiting) {
            let (index, _) = self.place(offset).map_err(full_or_failed)?;
            self.open_part(index).await?;
            self.write_at(offset, &bytes).map_err(full_or_failed)?;
        }
        Ok(())
    }

    pub(super) async fn commit(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        self.settle().await?;
        for part in self.parts.values() {
            part.flush()?;
        }
        self.record.replace(record.to_json().as_bytes())
    }

    pub(super) async fn restart(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        self.record.replace(record.to_json().as_bytes())?;
        self.waiting.clear();
        self.parts.retain(|index, _| *index == 0);
        let first = part_name(&self.key, 0);
        for name in self.files.part_names(&self.key).await {
            if name != first {
                self.files.remove(&name).await?;
            }
        }
        self.part_bytes = PART_BYTES;
        self.parts.values().try_for_each(|part| part.truncate(0))
    }

    /// Ends the bytes: every part but the last has its full length, also where its last bytes were not written.
    pub(super) async fn flush(&mut self) -> Result<(), WebError> {
        self.settle().await?;
        let last = self.parts.keys().next_back().copied().unwrap_or_default();
        for index in 0..last {
            self.open_part(index).await?;
        }
        for (index, part) in &self.parts {
            if *index < last {
                part.truncate(self.part_bytes)?;
            }
            part.flush()?;
        }
        Ok(())
    }
}

fn is_not_found(error: &JsValue) -> bool {
    name_of(error).is_some_and(|name| name == "NotFoundError")
}
