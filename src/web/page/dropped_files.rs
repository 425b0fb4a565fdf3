//! Files and folders that the visitor drops anywhere on the page.

use gloo::file::{File, FileList};
use js_sys::{Array, Function, Promise};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, DragEvent, FileSystemDirectoryEntry, FileSystemDirectoryReader, FileSystemEntry,
    FileSystemFileEntry,
};

use crate::state::notice::{FolderProblem, Notice};

use super::components::dialog::Overlay;
use super::context::Page;
use super::maker_door;

/// Most entries of a dropped folder that are read; a model's folder has about twenty.
const MAX_ENTRIES: usize = 1000;

/// Opens dropped files as if they had been chosen in the dialog, which closes. While the maker is open they are its own
/// (`maker_drop`). Dragged text is left to the browser; a dropped file would otherwise replace the page.
pub fn follow(page: Page, overlay: Overlay) {
    // The page lives as long as its window, and so do these listeners.
    let _ = window_event_listener(ev::dragover, |event: DragEvent| {
        if files_of(&event).is_some() {
            event.prevent_default();
        }
    });
    let _ = window_event_listener(ev::drop, move |event: DragEvent| {
        let Some(data) = files_of(&event) else { return };
        event.prevent_default();
        if maker_door::is_asked() {
            return;
        }
        overlay.close();
        // The browser forgets the entries when the event is over.
        let entries = entries(&data);
        let files = data.files();
        spawn_local(async move {
            let Some(folder) = folder(&entries) else {
                let files = files.map(|files| FileList::from(files).to_vec());
                page.open_files(None, files.unwrap_or_default());
                return;
            };
            let name = folder.name();
            match files_in(folder).await {
                Ok(files) => page.open_files(Some(name), files),
                Err(problem) => {
                    page.change(|state| state.notify(Notice::Folder { name, problem }));
                }
            }
        });
    });
}

/// The data of an event with files.
pub(super) fn files_of(event: &DragEvent) -> Option<DataTransfer> {
    let data = event.data_transfer()?;
    let has_files = data.types().includes(&JsValue::from_str("Files"), 0);
    has_files.then_some(data)
}

pub(super) fn entries(data: &DataTransfer) -> Vec<FileSystemEntry> {
    let items = data.items();
    (0..items.length())
        .filter_map(|i| items.get(i)?.webkit_get_as_entry().ok()?)
        .collect()
}

pub(super) fn folder(entries: &[FileSystemEntry]) -> Option<&FileSystemDirectoryEntry> {
    let folder = entries.iter().find(|entry| entry.is_directory());
    folder.map(JsCast::unchecked_ref)
}

/// The files of a folder, without those in folders inside it: a repository's weights are at its top. The list has at
/// least one file.
async fn files_in(folder: &FileSystemDirectoryEntry) -> Result<Vec<File>, FolderProblem> {
    let reader = folder.create_reader();
    let mut files = Vec::new();
    let mut n_entries = 0;
    loop {
        // The reader gives some entries at a time, and none at the end.
        let batch = next_entries(&reader)
            .await
            .map_err(|_| FolderProblem::Unreadable)?;
        if batch.length() == 0 {
            break;
        }
        n_entries += batch.length() as usize;
        if n_entries > MAX_ENTRIES {
            return Err(FolderProblem::TooLarge);
        }
        for entry in batch.iter() {
            let entry: FileSystemEntry = entry.unchecked_into();
            if entry.is_file() {
                let file = file_of(entry.unchecked_ref()).await;
                files.push(file.map_err(|_| FolderProblem::Unreadable)?);
            }
        }
    }
    if files.is_empty() {
        return Err(FolderProblem::Empty);
    }
    Ok(files)
}

pub(super) async fn next_entries(reader: &FileSystemDirectoryReader) -> Result<Array, JsValue> {
    let entries = Promise::new(&mut |resolve: Function, reject: Function| {
        let started = reader.read_entries_with_callback_and_callback(&resolve, &reject);
        if let Err(error) = started {
            // A promise's own function always takes its call.
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    Ok(JsFuture::from(entries).await?.unchecked_into())
}

pub(super) async fn file_of(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let file = Promise::new(&mut |resolve: Function, reject: Function| {
        entry.file_with_callback_and_callback(&resolve, &reject);
    });
    let file: web_sys::File = JsFuture::from(file).await?.unchecked_into();
    Ok(file.into())
}
