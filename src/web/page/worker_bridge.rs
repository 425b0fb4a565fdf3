//! `WorkerBridge`: the page's end of the channel to the worker; starts the worker, encodes requests, decodes events.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::file::{Blob, File};
use js_sys::{Array, Reflect};
use leptos::prelude::window;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker};

use super::{address, browser_window};
use crate::protocol::{Envelope, ErrorCode, ErrorReport, Event, PROTOCOL_VERSION, Request};
use crate::web::shared::js_error::{WebError, reason};

/// The script that starts the worker, beside the page.
const WORKER_SCRIPT: &str = "./worker_loader.js";

/// The rest of the script that imports [`WORKER_SCRIPT`] in a blob. The policy is for hosts that demand Trusted Types;
/// where they allow none, importing fails and is reported.
const IMPORT_LOADER: &str = "const createScriptURL = (address) => (address.startsWith(self.huggingtweets.folder) ? address : null);
try { self.trustedTypes?.createPolicy('default', { createScriptURL }); } catch {}
importScripts(`${self.huggingtweets.folder}worker_loader.js`);
";

/// A running worker, which ends when the bridge is dropped.
pub struct WorkerBridge {
    worker: Worker,
    // Dropped with the bridge, after which no event of the ended worker is passed on.
    _on_message: EventListener,
    _on_error: EventListener,
}

impl Drop for WorkerBridge {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl WorkerBridge {
    /// Starts the worker; its events go to `on_event`. It takes requests after [`Event::Started`]. A worker that ends by
    /// itself reports [`ErrorCode::WorkerCrashed`] or [`ErrorCode::OutOfMemory`], once.
    ///
    /// # Errors
    /// [`WebError::NoWorker`] where the browser refuses a worker.
    pub fn start(on_event: impl Fn(Event) + 'static) -> Result<Self, WebError> {
        let worker = start_worker().map_err(|e| WebError::NoWorker { reason: reason(&e) })?;
        let has_started = Rc::new(Cell::new(false));
        let has_ended = Cell::new(false);
        let on_event = Rc::new(move |event: Event| {
            // Only the first report of an end is passed on; later reports are of the same crash.
            if !is_end(&event) || !has_ended.replace(true) {
                on_event(event);
            }
        });
        let on_message = {
            let (worker, on_event) = (worker.clone(), Rc::clone(&on_event));
            let has_started = Rc::clone(&has_started);
            EventListener::new(&worker.clone(), "message", move |message| {
                let message: &MessageEvent = message.unchecked_ref();
                has_started.set(true);
                for event in events_of(message.data()) {
                    if matches!(event, Event::Started { .. }) {
                        let url = address::bundled_url();
                        post(&worker, &message_of(&Request::LocateBundled { url }));
                    }
                    on_event(event);
                }
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
            worker,
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) {
        post(&self.worker, &message_of(request));
    }

    /// Sends a [`Request::Load`] with the files of its model.
    pub fn send_files(&self, request: &Request, files: &[File]) {
        let message = message_of(request);
        let blobs: Array = files.iter().map(AsRef::<web_sys::File>::as_ref).collect();
        // A fresh plain object always takes a new field.
        let _ = Reflect::set(&message, &JsValue::from_str("blobs"), &blobs);
        post(&self.worker, &message);
    }
}

/// Starts the worker by its address, or by a blob where the browser refuses that address, as in a sandboxed frame.
fn start_worker() -> Result<Worker, JsValue> {
    let origin = window().origin();
    // There, some browsers report the refusal later.
    let is_opaque = origin == "null" && !browser_window::is_single_file();
    let refused = match is_opaque {
        false => match Worker::new(WORKER_SCRIPT) {
            Ok(worker) => return Ok(worker),
            Err(refused) => refused,
        },
        true => JsValue::NULL,
    };
    let Some(folder) = address::absolute("./") else {
        return Err(refused);
    };
    let stated = serde_json::json!({ "folder": folder, "search": "" });
    let text = format!("self.huggingtweets = {stated};\n{IMPORT_LOADER}");
    let blob = Blob::new_with_options(text.as_str(), Some("text/javascript"));
    // The address stays valid: the worker reads it after this function has returned.
    let url = web_sys::Url::create_object_url_with_blob(blob.as_ref())?;
    Worker::new(&url)
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
