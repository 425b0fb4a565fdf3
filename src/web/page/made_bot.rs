//! The trained bots in the folders of the maker's bots: reads what the trainer's worker has written (`web/trainer`), opens a
//! bot on the page, and asks the maker how much of a text was copied.
//!
//! Page and maker are two programs, which tell each other by events of the window.

use gloo::events::EventListener;
use gloo::file::File as Picked;
use js_sys::{Array, Function};
use leptos::prelude::*;
use serde::Deserialize;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CustomEvent, CustomEventInit, File, FileSystemDirectoryHandle, FileSystemFileHandle,
};

use super::context::Page;
use super::kept_bots::{TRAINED, folder_of, settled};
use crate::runs::RunRecord;
use crate::state::training::Trained;

/// The folder of a bot's training.
const TRAINING: &str = "training";
/// Tells the page to open a bot; its detail: the file, the name of the bot's folder.
const OPEN: &str = "huggingtweets-open";
/// Asks the maker about a text; its detail: the name of the bot's folder, the text, the function that takes the answer.
const COPIED: &str = "huggingtweets-copied";

/// The bot of the maker that is open on the page.
#[derive(Clone, Copy)]
pub struct Opened {
    file: RwSignal<String>,
    folder: RwSignal<String>,
}

impl Opened {
    /// The folder of the bot that has this file's name.
    pub fn folder_of(self, file: &str) -> Option<String> {
        (self.file.get() == file).then(|| self.folder.get())
    }
}

#[derive(Deserialize)]
struct Index {
    record: RunRecord,
    files: Vec<(String, u64)>,
    gguf: String,
}

/// What the training of this bot has made, if it was trained to its end.
pub async fn trained(bot: &str) -> Option<Trained> {
    let text = JsFuture::from(file(bot, TRAINED).await?.text())
        .await
        .ok()?;
    let index: Index = serde_json::from_str(&text.as_string()?).ok()?;
    Some(Trained {
        record: index.record,
        files: index.files,
        gguf: index.gguf,
    })
}

/// Opens the file of a bot on the page.
pub fn open_file(file: &File, bot: &str) {
    tell(OPEN, &Array::of2(file, &bot.into()));
}

/// Asks the maker how much of a text was copied from the posts of a bot; `take` gets the answer in words.
pub fn ask_copied(bot: &str, text: &str, take: impl FnOnce(String) + 'static) {
    let answer = Closure::once_into_js(move |words: JsValue| {
        take(words.as_string().unwrap_or_default());
    });
    tell(COPIED, &Array::of3(&bot.into(), &text.into(), &answer));
}

/// Opens on `page` what the maker asks for.
pub fn follow(page: Page) -> Opened {
    let opened = Opened {
        file: RwSignal::new(String::new()),
        folder: RwSignal::new(String::new()),
    };
    hear(OPEN, move |detail| {
        if let (Ok(file), Some(bot)) = (detail.get(0).dyn_into::<File>(), detail.get(1).as_string())
        {
            opened.file.set(file.name());
            opened.folder.set(bot);
            page.open_files(None, vec![Picked::from(file)]);
        }
    });
    opened
}

/// Gives the page's questions to `answer`: the name of a bot's folder, a text, and the function that takes the words.
pub fn answer_copied(answer: impl Fn(String, String, Function) + 'static) {
    hear(COPIED, move |detail| {
        let (bot, text) = (detail.get(0).as_string(), detail.get(1).as_string());
        if let (Some(bot), Some(text), Ok(take)) = (bot, text, detail.get(2).dyn_into()) {
            answer(bot, text, take);
        }
    });
}

fn tell(what: &str, detail: &Array) {
    let init = CustomEventInit::new();
    init.set_detail(detail);
    if let Ok(event) = CustomEvent::new_with_event_init_dict(what, &init) {
        let _ = window().dispatch_event(&event);
    }
}

fn hear(what: &'static str, take: impl Fn(Array) + 'static) {
    EventListener::new(&window(), what, move |event| {
        let detail = event.dyn_ref::<CustomEvent>().map(CustomEvent::detail);
        if let Some(detail) = detail.and_then(|detail| detail.dyn_into().ok()) {
            take(detail);
        }
    })
    .forget();
}

/// A file of the bot's training.
pub async fn file(bot: &str, name: &str) -> Option<File> {
    let training: FileSystemDirectoryHandle =
        settled(folder_of(bot).await?.get_directory_handle(TRAINING)).await?;
    let handle: FileSystemFileHandle = settled(training.get_file_handle(name)).await?;
    settled(handle.get_file()).await
}
