//! `Trainer`: the training of the open bot, and the worker that does it, which starts with the first training.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use js_sys::{Array, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize as _;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, MessageEvent, Worker};

use super::base_models::BaseModel;
use super::bundled_file::bundled_file;
use super::context::date_ms;
use super::picture::Picture;
use super::{address, browser_window, made_bot, worker_script};
use crate::bot::Bot;
use crate::bundled::BUNDLED_NAME;
use crate::state::share::SharedText;
use crate::state::speaker::Speaker;
use crate::state::training::{Phase, TrainingState};
use crate::trainer::interrupted::CheckpointRecord;
use crate::trainer::{Event, Interrupted, Request, TrainingPlan};

/// The script that starts the worker, beside the page.
const SCRIPT: &str = "worker_loader.js";

/// A base model of more bytes is trained with LoRA unless the visitor chooses otherwise: in full, GPT-2 124M takes 2.5 GB.
const LARGE_BYTES: f64 = 64e6;

/// Handle on the training, cheap to copy into every component.
#[derive(Clone, Copy)]
pub struct Trainer {
    state: RwSignal<TrainingState>,
    worker: StoredValue<Option<TrainerWorker>, LocalStorage>,
    /// The folder of the bot that is open.
    bot: StoredValue<Option<String>>,
    /// The request that waits until the worker has started.
    waiting: StoredValue<Option<JsValue>, LocalStorage>,
    /// Name and file of the base model, if it is not the bundled one.
    base: RwSignal<Option<(String, Blob)>, LocalStorage>,
    /// The bot that this page has trained.
    trained_file: StoredValue<Option<File>, LocalStorage>,
    /// Whether the worker alone has the trained bot's files, because the browser keeps none.
    holds_files: StoredValue<bool>,
}

/// The worker, which ends when this is dropped.
struct TrainerWorker {
    worker: Worker,
    has_started: Rc<Cell<bool>>,
    // Listen until they are dropped.
    _events: EventListener,
    _errors: EventListener,
}

impl Drop for TrainerWorker {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl Trainer {
    /// No training yet.
    pub fn start() -> Self {
        Self {
            state: RwSignal::default(),
            worker: StoredValue::new_local(None),
            bot: StoredValue::new(None),
            waiting: StoredValue::new_local(None),
            base: RwSignal::new_local(None),
            trained_file: StoredValue::new_local(None),
            holds_files: StoredValue::new(false),
        }
    }

    /// The trainer of the component's page.
    pub fn here() -> Self {
        expect_context()
    }

    /// A part of its state that changes only with itself.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        look: impl Fn(&TrainingState) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        let state = self.state;
        Memo::new(move |_| state.with(&look))
    }

    /// Reads its state.
    pub fn with<T>(self, look: impl FnOnce(&TrainingState) -> T) -> T {
        self.state.with(look)
    }

    /// Reads its state without following it.
    pub fn with_untracked<T>(self, look: impl FnOnce(&TrainingState) -> T) -> T {
        self.state.with_untracked(look)
    }

    /// Changes its state.
    pub fn change(self, change: impl FnOnce(&mut TrainingState)) {
        self.state.update(change);
    }

    /// Trains from the model with this name and file; `None`: from the bundled one.
    pub fn take_base(self, base: Option<(String, Blob)>) {
        let is_large = base
            .as_ref()
            .is_some_and(|(_, file)| file.size() > LARGE_BYTES);
        self.change(|state| state.settings.is_lora = is_large);
        self.base.set(base);
    }

    /// Follows another bot: a training of the one before ends, and its checkpoint stays.
    pub fn follow(self, bot: Option<String>) {
        self.worker.set_value(None);
        self.trained_file.set_value(None);
        self.state.set(TrainingState::default());
        self.base.set(None);
        self.bot.set_value(bot.clone());
        spawn_local(async move {
            let Some(bot) = bot else { return };
            let trained = made_bot::trained(&bot).await;
            let left = interrupted(&bot).await;
            let base = match &left {
                Some(left) => named_base(&left.base, &bot).await,
                None => None,
            };
            // Another bot may be open by now.
            if self.bot.with_value(|it| it.as_ref() != Some(&bot)) {
                return;
            }
            if let Some(trained) = trained {
                self.change(|state| state.take_trained(trained));
            }
            if let Some(base) = base {
                self.take_base(Some(base));
            }
            if let Some(left) = left {
                self.change(|state| state.take_interrupted(left));
            }
        });
    }

    /// Ends the worker.
    pub fn close(self) {
        self.worker.set_value(None);
    }

    /// Whether it is another model than that of the page; followed.
    pub fn has_base(self) -> bool {
        self.base.with(Option::is_some)
    }

    /// The name of the model that is trained; followed.
    pub fn base_name(self) -> String {
        match self.base.get() {
            Some((name, _)) => name.trim_end_matches(".gguf").to_owned(),
            None => BUNDLED_NAME.to_owned(),
        }
    }

