//! `WorkerBridge`: the page's end of the channel to the worker, which it starts, or to the engine that the frames of a
//! host page share; encodes requests, decodes events.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::file::File;
use js_sys::{Array, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, MessageEvent, MessagePort, Worker};

use super::{address, worker_script};
use crate::protocol::{ErrorCode, ErrorReport, Event, Request};
use crate::web::shared::channel;
use crate::web::shared::js_error::{WebError, reason};

/// The script that starts the worker, beside the page.
const WORKER_SCRIPT: &str = "worker_loader.js";

/// Where a page's requests go.
#[derive(Clone)]
pub enum EngineSource {
    /// A worker of the page's own.
    Worker,
    /// The engine of all frames of a host page, by a port that the host sends.
    Host(SharedEngine),
}

/// Asks the host for a port to the engine, and takes it.
#[derive(Clone)]
pub struct SharedEngine {
    ask: Rc<dyn Fn()>,
    take: Rc<RefCell<Option<TakePort>>>,
}

type TakePort = Box<dyn FnOnce(MessagePort)>;

impl SharedEngine {
    /// An engine that `ask` asks the host for.
    pub fn new(ask: impl Fn() + 'static) -> Self {
        Self {
            ask: Rc::new(ask),
            take: Rc::default(),
        }
    }

    /// Passes on the port that the host has sent. A port that nothing has asked for is dropped.
    pub fn arrived(&self, port: MessagePort) {
        let take = self.take.borrow_mut().take();
        if let Some(take) = take {
            take(port);
        }
    }

    fn request(&self, take: impl FnOnce(MessagePort) + 'static) {
        *self.take.borrow_mut() = Some(Box::new(take));
        (self.ask)();
    }
}

/// The running worker or the port to the shared engine, which ends when the bridge is dropped.
pub struct WorkerBridge {
    end: FarEnd,
    // Dropped with the bridge, after which no event of the ended worker is passed on.
    _on_error: Option<EventListener>,
}

enum FarEnd {
    Worker(
        Worker,
        #[allow(dead_code, reason = "listens until it is dropped")] EventListener,
    ),
    /// Empty until the port has arrived.
    Port(Rc<RefCell<Option<(MessagePort, EventListener)>>>),
}

impl Drop for WorkerBridge {
    fn drop(&mut self) {
        match &self.end {
            FarEnd::Worker(worker, _) => worker.terminate(),
            FarEnd::Port(port) => {
                if let Some((port, _)) = port.take() {
                    port.close();
                }
            }
        }
    }
}

impl WorkerBridge {
    /// Starts the worker, or asks for the shared engine; its events go to `on_event`. It takes requests after
    /// [`Event::Started`]. A worker that ends by itself reports [`ErrorCode::WorkerCrashed`] or
    /// [`ErrorCode::OutOfMemory`], once.
    ///
    /// # Errors
    /// [`WebError::NoWorker`] where the browser refuses a worker.
    pub fn start(
        source: &EngineSource,
        on_event: impl Fn(Event) + 'static,
    ) -> Result<Self, WebError> {
        let has_ended = Cell::new(false);
        let on_event = Rc::new(move |event: Event| {
            // Only the first report of an end is passed on; later reports are of the same crash.
            if !is_end(&event) || !has_ended.replace(true) {
                on_event(event);
            }
        });
        match source {
            EngineSource::Worker => Self::start_worker(on_event),
            EngineSource::Host(engine) => Ok(Self::ask_host(engine, on_event)),
        }
    }

    fn start_worker(on_event: Rc<impl Fn(Event) + 'static>) -> Result<Self, WebError> {
        let worker = start_worker().map_err(|e| WebError::NoWorker { reason: reason(&e) })?;
        let has_started = Rc::new(Cell::new(false));
        let on_message = {
            let has_started = Rc::clone(&has_started);
            let on_event = Rc::clone(&on_event);
            let to = worker.clone();
            listen(&worker, move |message| {
                has_started.set(true);
                receive(message, &on_event, |request| {
                    post(&to, &message_of(request))
                });
            })
        };
        let options = EventListenerOptions::enable_prevent_default();
        let on_error = EventListener::new_with_options(&worker, "error", options, move |error| {
            error.prevent_default();
            let error = match has_started.get() {
                true => ErrorReport {
                    code: ErrorCode::WorkerCrashed,
                    message: "the part that runs the model stopped".to_owned(),
                    hint: "restart it; your text and settings are still here".to_owned(),
                    retryable: true,
                },
                // Browsers report a policy that forbids workers like this, without its name.
                false => WebError::NoWorker {
                    reason: "its script did not load".to_owned(),
                }
                .report(),
            };
            on_event(Event::Error { job: None, error });
        });
        Ok(Self {
            end: FarEnd::Worker(worker, on_message),
            _on_error: Some(on_error),
        })
    }

