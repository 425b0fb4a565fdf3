//! `Maker`: the bot that the visitor makes, and the worker that reads its posts, which starts when the maker opens.

use gloo::events::{EventListener, EventListenerOptions};
use gloo::file::Blob as Picked;
use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use maker::message::{Event, KeptBot, LongTask, MadeFile, Request};
use posts::archive::ImportOptions;
use serde::Serialize as _;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, AbortSignal, Blob, BroadcastChannel, MessageEvent, Worker};

use super::browser_window;
use super::context::{self, date_ms};
use super::kept_bots::CHANNEL;
use super::made_bot;
use super::maker_door;
use super::worker_script;
use crate::state::copied::shared_words;
use crate::state::maker::{Failure, MakerState};
use crate::state::notice::FolderProblem;

/// The script that starts the maker's worker, beside the page.
const SCRIPT: &str = "maker_loader.js";

/// Handle on the maker, cheap to copy into every component.
#[derive(Clone, Copy)]
pub struct Maker {
    state: RwSignal<MakerState>,
    worker: StoredValue<Option<MakerWorker>, LocalStorage>,
    /// Requests about the open bot that wait until there is one.
    waiting: StoredValue<Vec<JsValue>, LocalStorage>,
    has_opened: StoredValue<bool, LocalStorage>,
    /// The bot to turn to once that costs nothing, or the visitor agrees.
    wanted: RwSignal<Option<Wanted>>,
    /// The training text, once it was asked for to be trained on.
    given_text: RwSignal<Option<Blob>, LocalStorage>,
    awaits_text: StoredValue<bool, LocalStorage>,
    /// Takes what a text shares with the posts.
    compared: StoredValue<Option<Function>, LocalStorage>,
    /// Ends the download of an archive.
    download: StoredValue<Option<AbortController>, LocalStorage>,
}

/// A bot to turn to: one that is kept, or a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted(Option<String>);

/// The worker, which ends when this is dropped.
struct MakerWorker {
    worker: Worker,
    // Listen until they are dropped.
    _events: EventListener,
    _errors: EventListener,
}

impl Drop for MakerWorker {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl Maker {
    /// The maker, with a worker that lists the bots and opens the newest.
    pub fn start() -> Self {
        let maker = Self {
            state: RwSignal::new(MakerState::new(fresh_seed())),
            worker: StoredValue::new_local(None),
            waiting: StoredValue::new_local(Vec::new()),
            has_opened: StoredValue::new_local(false),
            wanted: RwSignal::new(None),
            given_text: RwSignal::new_local(None),
            awaits_text: StoredValue::new_local(false),
            compared: StoredValue::new_local(None),
            download: StoredValue::new_local(None),
        };
        match maker.start_worker() {
            Ok(worker) => maker.worker.set_value(Some(worker)),
            Err(error) => maker.fail(&format!("the browser refused a worker: {error:?}")),
        }
        maker.follow_deletions();
        made_bot::answer_copied(move |bot, text, take| maker.compare(&bot, text, take));
        maker.follow_address();
        maker
    }

    /// The maker of the component's page.
    pub fn here() -> Self {
        expect_context()
    }

    /// Says why something that the visitor chose is not read.
    pub fn refuse(self, message: String, hint: &str) {
        self.change(|state| {
            state.running = None;
            state.failure = Some(Failure {
                message,
                hint: hint.to_owned(),
                posts: 0,
            });
        });
    }

    /// Says why a folder is not read.
    pub fn refuse_folder(self, problem: FolderProblem) {
        let message = match problem {
            FolderProblem::Unreadable => "the browser could not read the folder",
            FolderProblem::TooLarge => "the folder has too many files",
            FolderProblem::Empty => "the folder has no files",
        };
        let hint = "choose the archive as it was downloaded, or its folder `data`";
        self.refuse(message.to_owned(), hint);
    }

    /// Shows how far an archive is fetched; `total` is 0 where the host does not say it.
    pub fn begin_fetch(self, done: u64, total: u64) {
        self.change(|state| {
            state.begin();
            if let Some(running) = &mut state.running {
                (running.task, running.done, running.total) = (LongTask::Fetch, done, total);
            }
        });
    }

    /// Begins to download an archive, and gives the signal that ends it.
    ///
    /// # Errors
    /// The browser's, which are not known to happen.
    pub fn begin_download(self) -> Result<AbortSignal, JsValue> {
        let download = AbortController::new()?;
        let signal = download.signal();
        self.download.set_value(Some(download));
        self.begin_fetch(0, 0);
        Ok(signal)
    }

    /// Ends what is running: a download without a result, the reading of an export with what was read.
    pub fn stop(self) {
        match self.with_untracked(|state| state.running.map(|running| running.task)) {
            Some(LongTask::Fetch) => {
                self.end_download();
                self.change(|state| state.running = None);
            }
            _ => self.send(&Request::Stop),
        }
    }

    fn end_download(self) {
        if let Some(download) = self.download.try_update_value(Option::take).flatten() {
            download.abort();
        }
    }

