//! The page's end of the channel: starts the worker, queues requests until it runs, decodes events.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Reflect};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{File, MessageEvent, Worker};

use crate::protocol::{Envelope, ErrorCode, ErrorReport, Event, PROTOCOL_VERSION, Request};
use crate::web::shared::js_error::{WebError, reason};

/// The script that starts the worker, beside the page.
const WORKER_SCRIPT: &str = "./worker_loader.js";

/// A running worker and the requests it has not been given yet.
pub struct WorkerBridge {
    shared: Rc<Shared>,
    worker: RefCell<LiveWorker>,
}

struct Shared {
    on_event: Box<dyn Fn(Event)>,
    started: Cell<bool>,
    /// A worker dies once: what follows the first report is noise of the same crash.
    crashed: Cell<bool>,
    waiting: RefCell<Vec<JsValue>>,
}

/// A worker with the closures it calls.
struct LiveWorker {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(web_sys::Event)>,
}

impl Drop for LiveWorker {
    fn drop(&mut self) {
        // What it has said already is not to reach closures that are gone.
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl WorkerBridge {
    /// Starts the worker; everything it says reaches `on_event`. A worker that ends by itself says
    /// so with [`ErrorCode::WorkerCrashed`] or [`ErrorCode::OutOfMemory`].
    ///
    /// # Errors
    /// [`WebError::NoWorker`] where the browser refuses one.
    pub fn start(on_event: impl Fn(Event) + 'static) -> Result<Self, WebError> {
        let shared = Rc::new(Shared {
            on_event: Box::new(on_event),
            started: Cell::new(false),
            crashed: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
        });
        let worker = RefCell::new(spawn(&shared)?);
        Ok(Self { shared, worker })
    }

    /// Sends a request, at once or as soon as the worker runs.
    pub fn send(&self, request: &Request) {
        self.post(message_of(request));
    }

    /// Sends a [`Request::Load`] with its files: one as `blob`, and all as `blobs`.
    pub fn send_files(&self, request: &Request, files: &[File]) {
        let message = message_of(request);
        let all: Array = files.iter().collect();
        // A fresh plain object always takes a new field.
        let _ = Reflect::set(&message, &JsValue::from_str("blob"), &all.get(0));
        let _ = Reflect::set(&message, &JsValue::from_str("blobs"), &all);
        self.post(message);
    }

    /// Ends the worker, which frees its memory, and starts a new one. Requests still waiting are dropped.
    ///
    /// # Errors
    /// [`WebError::NoWorker`] where the browser refuses one.
    pub fn restart(&self) -> Result<(), WebError> {
        self.shared.started.set(false);
        self.shared.crashed.set(false);
        self.shared.waiting.borrow_mut().clear();
        *self.worker.borrow_mut() = spawn(&self.shared)?;
        Ok(())
    }

    fn post(&self, message: JsValue) {
        if self.shared.started.get() {
            post(&self.worker.borrow().worker, &message);
        } else {
            self.shared.waiting.borrow_mut().push(message);
        }
    }
}

fn spawn(shared: &Rc<Shared>) -> Result<LiveWorker, WebError> {
    let worker =
        Worker::new(WORKER_SCRIPT).map_err(|e| WebError::NoWorker { reason: reason(&e) })?;
    let on_message = {
        let (shared, worker) = (Rc::clone(shared), worker.clone());
        Closure::new(move |message: MessageEvent| {
            for event in events_of(message.data()) {
                if matches!(event, Event::Started { .. }) {
                    shared.started.set(true);
                    for message in shared.waiting.borrow_mut().drain(..) {
                        post(&worker, &message);
                    }
                }
                shared.tell(event);
            }
        })
    };
    let on_error = {
        let shared = Rc::clone(shared);
        Closure::new(move |error: web_sys::Event| {
            error.prevent_default();
            shared.tell(Event::Error {
                job: None,
                error: ErrorReport {
                    code: ErrorCode::WorkerCrashed,
                    message: "the part that runs the model stopped".to_owned(),
                    hint: "restart it; your text and settings are still here".to_owned(),
                    retryable: true,
                },
            });
        })
    };
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    Ok(LiveWorker {
        worker,
        _on_message: on_message,
        _on_error: on_error,
    })
}

impl Shared {
    fn tell(&self, event: Event) {
        if let Event::Error { error, .. } = &event
            && matches!(
                error.code,
                ErrorCode::WorkerCrashed | ErrorCode::OutOfMemory
            )
            && self.crashed.replace(true)
        {
            return;
        }
        (self.on_event)(event);
    }
}

fn post(worker: &Worker, message: &JsValue) {
    // Posting fails only for values that cannot be cloned; ours are plain objects and a Blob.
    let _ = worker.post_message(message);
}

fn message_of(request: &Request) -> JsValue {
    Envelope::new(request)
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .expect("a request is plain fields")
}

fn events_of(data: JsValue) -> Vec<Event> {
    match serde_wasm_bindgen::from_value::<Vec<Envelope<Event>>>(data) {
        Ok(envelopes) if envelopes.iter().all(|e| e.v == PROTOCOL_VERSION) => {
            envelopes.into_iter().map(|e| e.message).collect()
        }
        _ => vec![Event::Error {
            job: None,
            error: ErrorReport {
                code: ErrorCode::BadMessage,
                message: "page and worker come from different versions".to_owned(),
                hint: "reload the page".to_owned(),
                retryable: true,
            },
        }],
    }
}
