//! `Host`: the trainer in its worker, with its training and its end of the channel to the page.

use std::cell::{Cell, RefCell};

use js_sys::Reflect;
use serde::Serialize as _;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessagePort};

use super::bot_writer::Unwritten;
use super::failure::Failure;
use super::folder::TrainingFolder;
use super::kept_checkpoints::KeptCheckpoints;
use crate::parallel::Threads;
use crate::trainer::{Event, Training};

/// The trainer in its worker.
pub(super) struct Host {
    pub(super) scope: DedicatedWorkerGlobalScope,
    pub(super) threads: Threads,
    pub(super) state: RefCell<State>,
    /// A message to this port starts the next turn, after messages of the page.
    pub(super) turn: MessagePort,
    pub(super) has_turn: Cell<bool>,
}

/// What the next turn of the event loop does.
#[derive(Default)]
pub(super) enum NextTurn {
    #[default]
    None,
    Step,
    /// The samples that are written.
    Sample(Vec<String>),
}

/// The training and what belongs to it.
#[derive(Default)]
pub(super) struct State {
    pub(super) training: Option<Training>,
    /// What the training has made, until all its files are written.
    pub(super) unwritten: Option<Unwritten>,
    /// The training text.
    pub(super) text: String,
    /// The bot's picture.
    pub(super) preview: Option<Blob>,
    pub(super) folder: Option<TrainingFolder>,
    pub(super) checkpoints: Option<KeptCheckpoints>,
    /// What the next turn does.
    pub(super) task: NextTurn,
    pub(super) checkpoint_ms: f64,
    pub(super) samples_ms: f64,
    /// The step of the last samples.
    pub(super) sampled_step: u32,
}

impl Host {
    pub(super) fn ask_for_turn(&self) {
        if !self.has_turn.replace(true) {
            // `null` can always be posted.
            let _ = self.turn.post_message(&JsValue::NULL);
        }
    }

    pub(super) fn post(&self, event: &Event) {
        post(&self.scope, event, None);
    }

    pub(super) fn fail(&self, failure: Failure) {
        let Failure { message, hint } = failure;
        self.post(&Event::Failed { message, hint });
    }
}

pub(super) fn post(scope: &DedicatedWorkerGlobalScope, event: &Event, blob: Option<&Blob>) {
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
pub(super) fn now() -> f64 {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    scope.performance().map_or(0.0, |clock| clock.now())
}

/// Milliseconds since 1970.
pub(super) fn date_ms() -> i64 {
    // Whole milliseconds, far below 2^53.
    js_sys::Date::now() as i64
}

/// Reports a panic to the page before it ends the worker.
pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        let failed = Event::Failed {
            message: "the trainer met a bug and stopped".to_owned(),
            hint: "prepare the training again: it goes on from its last checkpoint".to_owned(),
        };
        post(&js_sys::global().unchecked_into(), &failed, None);
    }));
}
