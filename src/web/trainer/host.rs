//! `Host`: the trainer's end of the channel; does one step, or writes one sample, per turn of the event loop.

use std::cell::{Cell, RefCell};
use std::io::Read as _;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use js_sys::Reflect;
use serde::Serialize as _;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, DedicatedWorkerGlobalScope, FileSystemDirectoryHandle, MessageChannel, MessageEvent,
    MessagePort,
};

use super::bot_writer::{self, Given};
use super::failure::Failure;
use super::folder::TrainingFolder;
use super::kept_checkpoints::KeptCheckpoints;
use super::site_copy;
use crate::engine::BaseModel;
use crate::finetune::FineTuneError;
use crate::parallel::Threads;
use crate::trainer::output;
use crate::trainer::record::LOGGING_STEPS;
use crate::trainer::trained::INDEX;
use crate::trainer::training::{N_SAMPLES, TrainingError};
use crate::trainer::{Event, Plan, Request, Training};
use crate::web::shared::js_error::WebError;
use crate::web::shared::memory::memory_bytes;
use crate::web::worker::blob_reader::BlobReader;

/// Time between two checkpoints.
const CHECKPOINT_MS: f64 = 60_000.0;
/// Least time between two sets of samples.
const SAMPLES_MS: f64 = 15_000.0;
/// Sets of samples of a training, at most.
const MOST_SAMPLES: u32 = 10;
/// Further tries to open the checkpoints, and the time between them.
const OPEN_TRIES: u32 = 50;
const PAUSE_MS: u32 = 100;
/// Most bytes of a training text: 100,000 posts have 10 MB, four times.
const MAX_TEXT_BYTES: u64 = 1 << 28;

struct Host {
    scope: DedicatedWorkerGlobalScope,
    threads: Threads,
    state: RefCell<State>,
    /// A message to this port starts the next turn, after messages of the page.
    turn: MessagePort,
    has_turn: Cell<bool>,
}

#[derive(Default)]
struct State {
    training: Option<Training>,
    /// The training text.
    text: String,
    /// The bot's picture.
    preview: Option<Blob>,
    folder: Option<TrainingFolder>,
    checkpoints: Option<KeptCheckpoints>,
    /// What the next turn does.
    task: Task,
    checkpoint_ms: f64,
    samples_ms: f64,
    /// The step of the last samples.
    sampled_step: u32,
}

#[derive(Default)]
enum Task {
    #[default]
    None,
    Step,
    /// The samples that are written.
    Sample(Vec<String>),
}

/// Begins to take requests, computes on `threads`, and posts [`Event::Started`].
pub fn start(threads: Threads) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    report_panics();
    let channel = MessageChannel::new().expect("every browser with workers has message channels");
    let n_threads = threads.count();
    let host = Rc::new(Host {
        scope: scope.clone(),
        threads,
        state: RefCell::default(),
        turn: channel.port2(),
        has_turn: Cell::default(),
    });
    let turns = channel.port1();
    let on_turn = Rc::clone(&host);
    EventListener::new(&turns, "message", move |_| on_turn.take_turn()).forget();
    // Unlike `onmessage`, a listener does not start the port.
    turns.start();
    let on_message = Rc::clone(&host);
    EventListener::new(&scope, "message", move |event| {
        on_message.receive(event.unchecked_ref::<MessageEvent>().data());
    })
    .forget();
    post(&scope, &Event::Started { threads: n_threads }, None);
}

impl Host {
    fn receive(self: &Rc<Self>, message: JsValue) {
        let Ok(request) = serde_wasm_bindgen::from_value::<Request>(message.clone()) else {
            return self.fail(Failure {
                message: "page and trainer come from different versions".to_owned(),
                hint: "reload the page".to_owned(),
            });
        };
        match request {
            Request::Prepare { plan, now_ms } => {
                let host = Rc::clone(self);
                spawn_local(async move {
                    let prepared = host.prepare(*plan, &message, now_ms).await;
                    prepared.unwrap_or_else(|failure| host.fail(failure));
                });
            }
            Request::Train => {
                let mut state = self.state.borrow_mut();
                if state.training.is_some() && matches!(state.task, Task::None) {
                    state.task = Task::Step;
                    (state.checkpoint_ms, state.samples_ms) = (now(), now());
                    drop(state);
                    self.ask_for_turn();
                }
            }
            Request::Pause => {
                self.state.borrow_mut().task = Task::None;
                self.keep_checkpoint();
                self.post(&Event::Paused);
            }
            Request::Finish => {
                self.state.borrow_mut().task = Task::None;
                self.finish_later();
            }
            Request::Pack { bot } => self.pack_later(bot, None),
            Request::PackSite { bot, folder_url } => self.pack_later(bot, Some(folder_url)),
        }
    }