    /// Reads the base model and the written `text`; `begins`: steps follow at once. A picture of `shown` becomes the bot's
    /// preview.
    pub fn prepare(self, plan: TrainingPlan, text: Blob, shown: Option<Bot>, begins: bool) {
        self.change(|state| state.prepare(begins));
        spawn_local(async move {
            if let Err(error) = self.try_prepare(plan, text, shown).await {
                let hint = "check the connection, then try again";
                self.change(|state| state.fail(error, hint.to_owned()));
            }
        });
    }

    async fn try_prepare(
        self,
        plan: TrainingPlan,
        text: Blob,
        shown: Option<Bot>,
    ) -> Result<(), String> {
        let base = match self.base.get_untracked() {
            Some((_, file)) => file,
            None => bundled_file().await?,
        };
        // A worker of its own for each training: the memory of the one before is given back.
        let worker = self.start_worker();
        let worker = worker.map_err(|error| format!("the browser refused a worker: {error:?}"))?;
        self.worker.set_value(Some(worker));
        let request = Request::Prepare {
            plan: Box::new(plan),
            now_ms: date_ms(),
        };
        let mut blobs = vec![("text", text), ("base", base)];
        if let Some(shown) = shown {
            let preview = preview(shown).await;
            blobs.extend(preview.map(|preview| ("preview", preview)));
        }
        self.send(&request, &blobs);
        Ok(())
    }

    /// Begins, or goes on.
    pub fn train(self) {
        self.change(|state| state.go(Phase::Running));
        self.send(&Request::Train, &[]);
    }

    /// Gives up what was prepared or begun, for other settings. A checkpoint stays.
    pub fn reset(self) {
        self.close();
        self.change(TrainingState::reset);
        self.look_for_checkpoint();
    }

    /// Looks which checkpoint an ended training has left.
    fn look_for_checkpoint(self) {
        spawn_local(async move {
            let Some(bot) = self.bot.get_value() else {
                return;
            };
            let left = interrupted(&bot).await;
            // Another bot may be open by now.
            if self.bot.with_value(|it| it.as_ref() == Some(&bot)) {
                self.change(|state| state.interrupted = left);
            }
        });
    }

    /// Does no more steps for now.
    pub fn pause(self) {
        self.change(|state| state.go(Phase::Pausing));
        self.send(&Request::Pause, &[]);
    }

    /// Makes the bot of what was learnt so far.
    pub fn finish(self) {
        self.change(|state| state.go(Phase::Writing { texts: 0 }));
        self.send(&Request::Finish, &[]);
    }

    /// The trained bot's weights; `None` if they are not kept.
    pub async fn trained_file(self, bot: &str, gguf: &str) -> Option<File> {
        match self.trained_file.get_value() {
            Some(file) => Some(file),
            None => made_bot::file(bot, gguf).await,
        }
    }

    /// Saves the bot's files as one zip.
    pub fn pack(self, bot: String) {
        self.ask(&Request::Pack { bot });
    }

    /// Saves this site with the bot as its first, as one zip.
    pub fn pack_site(self, bot: String) {
        let folder_url = address::folder().unwrap_or_default();
        self.ask(&Request::PackSite { bot, folder_url });
    }

    /// Sends a request about a trained bot, for which a worker starts if need be.
    fn ask(self, request: &Request) {
        self.change(TrainingState::pack);
        if self.worker.with_value(Option::is_none) {
            match self.start_worker() {
                Ok(worker) => self.worker.set_value(Some(worker)),
                Err(error) => {
                    return self.fail(&format!("the browser refused a worker: {error:?}"));
                }
            }
        }
        self.send(request, &[]);
    }

    fn fail(self, message: &str) {
        let hint = "try again: a training goes on from its last checkpoint";
        self.change(|state| state.fail(message.to_owned(), hint.to_owned()));
    }

    fn start_worker(self) -> Result<TrainerWorker, JsValue> {
        let (worker, folder) = worker_script::start(SCRIPT)?;
        let has_started = Rc::new(Cell::new(false));
        let starts = Rc::clone(&has_started);
        let events = EventListener::new(&worker, "message", move |event| {
            starts.set(true);
            self.hear(&event.unchecked_ref::<MessageEvent>().data());
        });
        let options = EventListenerOptions::enable_prevent_default();
        let errors = EventListener::new_with_options(&worker, "error", options, move |error| {
            error.prevent_default();
            self.fail("the trainer's script did not load");
        });
        let mut start = serde_json::json!({ "type": "start", "program": "trainer" });
        if let Some(folder) = folder {
            start["folder"] = folder.into();
        }
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        worker.post_message(&start.serialize(&serializer).unwrap_or(JsValue::NULL))?;
        Ok(TrainerWorker {
            worker,
            has_started,
            _events: events,
            _errors: errors,
        })
    }