    fn ask_host(engine: &SharedEngine, on_event: Rc<impl Fn(Event) + 'static>) -> Self {
        let end = Rc::new(RefCell::new(None));
        let place = Rc::downgrade(&end);
        engine.request(move |port| {
            // The bridge may have been dropped meanwhile.
            let Some(place) = place.upgrade() else {
                return port.close();
            };
            let to = port.clone();
            let listener = listen(&port, move |message| {
                receive(message, &on_event, |request| {
                    post_to_port(&to, &message_of(request))
                });
            });
            // Unlike `onmessage`, a listener does not start the port.
            port.start();
            *place.borrow_mut() = Some((port, listener));
        });
        Self {
            end: FarEnd::Port(end),
            _on_error: None,
        }
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) {
        self.post(&message_of(request));
    }

    /// Sends a request with the files beside it: a model's (`Load`) or adapters' (`Adapt`).
    pub fn send_files(&self, request: &Request, files: &[File]) {
        let message = message_of(request);
        let blobs: Array = files.iter().map(AsRef::<web_sys::File>::as_ref).collect();
        // A fresh plain object always takes a new field.
        let _ = Reflect::set(&message, &JsValue::from_str("blobs"), &blobs);
        self.post(&message);
    }

    fn post(&self, message: &JsValue) {
        match &self.end {
            FarEnd::Worker(worker, _) => post(worker, message),
            FarEnd::Port(port) => {
                if let Some((port, _)) = &*port.borrow() {
                    post_to_port(port, message);
                }
            }
        }
    }
}

fn listen(target: &EventTarget, hear: impl Fn(&MessageEvent) + 'static) -> EventListener {
    EventListener::new(target, "message", move |message| {
        hear(message.unchecked_ref());
    })
}

/// Passes on the events of a message, and tells a worker that has started where the bundled model is.
fn receive(message: &MessageEvent, on_event: &Rc<impl Fn(Event)>, answer: impl Fn(&Request)) {
    for event in events_of(&message.data()) {
        if matches!(event, Event::Started { .. }) {
            let url = address::bundled_url();
            answer(&Request::LocateBundled { url });
        }
        on_event(event);
    }
}

/// Starts the worker.
fn start_worker() -> Result<Worker, JsValue> {
    let (worker, folder) = worker_script::start(WORKER_SCRIPT)?;
    post(&worker, &start_message(folder.as_deref()));
    Ok(worker)
}

/// The first message to [`WORKER_SCRIPT`], for as many threads as the device has. `folder`: where the worker's files are,
/// if it was not started from there.
fn start_message(folder: Option<&str>) -> JsValue {
    let message = match folder {
        Some(folder) => serde_json::json!({ "type": "start", "folder": folder }),
        None => serde_json::json!({ "type": "start" }),
    };
    message
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .expect("a message is plain fields")
}

/// Whether the worker has ended by itself.
fn is_end(event: &Event) -> bool {
    let Event::Error { job: None, error } = event else {
        return false;
    };
    matches!(
        error.code,
        ErrorCode::WorkerCrashed | ErrorCode::OutOfMemory
    )
}

fn post(worker: &Worker, message: &JsValue) {
    // Posting fails only for values that cannot be cloned; these are plain objects and files.
    let _ = worker.post_message(message);
}

fn post_to_port(port: &MessagePort, message: &JsValue) {
    let _ = port.post_message(message);
}

fn message_of(request: &Request) -> JsValue {
    channel::write(request).expect("a request is plain fields")
}

fn events_of(data: &JsValue) -> Vec<Event> {
    let events = data.dyn_ref::<Array>();
    let events =
        events.and_then(|events| events.iter().map(|event| channel::read(&event)).collect());
    events.unwrap_or_else(|| {
        vec![Event::Error {
            job: None,
            error: ErrorReport {
                code: ErrorCode::BadMessage,
                message: "page and worker come from different versions".to_owned(),
                hint: "reload the page".to_owned(),
                retryable: true,
            },
        }]
    })
}