    async fn prepare(&self, plan: Plan, message: &JsValue, now_ms: i64) -> Result<(), Failure> {
        // The files of an earlier training are closed first.
        *self.state.borrow_mut() = State::default();
        let text = read_text(blob(message, "text")?)?;
        let base_blob = blob(message, "base")?;
        let mut reader = BlobReader::new(base_blob.clone())?;
        let file = output::hashed(&format!("{}.gguf", plan.base), &mut reader)?;
        let base_file = output::base_artifact(&plan.base, vec![file]);
        let begin = || {
            let reader = Box::new(BlobReader::new(base_blob.clone())?);
            let base = BaseModel::from_gguf(reader).map_err(TrainingError::Engine)?;
            let threads = self.threads.clone();
            let begun = Training::begin(plan.clone(), &text, base, &base_file, threads, now_ms);
            begun.map_err(Failure::from)
        };
        let folder = TrainingFolder::open(&plan.bot).await?;
        let mut checkpoints = match folder.stored() {
            Some(folder) => Some(open_checkpoints(folder).await?),
            None => None,
        };
        let mut training = begin()?;
        for found in checkpoints
            .iter_mut()
            .flat_map(KeptCheckpoints::found)
            .collect::<Vec<_>>()
        {
            let Some(checkpoints) = &checkpoints else {
                break;
            };
            let mut state = checkpoints.reader(&found);
            match training.restore(&mut state, Some(found.record.clone())) {
                Ok(()) => break,
                Err(FineTuneError::OtherTraining { .. }) => {}
                // It may be half restored.
                Err(_) => training = begin()?,
            }
        }
        self.post(&Event::Prepared(training.prepared(&now)?));
        let mut state = self.state.borrow_mut();
        state.sampled_step = training.fine_tune().steps_done();
        state.training = Some(training);
        state.text = text;
        state.preview = blob(message, "preview").ok();
        state.folder = Some(folder);
        state.checkpoints = checkpoints;
        Ok(())
    }

    fn pack_later(self: &Rc<Self>, bot: String, site: Option<String>) {
        let host = Rc::clone(self);
        spawn_local(async move {
            let packed = host.pack(&bot, site.as_deref()).await;
            packed.unwrap_or_else(|failure| host.fail(failure));
        });
    }

    fn ask_for_turn(&self) {
        if !self.has_turn.replace(true) {
            // `null` can always be posted.
            let _ = self.turn.post_message(&JsValue::NULL);
        }
    }

    fn take_turn(self: &Rc<Self>) {
        self.has_turn.set(false);
        let taken = self.do_task();
        match taken {
            Ok(true) => self.ask_for_turn(),
            Ok(false) => {}
            Err(failure) => {
                self.state.borrow_mut().task = Task::None;
                self.fail(failure);
            }
        }
    }

    /// Does a step, or writes a sample; whether there is more to do.
    fn do_task(self: &Rc<Self>) -> Result<bool, Failure> {
        let mut guard = self.state.borrow_mut();
        let state = &mut *guard;
        let Some(training) = &mut state.training else {
            return Ok(false);
        };
        match &mut state.task {
            Task::None => return Ok(false),
            Task::Step if training.fine_tune().is_done() => {
                state.task = Task::None;
                drop(guard);
                self.finish_later();
                return Ok(false);
            }
            Task::Step => {
                let (report, tokens_per_second) = training.step(&now, date_ms())?;
                self.post(&Event::Step {
                    report,
                    tokens_per_second,
                    memory_bytes: memory_bytes(),
                });
                let since_sampled = report.step - state.sampled_step;
                let is_far = since_sampled >= report.n_steps.div_ceil(MOST_SAMPLES);
                if is_far && now() - state.samples_ms > SAMPLES_MS {
                    state.task = Task::Sample(Vec::new());
                }
                let is_due = now() - state.checkpoint_ms > CHECKPOINT_MS;
                if is_due && report.step.is_multiple_of(LOGGING_STEPS) {
                    state.checkpoint_ms = now();
                    drop(guard);
                    self.keep_checkpoint();
                }
            }
            Task::Sample(texts) => {
                texts.push(training.sample(texts.len() as u32)?);
                if texts.len() as u32 == N_SAMPLES {
                    let step = training.fine_tune().steps_done();
                    self.post(&Event::Samples {
                        step,
                        texts: std::mem::take(texts),
                    });
                    state.task = Task::Step;
                    (state.samples_ms, state.sampled_step) = (now(), step);
                }
            }
        }
        Ok(true)
    }

    /// Keeps the state, where the browser has a place for it.
    fn keep_checkpoint(&self) {
        let mut guard = self.state.borrow_mut();
        let state = &mut *guard;
        if let (Some(training), Some(checkpoints)) = (&state.training, &mut state.checkpoints)
            && let Err(error) = checkpoints.write(training)
        {
            // The training goes on without; the older checkpoint is there.
            self.post(&Event::NotKept {
                reason: error.to_string(),
            });
        }
    }

    fn finish_later(self: &Rc<Self>) {
        let host = Rc::clone(self);
        spawn_local(async move {
            let finished = host.finish().await;
            finished.unwrap_or_else(|failure| host.fail(failure));
        });
    }

