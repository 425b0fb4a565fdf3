//! The bots that are being made on this device, as storage lists them. The maker's worker writes them (`maker/`), each in a
//! folder of its own with its handles in the file `title`.

use gloo::timers::future::TimeoutFuture;
use js_sys::{IteratorNext, Promise, Reflect};
use leptos::prelude::*;
use maker::manifest::{BOTS_FOLDER, TITLE_FILE};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    BroadcastChannel, File, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemRemoveOptions, StorageManager,
};

use crate::trainer::trained::INDEX;

/// The channel on which the maker is asked to delete a bot, whose files may be open.
pub const CHANNEL: &str = "huggingtweets-maker";

/// The text between two handles.
pub const BETWEEN_HANDLES: &str = " & @";

/// Tries to delete a bot, and the time between them.
const DELETE_TRIES: u32 = 20;
const PAUSE_MS: u32 = 100;

/// A bot in storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBot {
    /// The name of its folder.
    pub name: String,
    /// Its handles; empty before it has any.
    pub handles: String,
    /// Bytes of its files.
    pub size_bytes: u64,
    /// Whether its training has come to an end.
    pub is_trained: bool,
}

/// Lists the bots; none where the browser has no private file system.
pub async fn list() -> Vec<KeptBot> {
    let mut bots = Vec::new();
    let Some(folder) = folder().await else {
        return bots;
    };
    for (name, handle) in entries(&folder).await {
        let Ok(handle) = handle.dyn_into::<FileSystemDirectoryHandle>() else {
            continue;
        };
        let (mut size_bytes, mut handles, mut is_trained) = (0, String::new(), false);
        for (file, content) in files(&handle).await {
            // Sizes are whole numbers below 2^53.
            size_bytes += content.size() as u64;
            is_trained |= file == INDEX;
            if file == TITLE_FILE {
                let text = JsFuture::from(content.text()).await.ok();
                handles = text.and_then(|text| text.as_string()).unwrap_or_default();
            }
        }
        // The maker has opened it, and nothing has come into it.
        if size_bytes > 0 {
            bots.push(KeptBot {
                name,
                handles,
                size_bytes,
                is_trained,
            });
        }
    }
    bots
}

/// Deletes a bot; `false` if another tab has it open.
pub async fn delete(name: &str) -> bool {
    if let Ok(channel) = BroadcastChannel::new(CHANNEL) {
        let _ = channel.post_message(&name.into());
        channel.close();
    }
    let options = FileSystemRemoveOptions::new();
    options.set_recursive(true);
    // The maker closes the bot's files first.
    for _ in 0..DELETE_TRIES {
        let Some(folder) = folder().await else {
            return true;
        };
        let removed = JsFuture::from(folder.remove_entry_with_options(name, &options)).await;
        match removed {
            Ok(_) => return true,
            Err(error) if is_not_found(&error) => return true,
            Err(_) => TimeoutFuture::new(PAUSE_MS).await,
        }
    }
    false
}

fn is_not_found(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into()).ok();
    name.and_then(|name| name.as_string()).as_deref() == Some("NotFoundError")
}

/// The files of a bot's folder, those of its training included.
async fn files(bot: &FileSystemDirectoryHandle) -> Vec<(String, File)> {
    let mut files = Vec::new();
    let mut folders = vec![bot.clone()];
    while let Some(folder) = folders.pop() {
        for (name, handle) in entries(&folder).await {
            match handle.dyn_into::<FileSystemFileHandle>() {
                Ok(handle) => {
                    let file = settled::<File>(handle.get_file()).await;
                    files.extend(file.map(|file| (name, file)));
                }
                Err(folder) => folders.push(folder.unchecked_into()),
            }
        }
    }
    files
}

/// The folder of a bot, if there is one.
pub async fn folder_of(bot: &str) -> Option<FileSystemDirectoryHandle> {
    settled(folder().await?.get_directory_handle(bot)).await
}

/// The folder of all bots, if there is one.
async fn folder() -> Option<FileSystemDirectoryHandle> {
    let storage = Reflect::get(&window().navigator(), &"storage".into()).ok()?;
    let has_files = Reflect::get(&storage, &"getDirectory".into()).ok()?;
    if !has_files.is_function() {
        return None;
    }
    let storage: StorageManager = storage.unchecked_into();
    let root: FileSystemDirectoryHandle = settled(storage.get_directory()).await?;
    settled(root.get_directory_handle(BOTS_FOLDER)).await
}

/// The names in a folder, and their handles.
async fn entries(folder: &FileSystemDirectoryHandle) -> Vec<(String, JsValue)> {
    let mut found = Vec::new();
    let entries = folder.entries();
    while let Ok(next) = entries.next() {
        let Some(step) = settled::<IteratorNext>(next).await else {
            break;
        };
        if step.done() {
            break;
        }
        let pair: js_sys::Array = step.value().unchecked_into();
        if let Some(name) = pair.get(0).as_string() {
            found.push((name, pair.get(1)));
        }
    }
    found
}

/// The value of a promise; `None` if it is rejected.
pub async fn settled<T: JsCast>(promise: Promise) -> Option<T> {
    let value = JsFuture::from(promise).await.ok()?;
    Some(value.unchecked_into())
}