    /// Leads back to the bots.
    pub fn close(self) {
        let _ = window().location().set_hash("");
    }

    /// Leads back to the bots, and then does something with the page, which opens what its address asks for first.
    pub fn close_and(self, then: impl FnOnce() + 'static) {
        EventListener::once(&window(), "hashchange", move |_| then()).forget();
        self.close();
    }

    /// A part of its state that changes only with itself.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        look: impl Fn(&MakerState) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        let state = self.state;
        Memo::new(move |_| state.with(&look))
    }

    /// Reads its state.
    pub fn with<T>(self, look: impl FnOnce(&MakerState) -> T) -> T {
        self.state.with(look)
    }

    /// Reads its state without following it.
    pub fn with_untracked<T>(self, look: impl FnOnce(&MakerState) -> T) -> T {
        self.state.with_untracked(look)
    }

    /// Changes its state.
    pub fn change(self, change: impl FnOnce(&mut MakerState)) {
        self.state.update(change);
    }

    /// Changes its state, and sends the requests that follow.
    pub fn act(self, change: impl FnOnce(&mut MakerState) -> Vec<Request>) {
        let requests = self.state.try_update(change).unwrap_or_default();
        for request in requests {
            self.send(&request);
        }
    }

    fn start_worker(self) -> Result<MakerWorker, JsValue> {
        let (worker, folder) = worker_script::start(SCRIPT)?;
        let events = EventListener::new(&worker, "message", move |event| {
            let message = event.unchecked_ref::<MessageEvent>().data();
            match serde_wasm_bindgen::from_value::<Event>(message.clone()) {
                Ok(event) => self.hear(event, &message),
                Err(_) => self.fail("page and maker come from different versions"),
            }
        });
        let options = EventListenerOptions::enable_prevent_default();
        let errors = EventListener::new_with_options(&worker, "error", options, move |error| {
            error.prevent_default();
            self.fail("its script did not load");
        });
        let start = match folder {
            Some(folder) => serde_json::json!({ "type": "start", "folder": folder }),
            None => serde_json::json!({ "type": "start" }),
        };
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let message = start.serialize(&serializer).unwrap_or(JsValue::NULL);
        worker.post_message(&message)?;
        Ok(MakerWorker {
            worker,
            _events: events,
            _errors: errors,
        })
    }

    fn fail(self, message: &str) {
        let hint = "reload the page; what the browser keeps of your bots is not touched";
        self.refuse(message.to_owned(), hint);
    }

    fn hear(self, event: Event, message: &JsValue) {
        if let Event::Given { name, file } = &event {
            let blob = Reflect::get(message, &"blob".into()).ok();
            let blob = blob.and_then(|blob| blob.dyn_into::<Blob>().ok());
            let is_awaited = *file == MadeFile::Dataset && self.awaits_text.get_value();
            match blob {
                Some(text) if is_awaited => {
                    self.awaits_text.set_value(false);
                    self.given_text.set(Some(text));
                }
                Some(blob) => {
                    if let Err(error) = browser_window::save(blob, name) {
                        self.fail(&error.to_string());
                    }
                }
                None => {}
            }
        }
        if let Event::Compared { words, post } = &event
            && let Some(take) = self.compared.try_update_value(Option::take).flatten()
        {
            let _ = take.call1(&JsValue::NULL, &shared_words(*words, post).into());
        }
        let has_opened = matches!(event, Event::Opened { .. });
        self.act(|state| state.hear(event));
        if has_opened {
            self.has_opened.set_value(true);
            let waiting = self.waiting.try_update_value(std::mem::take);
            waiting
                .iter()
                .flatten()
                .for_each(|message| self.post_message(message));
        }
        self.open_newest();
    }

    /// Opens the bot that the address asks for, or else the newest, or begins one, if none is open and the worker has
    /// listed them.
    fn open_newest(self) {
        let asked = maker_door::asked_bot();
        let chosen = self.with_untracked(|state| match (&state.name, &state.bots) {
            (None, Some(bots)) => {
                let is_asked = |bot: &&KeptBot| Some(&bot.name) == asked.as_ref();
                let chosen = bots.iter().find(is_asked).or(bots.first());
                Some(chosen.map(|bot| bot.name.clone()))
            }
            _ => None,
        });
        if let Some(chosen) = chosen {
            self.open(chosen);
        }
    }

    /// Opens the bot that a later address asks for.
    fn follow_address(self) {
        window_event_listener(leptos::ev::hashchange, move |_| {
            let asked = maker_door::asked_bot();
            let other = self.with_untracked(|state| {
                let bots = state.bots.iter().flatten();
                let mut names = bots.map(|bot| &bot.name);
                let is_other = state.name.is_some() && state.name != asked;
                asked.filter(|asked| is_other && names.any(|name| name == asked))
            });
            if other.is_some() {
                self.want(other);
            }
        });
    }

    /// Tells what a text shares with the posts of a bot.
    fn compare(self, bot: &str, text: String, take: Function) {
        if self.with_untracked(|state| state.name.as_deref() == Some(bot)) {
            self.compared.set_value(Some(take));
            self.send(&Request::Compare { text });
        } else {
            let words = "Open this bot in the maker again to compare its texts.";
            let _ = take.call1(&JsValue::NULL, &words.into());
        }
    }

