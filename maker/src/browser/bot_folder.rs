//! `BotFolder`: the files of one bot in the origin's private file system: its manifest and its parts.
//!
//! The manifest is written to two files in turns, so that a tab which is closed while it writes leaves the other one.

use std::io;

use gloo::timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use maker::manifest::{BOTS_FOLDER, BotFile, Manifest, TITLE_FILE};
use maker::posts_file::Bytes;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemReadWriteOptions,
    FileSystemRemoveOptions, FileSystemSyncAccessHandle,
};

use super::blob_file::io_error;

/// The text between two handles in the file for lists.
const BETWEEN_HANDLES: &str = " & @";
/// Further tries to delete a bot, or to open a file again.
const TRIES: u32 = 20;
/// The time between them.
const PAUSE_MS: u32 = 100;

/// The folder of one bot.
pub struct BotFolder {
    folder: FileSystemDirectoryHandle,
    /// The number of manifests written.
    n_written: u64,
    /// Whether files of the bot are there, and no manifest that can be read.
    pub is_damaged: bool,
}

/// A manifest with the number of its writing.
#[derive(serde::Serialize, serde::Deserialize)]
struct Numbered {
    n: u64,
    manifest: serde_json::Value,
}

impl BotFolder {
    /// The folder of all bots, made if need be; `None` where the browser has no private file system.
    async fn of_all() -> Option<FileSystemDirectoryHandle> {
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        let storage = js_sys::Reflect::get(&scope.navigator(), &"storage".into()).ok()?;
        let has = js_sys::Reflect::get(&storage, &"getDirectory".into()).ok()?;
        if !has.is_function() {
            return None;
        }
        let storage: web_sys::StorageManager = storage.unchecked_into();
        let root: FileSystemDirectoryHandle = settled(storage.get_directory()).await.ok()?;
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let bots = root.get_directory_handle_with_options(BOTS_FOLDER, &options);
        settled(bots).await.ok()
    }

    /// The names of the bots that are kept.
    pub async fn names() -> Vec<String> {
        let Some(bots) = Self::of_all().await else {
            return Vec::new();
        };
        names_in(&bots).await
    }

    /// Deletes a bot.
    pub async fn delete(bot: &str) -> io::Result<()> {
        let Some(bots) = Self::of_all().await else {
            return Ok(());
        };
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        let mut tries = 0..TRIES;
        loop {
            let removed = bots.remove_entry_with_options(bot, &options);
            match JsFuture::from(removed).await {
                // A worker that was ended may have its files open for a moment.
                Err(_) if tries.next().is_some() => TimeoutFuture::new(PAUSE_MS).await,
                removed => {
                    removed.map_err(|error| io_error(&error))?;
                    return Ok(());
                }
            }
        }
    }

    /// The folder of a bot, made if need be; `None` where the browser has no private file system.
    pub async fn open(bot: &str) -> Option<Self> {
        let bots = Self::of_all().await?;
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = bots.get_directory_handle_with_options(bot, &options);
        Some(Self {
            folder: settled(folder).await.ok()?,
            n_written: 0,
            is_damaged: false,
        })
    }

    /// The newest manifest that is whole.
    pub async fn manifest(&mut self) -> Option<Manifest> {
        let mut newest: Option<Numbered> = None;
        let (mut are_open, mut are_empty) = (true, true);
        for turn in 0..2 {
            // Another tab may be writing it.
            let Ok(mut file) = self.file_again(&manifest_name(turn)).await else {
                are_open = false;
                continue;
            };
            let mut json = vec![0; usize::try_from(file.len()).ok()?];
            are_empty &= json.is_empty();
            if file.read_at(0, &mut json).is_err() {
                continue;
            }
            if let Ok(found) = serde_json::from_slice::<Numbered>(&json)
                && newest.as_ref().is_none_or(|newest| newest.n < found.n)
            {
                newest = Some(found);
            }
        }
        let manifest = newest.and_then(|newest| {
            self.n_written = newest.n;
            Manifest::read(newest.manifest.to_string().as_bytes())
        });
        // A bot that has just begun has empty manifests and nothing else.
        self.is_damaged = manifest.is_none() && are_open && (!are_empty || self.has_parts().await);
        manifest
    }

    /// Whether there are files with bytes in them beside the manifests, or folders.
    async fn has_parts(&self) -> bool {
        for name in names_in(&self.folder).await {
            if (0..2).any(|turn| manifest_name(turn) == name) {
                continue;
            }
            match self.file(&name).await {
                Ok(file) if file.len() == 0 => {}
                _ => return true,
            }
        }
        false
    }

    /// The handles in the file for lists.
    pub async fn handles(&self) -> Vec<String> {
        let Ok(mut file) = self.file(TITLE_FILE).await else {
            return Vec::new();
        };
        let mut title = vec![0; usize::try_from(file.len()).unwrap_or_default()];
        if file.read_at(0, &mut title).is_err() {
            return Vec::new();
        }
        let title = String::from_utf8_lossy(&title).into_owned();
        let handles = title.split(BETWEEN_HANDLES).map(str::to_owned);
        handles.filter(|handle| !handle.is_empty()).collect()
    }

