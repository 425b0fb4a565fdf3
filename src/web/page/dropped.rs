//! Files and folders that a visitor drops anywhere on the page.

use js_sys::{Array, Function, Promise};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, DragEvent, File, FileSystemDirectoryEntry, FileSystemDirectoryReader,
    FileSystemEntry, FileSystemFileEntry,
};

use super::components::dialog::Overlay;
use super::context::Page;

/// Most entries of a dropped folder that are looked at; a model's has about twenty.
const MAX_ENTRIES: usize = 1000;

/// Opens what is dropped as if it had been chosen in the dialog, which closes. Text that is dragged stays the
/// browser's own matter; a file would otherwise take the page's place.
pub fn follow(page: Page, overlay: Overlay) {
    // The page lives as long as its window, and so do these.
    let _ = window_event_listener(ev::dragover, |event: DragEvent| {
        if files_of(&event).is_some() {
            event.prevent_default();
        }
    });
    let _ = window_event_listener(ev::drop, move |event: DragEvent| {
        let Some(data) = files_of(&event) else { return };
        event.prevent_default();
        overlay.close();
        // To be asked for before the event is over.
        let entries = entries(&data);
        let files = data.files();
        spawn_local(async move {
            let opened = match folder(&entries) {
                Some(folder) => match files_in(folder).await {
                    Ok(files) if files.is_empty() => Err("has no files in it"),
                    Ok(files) => {
                        page.open_folder(&folder.name(), files);
                        Ok(())
                    }
                    Err(words) => Err(words),
                },
                None => {
                    let all = files.iter();
                    let all =
                        all.flat_map(|files| (0..files.length()).filter_map(|i| files.get(i)));
                    page.open_files(all.collect());
                    Ok(())
                }
            };
            if let (Err(words), Some(folder)) = (opened, folder(&entries)) {
                let name = folder.name();
                page.change(|state| {
                    state.remark(format!(
                        "The folder {name} {words}. Drop the folder that config.json lies in, or the files themselves."
                    ));
                });
            }
        });
    });
}

/// What an event brings, if it brings files.
fn files_of(event: &DragEvent) -> Option<DataTransfer> {
    let data = event.data_transfer()?;
    let has_files = data.types().includes(&JsValue::from_str("Files"), 0);
    has_files.then_some(data)
}

fn entries(data: &DataTransfer) -> Vec<FileSystemEntry> {
    let items = data.items();
    (0..items.length())
        .filter_map(|i| items.get(i)?.webkit_get_as_entry().ok()?)
        .collect()
}

fn folder(entries: &[FileSystemEntry]) -> Option<&FileSystemDirectoryEntry> {
    let folder = entries.iter().find(|entry| entry.is_directory());
    folder.map(JsCast::unchecked_ref)
}

/// The files of a folder, those in folders inside it left out: a repository's weights lie at its top.
async fn files_in(folder: &FileSystemDirectoryEntry) -> Result<Vec<File>, &'static str> {
    const UNREADABLE: &str = "could not be read";
    let reader = folder.create_reader();
    let mut files = Vec::new();
    let mut n_entries = 0;
    loop {
        // Some at a time, and none when all are told.
        let batch = next_entries(&reader).await.map_err(|_| UNREADABLE)?;
        if batch.length() == 0 {
            return Ok(files);
        }
        n_entries += batch.length() as usize;
        if n_entries > MAX_ENTRIES {
            return Err("has more than 1000 entries, so it is no model's");
        }
        for entry in batch.iter() {
            let entry: FileSystemEntry = entry.unchecked_into();
            if entry.is_file() {
                let file = file_of(entry.unchecked_ref()).await;
                files.push(file.map_err(|_| UNREADABLE)?);
            }
        }
    }
}

async fn next_entries(reader: &FileSystemDirectoryReader) -> Result<Array, JsValue> {
    let told = Promise::new(&mut |resolve: Function, reject: Function| {
        let asked = reader.read_entries_with_callback_and_callback(&resolve, &reject);
        if let Err(error) = asked {
            // The one who waits is still there.
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    Ok(JsFuture::from(told).await?.unchecked_into())
}

async fn file_of(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let given = Promise::new(&mut |resolve: Function, reject: Function| {
        entry.file_with_callback_and_callback(&resolve, &reject);
    });
    Ok(JsFuture::from(given).await?.unchecked_into())
}