    /// Deletes a bot when the dialog of storage asks for it, in this tab or another.
    fn follow_deletions(self) {
        let Ok(channel) = BroadcastChannel::new(CHANNEL) else {
            return;
        };
        EventListener::new(&channel.clone(), "message", move |event| {
            // The channel lives as long as its listener.
            let _ = &channel;
            let name = event.unchecked_ref::<MessageEvent>().data().as_string();
            let is_open = self.with_untracked(|state| state.name == name);
            if let Some(name) = name.filter(|_| is_open) {
                self.delete(name);
            }
        })
        .forget();
    }

    /// Asks for a bot that is kept, or for a new one. The open bot is left where that costs nothing, or else once the
    /// visitor agrees.
    pub fn want(self, bot: Option<String>) {
        self.wanted.set(Some(Wanted(bot)));
    }

    /// Whether another bot is asked for; followed.
    pub fn is_other_wanted(self) -> bool {
        self.wanted.with(Option::is_some)
    }

    /// Stays with the open bot.
    pub fn stay(self) {
        self.wanted.set(None);
    }

    /// Opens the bot that was asked for.
    pub fn open_wanted(self) {
        if let Some(Wanted(bot)) = self.wanted.try_update(Option::take).flatten() {
            self.open(bot);
        }
    }

    /// Opens a bot that is kept, or begins one.
    fn open(self, bot: Option<String>) {
        // An archive belongs to the bot that it was asked for; asked for before there is one, to the first.
        if self.with_untracked(|state| state.name.is_some()) {
            self.end_download();
        }
        let bot = bot.unwrap_or_else(fresh_name);
        self.change(|state| state.open(&bot, fresh_seed()));
        self.send(&Request::Open {
            bot,
            now_ms: date_ms(),
        });
        self.send(&Request::Bots);
    }

    /// Deletes a bot.
    pub fn delete(self, bot: String) {
        let is_open = self.with_untracked(|state| state.name.as_ref() == Some(&bot));
        self.send(&Request::Delete { bot });
        if is_open {
            self.open(None);
        }
    }

    /// Sends a request.
    pub fn send(self, request: &Request) {
        self.post(request, &[]);
    }

    /// Reads an export: a file, or the files of a folder, by their paths.
    pub fn import(self, files: &[(String, Picked)], options: ImportOptions) {
        if files.is_empty() {
            return;
        }
        self.change(MakerState::begin);
        let paths = files.iter().map(|(path, _)| path.clone()).collect();
        let files: Vec<Picked> = files.iter().map(|(_, file)| file.clone()).collect();
        self.post(&Request::Import { paths, options }, &files);
    }

    /// Reads typed text.
    pub fn paste(self, text: String) {
        self.change(MakerState::begin);
        self.send(&Request::Paste { text });
    }

    /// Writes the training text.
    pub fn write(self) {
        let plan = self.with_untracked(|state| Some((state.consent?, state.params)));
        if let Some((consent, params)) = plan {
            self.send(&Request::Write {
                params,
                consent,
                now_ms: date_ms(),
                run_seed: fresh_seed(),
            });
        }
    }

    /// Saves a file that the maker made.
    pub fn save(self, file: MadeFile) {
        self.send(&Request::Give { file });
    }

    /// Asks for the training text, which [`Maker::take_text`] then gives.
    pub fn ask_for_text(self) {
        self.awaits_text.set_value(true);
        self.save(MadeFile::Dataset);
    }

    /// The training text that was asked for, once it is there; followed.
    pub fn take_text(self) -> Option<Blob> {
        self.given_text.track();
        self.given_text.try_update_untracked(Option::take).flatten()
    }

    fn post(self, request: &Request, files: &[Picked]) {
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let Ok(message) = request.serialize(&serializer) else {
            return;
        };
        if !files.is_empty() {
            let blobs: Array = files.iter().map(AsRef::<Blob>::as_ref).collect();
            // A fresh plain object always takes a new field.
            let _ = Reflect::set(&message, &"blobs".into(), &blobs);
        }
        let needs_bot = !matches!(
            request,
            Request::Open { .. } | Request::Bots | Request::Delete { .. }
        );
        if needs_bot && !self.has_opened.get_value() {
            self.waiting.update_value(|waiting| waiting.push(message));
        } else {
            self.post_message(&message);
        }
    }

    fn post_message(self, message: &JsValue) {
        self.worker.with_value(|worker| {
            if let Some(worker) = worker {
                // Posting fails only for values that cannot be cloned; these are plain objects and files.
                let _ = worker.worker.post_message(message);
            }
        });
    }
}

/// A seed below 2^32, as the original drew it.
fn fresh_seed() -> u64 {
    context::fresh_seed().into()
}

/// A name for the folder of a new bot.
fn fresh_name() -> String {
    format!("{:x}-{:08x}", date_ms(), fresh_seed())
}