    fn hear(self, message: &JsValue) {
        // The loader tells of a worker that has ended in the form of the engine's events.
        let event = match message.dyn_ref::<Array>() {
            Some(events) => ended(&events.get(0)),
            None => serde_wasm_bindgen::from_value::<Event>(message.clone()).ok(),
        };
        let Some(event) = event else {
            return self.fail("page and trainer come from different versions");
        };
        if matches!(event, Event::Started { .. })
            && let Some(waiting) = self.waiting.try_update_value(Option::take).flatten()
        {
            self.post(&waiting);
        }
        let blob = Reflect::get(message, &"blob".into()).ok();
        let blob = blob.and_then(|blob| blob.dyn_into::<Blob>().ok());
        match (&event, blob) {
            (Event::Packed { name }, Some(blob)) => {
                if let Err(error) = browser_window::save(blob, name) {
                    let event = Event::NotPacked {
                        message: error.to_string(),
                        hint: "save it again".to_owned(),
                    };
                    self.change(|state| _ = state.hear(event));
                }
            }
            (Event::Done { bot, .. }, Some(blob)) => {
                let file = File::new_with_blob_sequence(&Array::of1(&blob), &bot.gguf);
                self.trained_file.set_value(file.ok());
            }
            _ => {}
        }
        if event == Event::Replacing {
            self.trained_file.set_value(None);
        }
        if let Event::Done { is_kept, .. } = &event {
            self.holds_files.set_value(!is_kept);
        }
        // A worker that has nothing left to do gives its memory back, unless the bot's files are there alone.
        let has_failed = matches!(event, Event::Failed { .. });
        let has_ended = match event {
            Event::Failed { .. } => true,
            Event::Done { .. } => !self.holds_files.get_value(),
            Event::Packed { .. } | Event::NotPacked { .. } => {
                let is_training = self.with_untracked(|state| state.phase != Phase::Idle);
                !is_training && !self.holds_files.get_value()
            }
            _ => false,
        };
        let begins = self.state.try_update(|state| state.hear(event));
        if begins == Some(true) {
            self.send(&Request::Train, &[]);
        }
        if has_ended {
            self.close();
        }
        if has_failed {
            self.look_for_checkpoint();
        }
    }

    fn send(self, request: &Request, blobs: &[(&str, Blob)]) {
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let Ok(message) = request.serialize(&serializer) else {
            return;
        };
        for (name, blob) in blobs {
            // A fresh plain object always takes a new field.
            let _ = Reflect::set(&message, &(*name).into(), blob);
        }
        // Before it has started, a worker hears nothing but how to start.
        match self
            .worker
            .with_value(|worker| worker.as_ref().is_some_and(|it| !it.has_started.get()))
        {
            true => self.waiting.set_value(Some(message)),
            false => self.post(&message),
        }
    }

    fn post(self, message: &JsValue) {
        self.worker.with_value(|worker| {
            if let Some(worker) = worker {
                // Posting fails only for values that cannot be cloned; these are plain objects and blobs.
                let _ = worker.worker.post_message(message);
            }
        });
    }
}

/// The base model of this name, if it is on this device; `bot`: the one that is trained.
async fn named_base(name: &str, bot: &str) -> Option<(String, Blob)> {
    let models = BaseModel::list(Some(bot)).await.into_iter();
    for model in models.filter(|model| model.base_name() == name) {
        if let Some(file) = model.file().await {
            return Some((model.name, file));
        }
    }
    None
}

/// What a closed tab has left of this bot's training.
async fn interrupted(bot: &str) -> Option<Interrupted> {
    let mut records: Vec<CheckpointRecord> = Vec::new();
    for turn in 0..2 {
        let Some(file) = made_bot::file(bot, &CheckpointRecord::file_name(turn)).await else {
            continue;
        };
        let text = JsFuture::from(file.text()).await.ok();
        let text = text.and_then(|text| text.as_string()).unwrap_or_default();
        records.extend(serde_json::from_str::<CheckpointRecord>(&text));
    }
    Interrupted::of(records)
}

/// The event of a worker that has ended.
fn ended(event: &JsValue) -> Option<Event> {
    let error = Reflect::get(event, &"error".into()).ok()?;
    let text = |name: &str| Reflect::get(&error, &name.into()).ok()?.as_string();
    Some(Event::Failed {
        message: text("message")?,
        hint: "prepare the training again: it goes on from its last checkpoint".to_owned(),
    })
}

/// The picture by which other sites show the bot: its names, and the beginning of a text.
async fn preview(bot: Bot) -> Option<Blob> {
    let shared = SharedText {
        prompt: bot.card.widget.first().cloned().unwrap_or_default(),
        speaker: Speaker::Bot(bot),
        stand_in: None,
        continuation: " …".to_owned(),
        link: String::new(),
    };
    Picture::draw(&shared)?.png_file().await
}