    /// Writes the bot's files.
    async fn finish(&self) -> Result<(), Failure> {
        // What fails now, such as a full device, can be tried again.
        self.keep_checkpoint();
        let taken = {
            let mut state = self.state.borrow_mut();
            let given = Given {
                text: std::mem::take(&mut state.text),
                preview: state.preview.take(),
            };
            (state.training.take(), state.folder.take(), given)
        };
        let (Some(mut training), Some(mut folder), given) = taken else {
            return Ok(());
        };
        training.end(date_ms());
        let told = |texts| self.post(&Event::Writing { texts });
        let bot =
            bot_writer::write(training, &mut folder, &given, &self.threads, &now, &told).await?;
        let gguf = folder.blob(&bot.gguf).await?;
        let mut state = self.state.borrow_mut();
        // The bot is there; a checkpoint is as large as three of it.
        if let Some(mut checkpoints) = state.checkpoints.take() {
            checkpoints.clear();
        }
        let is_kept = folder.stored().is_some();
        state.folder = Some(folder);
        let done = Event::Done {
            bot: Box::new(bot),
            is_kept,
        };
        post(&self.scope, &done, Some(&gguf));
        Ok(())
    }

    /// Gives out the bot's files in one zip, or the site with the bot.
    async fn pack(&self, bot: &str, site: Option<&str>) -> Result<(), Failure> {
        let kept = self.state.borrow_mut().folder.take();
        let folder = match kept {
            Some(folder) => folder,
            None => TrainingFolder::open(bot).await?,
        };
        let trained = bot_writer::read_bot(&folder, INDEX).await?;
        let name = trained.gguf.trim_end_matches(".gguf");
        let (name, zip) = match site {
            Some(url) => (
                format!("{name}-site.zip"),
                site_copy::pack(&trained, &folder, url).await?,
            ),
            None => (
                format!("{name}.zip"),
                bot_writer::pack(&trained, &folder).await?,
            ),
        };
        self.state.borrow_mut().folder = Some(folder);
        post(&self.scope, &Event::Packed { name }, Some(&zip));
        Ok(())
    }

    fn post(&self, event: &Event) {
        post(&self.scope, event, None);
    }

    fn fail(&self, failure: Failure) {
        let Failure { message, hint } = failure;
        self.post(&Event::Failed { message, hint });
    }
}

fn post(scope: &DedicatedWorkerGlobalScope, event: &Event, blob: Option<&Blob>) {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    let Ok(message) = event.serialize(&serializer) else {
        return;
    };
    if let Some(blob) = blob {
        // A fresh plain object always takes a new field.
        let _ = Reflect::set(&message, &"blob".into(), blob);
    }
    // Posting fails only for values that cannot be cloned; these are plain objects and blobs.
    let _ = scope.post_message(&message);
}

/// A blob beside a request.
fn blob(message: &JsValue, name: &str) -> Result<Blob, WebError> {
    let blob = Reflect::get(message, &name.into()).ok();
    let blob = blob.and_then(|blob| blob.dyn_into().ok());
    blob.ok_or_else(|| WebError::Read {
        reason: format!("`{name}` is missing"),
    })
}

fn read_text(blob: Blob) -> Result<String, WebError> {
    let failed = |reason: String| WebError::Read { reason };
    let mut reader = BlobReader::new(blob)?;
    if reader.size() > MAX_TEXT_BYTES {
        return Err(failed(format!(
            "the text has more than {MAX_TEXT_BYTES} bytes"
        )));
    }
    let mut text = String::new();
    let read = reader.read_to_string(&mut text);
    read.map_err(|error| failed(error.to_string()))?;
    Ok(text)
}

/// Opens the checkpoints of a bot. The worker of a page that was just left may have them open for a moment.
async fn open_checkpoints(folder: &FileSystemDirectoryHandle) -> Result<KeptCheckpoints, Failure> {
    let mut tries = 0..OPEN_TRIES;
    loop {
        match KeptCheckpoints::open(folder).await {
            Err(_) if tries.next().is_some() => pause().await,
            opened => return opened.map_err(in_other_tab),
        }
    }
}

async fn pause() {
    let passed = js_sys::Promise::new(&mut |resolve, _| {
        let wake = move || {
            let _ = resolve.call0(&JsValue::NULL);
        };
        Timeout::new(PAUSE_MS, wake).forget();
    });
    let _ = JsFuture::from(passed).await;
}

/// The browser's refusal of a second opening, in words.
fn in_other_tab(error: WebError) -> Failure {
    match error {
        WebError::StorageFull => error.into(),
        _ => Failure {
            message: "the browser did not open the place for the training's state".to_owned(),
            hint: "another tab may be training this bot: close it, then prepare again".to_owned(),
        },
    }
}

/// Milliseconds of a clock that only goes forward.
fn now() -> f64 {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    scope.performance().map_or(0.0, |clock| clock.now())
}

/// Milliseconds since 1970.
fn date_ms() -> i64 {
    // Whole milliseconds, far below 2^53.
    js_sys::Date::now() as i64
}

/// Reports a panic to the page before it ends the worker.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        let failed = Event::Failed {
            message: "the trainer met a bug and stopped".to_owned(),
            hint: "prepare the training again: it goes on from its last checkpoint".to_owned(),
        };
        post(&js_sys::global().unchecked_into(), &failed, None);
    }));
}