    /// Writes a manifest.
    pub async fn write_manifest(&mut self, manifest: &Manifest) -> io::Result<()> {
        let n = self.n_written + 1;
        let numbered = Numbered {
            n,
            manifest: serde_json::to_value(manifest)?,
        };
        let mut file = self.file(&manifest_name(n % 2)).await?;
        file.truncate()?;
        file.append(&serde_json::to_vec(&numbered)?)?;
        file.flush()?;
        // Where it could not be written, the next try leaves the other one too.
        self.n_written = n;
        let handles: Vec<&str> = manifest
            .accounts
            .iter()
            .map(|a| a.handle.as_str())
            .collect();
        let mut title = self.file(TITLE_FILE).await?;
        title.truncate()?;
        title.append(handles.join(BETWEEN_HANDLES).as_bytes())
    }

    /// A file, made if need be. One tab has it at a time.
    pub async fn file(&self, name: &str) -> io::Result<PrivateFile> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let file = self.folder.get_file_handle_with_options(name, &options);
        let file: FileSystemFileHandle = settled(file).await?;
        let handle: FileSystemSyncAccessHandle = settled(file.create_sync_access_handle()).await?;
        let len = handle.get_size().map_err(|error| io_error(&error))?;
        Ok(PrivateFile {
            handle,
            // Sizes are whole numbers below 2^53.
            len: len as u64,
        })
    }

    /// A file that was open a moment ago.
    pub async fn file_again(&self, name: &str) -> io::Result<PrivateFile> {
        let mut tries = 0..TRIES;
        loop {
            match self.file(name).await {
                Err(_) if tries.next().is_some() => TimeoutFuture::new(PAUSE_MS).await,
                file => return file,
            }
        }
    }

    /// Whether there is a file of this name.
    async fn has(&self, name: &str) -> bool {
        JsFuture::from(self.folder.get_file_handle(name))
            .await
            .is_ok()
    }

    /// Leads a part to its file where a closed tab had named it by its content and not yet noted so.
    pub async fn find(&self, part: &mut BotFile) {
        if let Some(name) = part.name_to_get().map(str::to_owned)
            && !self.has(&part.file).await
            && self.has(&name).await
        {
            part.file = name;
        }
    }

    /// Names a file anew that is not open. Browsers that cannot do so leave it as it is.
    pub async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file: JsValue = settled(self.folder.get_file_handle(from)).await?;
        let rename = js_sys::Reflect::get(&file, &"move".into()).ok();
        let Some(rename) = rename.and_then(|it| it.dyn_into::<js_sys::Function>().ok()) else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let renamed = rename.call1(&file, &to.into());
        let renamed = renamed.map_err(|error| io_error(&error))?;
        settled::<JsValue>(renamed.unchecked_into()).await?;
        Ok(())
    }

    /// Deletes a file that is not open.
    pub async fn remove(&self, name: &str) {
        // A file that stays is named in Storage and can be deleted there with the bot.
        let _ = JsFuture::from(self.folder.remove_entry(name)).await;
    }
}

/// The names of the files and folders in a folder.
async fn names_in(folder: &FileSystemDirectoryHandle) -> Vec<String> {
    let mut names = Vec::new();
    let keys = folder.keys();
    // An asynchronous iterator of JavaScript.
    while let Ok(next) = keys.next() {
        let Ok(step) = JsFuture::from(next).await else {
            break;
        };
        let step: js_sys::IteratorNext = step.unchecked_into();
        if step.done() {
            break;
        }
        names.extend(step.value().as_string());
    }
    names
}

fn manifest_name(turn: u64) -> String {
    format!("manifest-{turn}.json")
}

async fn settled<T: JsCast>(promise: js_sys::Promise) -> io::Result<T> {
    let value: Result<JsValue, JsValue> = JsFuture::from(promise).await;
    Ok(value.map_err(|error| io_error(&error))?.unchecked_into())
}

/// A file of the private file system. Dropping it closes it.
pub struct PrivateFile {
    handle: FileSystemSyncAccessHandle,
    len: u64,
}

impl PrivateFile {
    /// Makes it empty.
    pub fn truncate(&mut self) -> io::Result<()> {
        self.len = 0;
        let cut = self.handle.truncate_with_u32(0);
        cut.map_err(|error| io_error(&error))
    }

    /// Hands what was written to the disk.
    pub fn flush(&self) -> io::Result<()> {
        self.handle.flush().map_err(|error| io_error(&error))
    }
}

impl Bytes for PrivateFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(self.len as f64);
        // Bytes of memory that threads share would be refused; this program has no threads.
        let written = self.handle.write_with_u8_array_and_options(bytes, &options);
        let written = written.map_err(|error| io_error(&error))?;
        if written as usize != bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn read_at(&mut self, start: u64, out: &mut [u8]) -> io::Result<()> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(start as f64);
        let into = Uint8Array::new_with_length(out.len() as u32);
        let read = self
            .handle
            .read_with_js_u8_array_and_options(&into, &options);
        let read = read.map_err(|error| io_error(&error))?;
        if read as usize != out.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into.copy_to(out);
        Ok(())
    }

    fn len(&self) -> u64 {
        self.len
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        self.handle.close();
    }
}
