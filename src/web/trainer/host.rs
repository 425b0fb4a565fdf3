//! `Host`: the trainer's end of the channel; does one step, or writes one sample, per turn of the event loop.

mod preparation;
mod trained_bot;
mod turn;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::Reflect;
use serde::Serialize as _;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, MessagePort};

use self::turn::Task;
use super::failure::Failure;
use super::folder::TrainingFolder;
use super::kept_checkpoints::KeptCheckpoints;
use crate::parallel::Threads;
use crate::trainer::{Event, Request, Training};

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

    fn ask_for_turn(&self) {
        if !self.has_turn.replace(true) {
            // `null` can always be posted.
            let _ = self.turn.post_message(&JsValue::NULL);
        }
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
