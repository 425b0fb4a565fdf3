//! Exports that the visitor drops on the page while the maker is open.

use gloo::file::{Blob, FileList};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use posts::archive::ImportOptions;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, FileSystemDirectoryEntry, FileSystemEntry};

use super::dropped_files::{entries, file_of, files_of, folder, next_entries};
use super::maker::Maker;
use super::maker_door;
use crate::state::notice::FolderProblem;

/// Most files of a dropped export.
const MAX_EXPORT_FILES: usize = 20_000;
/// Folders inside of each other that are looked into; an archive of X has its posts two below.
const MAX_DEPTH: usize = 4;

/// Reads what is dropped as an export.
pub fn follow(maker: Maker) {
    // The page lives as long as its window, and so does this listener.
    let _ = window_event_listener(ev::drop, move |event: DragEvent| {
        let Some(data) = files_of(&event).filter(|_| maker_door::is_asked()) else {
            return;
        };
        event.prevent_default();
        // The browser forgets the entries when the event is over.
        let (entries, files) = (entries(&data), data.files());
        spawn_local(async move { read_export(maker, &entries, files).await });
    });
}

/// Reads dropped files, or the first dropped folder, as an export.
async fn read_export(maker: Maker, entries: &[FileSystemEntry], files: Option<web_sys::FileList>) {
    let mut found = Vec::new();
    match folder(entries) {
        Some(folder) => {
            let read = files_below(folder.clone(), folder.name(), MAX_DEPTH, &mut found).await;
            if let Err(problem) = read {
                return maker.refuse_folder(problem);
            }
        }
        None => {
            let files = files.map(|files| FileList::from(files).to_vec());
            found.extend(
                files
                    .unwrap_or_default()
                    .into_iter()
                    .map(|file| (file.name(), Blob::from(file))),
            );
        }
    }
    maker.import(&found, ImportOptions::default());
}

/// Collects the files of a folder and of those in it, by their paths.
async fn files_below(
    folder: FileSystemDirectoryEntry,
    path: String,
    depth: usize,
    found: &mut Vec<(String, Blob)>,
) -> Result<(), FolderProblem> {
    let reader = folder.create_reader();
    let unreadable = |_| FolderProblem::Unreadable;
    loop {
        let batch = next_entries(&reader).await.map_err(unreadable)?;
        if batch.length() == 0 {
            return Ok(());
        }
        for entry in batch.iter() {
            let entry: FileSystemEntry = entry.unchecked_into();
            let path = format!("{path}/{}", entry.name());
            if entry.is_file() {
                let file = file_of(entry.unchecked_ref()).await.map_err(unreadable)?;
                found.push((path, file.into()));
            } else if depth > 0 && !is_media(&entry.name()) {
                let below = files_below(entry.unchecked_into(), path, depth - 1, found);
                Box::pin(below).await?;
            }
            if found.len() > MAX_EXPORT_FILES {
                return Err(FolderProblem::TooLarge);
            }
        }
    }
}

/// Whether a folder of an export has pictures and films, of which there may be tens of thousands.
fn is_media(name: &str) -> bool {
    name.ends_with("_media") && name != "profile_media" || name == "media_attachments"
}
