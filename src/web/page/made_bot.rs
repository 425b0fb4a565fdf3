//! The trained bots in the folders of the maker's bots: reads what the trainer's worker has written (`web/trainer`), opens a
//! bot on the page, and asks the maker how much of a text was copied.
//!
//! Page and maker are two programs, which tell each other by events of the window.

use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::file::File as Picked;
use js_sys::{Array, Function};
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CustomEvent, CustomEventInit, File, FileSystemDirectoryHandle, FileSystemFileHandle,
};

use super::address;
use super::context::Page;
use super::kept_bots::{folder_of, settled};
use crate::bot::Bot;
use crate::state::model_choice::ModelChoice;
use crate::state::notice::Notice;
use crate::trainer::TrainedBot;
use crate::trainer::trained::{INDEX, TRAINING_FOLDER};

/// The card of a trained bot.
const CARD: &str = "README.md";
/// Tells the page to open a bot; its detail: the file, the name of the bot's folder, the card.
const OPEN: &str = "huggingtweets-open";
/// Asks the maker about a text; its detail: the name of the bot's folder, the text, the function that takes the answer.
const COPIED: &str = "huggingtweets-copied";

/// What the training of this bot has made, if it was trained to its end.
pub async fn trained(bot: &str) -> Option<TrainedBot> {
    let text = JsFuture::from(file(bot, INDEX).await?.text()).await.ok()?;
    serde_json::from_str(&text.as_string()?).ok()
}

/// Opens the file of a bot on the page, under the names in its card.
pub fn open_file(file: &File, bot: &str, card: &str) {
    tell(OPEN, &Array::of3(file, &bot.into(), &card.into()));
}

/// Asks the maker how much of a text was copied from the posts of a bot; `take` gets the answer in words.
pub fn ask_copied(bot: &str, text: &str, take: impl Fn(String) + 'static) {
    let take = Rc::new(take);
    let answers = Rc::clone(&take);
    let answer = Closure::once_into_js(move |words: JsValue| {
        answers(words.as_string().unwrap_or_default());
    });
    if !tell(COPIED, &Array::of3(&bot.into(), &text.into(), &answer)) {
        take("Open this bot in the maker: it has the posts to compare with.".to_owned());
    }
}

/// Opens on `page` what the maker asks for.
pub fn follow(page: Page) {
    hear(OPEN, move |detail| {
        let text = |place| detail.get(place).as_string();
        if let (Ok(file), Some(bot), Some(card)) =
            (detail.get(0).dyn_into::<File>(), text(1), text(2))
        {
            address::go_to(&Bot::repo_here(&bot));
            show(page, file, &bot, &card);
        }
    });
}

/// Opens a trained bot from storage, or says on the page that it is not there.
pub async fn open(page: Page, bot: &str) {
    let found = match (trained(bot).await, card_of(bot).await) {
        (Some(trained), Some(card)) => {
            let file = file(bot, &trained.gguf).await;
            file.map(|file| (file, card))
        }
        _ => None,
    };
    match found {
        Some((file, card)) => show(page, file, bot, &card),
        // The visitor may have gone on meanwhile.
        None if !address::asks_for(&Bot::repo_here(bot)) => {}
        None => page.change(|state| state.miss_made_bot(Notice::NotHere)),
    }
}

/// The card of a trained bot.
pub async fn card_of(bot: &str) -> Option<String> {
    let text = JsFuture::from(file(bot, CARD).await?.text()).await.ok()?;
    text.as_string()
}

fn show(page: Page, file: File, bot: &str, card: &str) {
    let (name, file) = (file.name(), Picked::from(file));
    let choice = ModelChoice::made_here(bot, name, file.size());
    match Bot::from_readme(&Bot::repo_here(bot), card) {
        Some(bot) => page.open_made_bot(bot, choice, file),
        None => page.open_files(None, vec![file]),
    }
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

/// Whether the other program has heard it.
fn tell(what: &str, detail: &Array) -> bool {
    let init = CustomEventInit::new();
    init.set_detail(detail);
    init.set_cancelable(true);
    match CustomEvent::new_with_event_init_dict(what, &init) {
        Ok(event) => window().dispatch_event(&event) == Ok(false),
        Err(_) => false,
    }
}

fn hear(what: &'static str, take: impl Fn(Array) + 'static) {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&window(), what, options, move |event| {
        event.prevent_default();
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
        settled(folder_of(bot).await?.get_directory_handle(TRAINING_FOLDER)).await?;
    let handle: FileSystemFileHandle = settled(training.get_file_handle(name)).await?;
    settled(handle.get_file()).await
}
