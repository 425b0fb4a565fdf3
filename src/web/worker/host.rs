//! The worker's end of the channel: feeds the engine, one step per turn of the event loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Float32Array, Reflect};
use serde::Serialize;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    AbortController, Blob, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, MessagePort,
};

use super::acquisition::{Acquisition, Place};
use super::blob_reader::BlobReader;
use super::blob_stream::BlobStream;
use crate::engine::Engine;
use crate::hub::dtype::DtypeError;
use crate::hub::{Dtype, Endpoint, ModelAddress, WebAddressError};
use crate::kernels;
use crate::parallel::Threads;
use crate::protocol::{
    Envelope, ErrorCode, ErrorReport, Event, Keeping, LoadStage, ModelSource, PROTOCOL_VERSION,
    Request,
};
use crate::web::shared::js_error::WebError;

/// Progress of a download is told after this time, or after [`PROGRESS_EVERY_BYTES`] if those come sooner.
const PROGRESS_EVERY_MS: f64 = 50.0;

/// What a download that comes to a standstill may be ahead of what was told.
const PROGRESS_EVERY_BYTES: u64 = 1 << 20;

/// Tokens are told together, once in a frame: each message takes time from a page whose core may be computing too.
const FRAME_MS: f64 = 16.0;

/// Job id that [`Request::Stop`] uses for a load.
const LOAD_JOB: u32 = 0;

struct Host {
    scope: DedicatedWorkerGlobalScope,
    engine: RefCell<Engine>,
    /// The bytes of the model that is being loaded.
    stream: RefCell<Option<Rc<BlobStream>>>,
    /// Where the model that is being loaded is kept.
    keeping: Cell<Keeping>,
    /// Cancels the download that is going on.
    download: RefCell<Option<AbortController>>,
    /// A message to this port is the next turn: unlike a timer it is not held back, and messages
    /// from the page come in between.
    turn: MessagePort,
    /// Whether a turn is on its way: two at once would read one stream.
    has_turn: Cell<bool>,
    /// Tokens that wait for the frame's end.
    held: RefCell<Vec<Event>>,
    /// When the page was last told something.
    told_at: Cell<f64>,
}

/// Takes requests from now on, computes on `threads`, and says [`Event::Started`].
pub fn start(threads: Threads) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    report_panics();
    let channel = MessageChannel::new().expect("every browser with workers has message channels");
    let mut engine = Engine::new();
    engine.set_memory_meter(memory_bytes);
    let n_threads = threads.count();
    engine.set_threads(threads);
    let host = Rc::new(Host {
        scope,
        engine: RefCell::new(engine),
        stream: RefCell::new(None),
        keeping: Cell::default(),
        download: RefCell::new(None),
        turn: channel.port2(),
        has_turn: Cell::default(),
        held: RefCell::default(),
        told_at: Cell::new(f64::NEG_INFINITY),
    });
    let on_turn = {
        let host = Rc::clone(&host);
        Closure::<dyn FnMut(MessageEvent)>::new(move |_| host.step())
    };
    channel
        .port1()
        .set_onmessage(Some(on_turn.into_js_value().unchecked_ref()));
    let on_message = {
        let host = Rc::clone(&host);
        Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            host.receive(&message.data());
        })
    };
    host.scope
        .set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
    post(
        &host.scope,
        Event::Started {
            simd: kernels::simd().to_owned(),
            threads: n_threads,
        },
    );
}

impl Host {
    fn receive(self: &Rc<Self>, data: &JsValue) {
        let request = match serde_wasm_bindgen::from_value::<Envelope<Request>>(data.clone()) {
            Ok(envelope) if envelope.v == PROTOCOL_VERSION => envelope.message,
            _ => return post(&self.scope, bad_message()),
        };
        match request {
            Request::Load { source } => {
                let blob = Reflect::get(data, &JsValue::from_str("blob"))
                    .ok()
                    .and_then(|value| value.dyn_into::<Blob>().ok());
                self.load(source, blob, data);
            }
            Request::Stop { job: LOAD_JOB } => {
                if let Some(abort) = self.download.borrow().as_ref() {
                    abort.abort();
                } else {
                    self.hand_over(Request::Stop { job: LOAD_JOB });
                }
            }
            other => self.hand_over(other),
        }
    }

    fn hand_over(&self, request: Request) {
        let events = self.engine.borrow_mut().handle(request);
        self.tell(events);
    }

    fn load(self: &Rc<Self>, source: ModelSource, blob: Option<Blob>, data: &JsValue) {
        if let Some(earlier) = self.download.borrow_mut().take() {
            earlier.abort();
        }
        // Said to nobody: who asks for another model knows.
        let _ = self
            .engine
            .borrow_mut()
            .handle(Request::Stop { job: LOAD_JOB });
        *self.stream.borrow_mut() = None;
        let (place, name, dtype, keep) = match (source, blob) {
            (ModelSource::File { name }, Some(blob)) => {
                return self.open(blob, name, Keeping::Nothing);
            }
            (ModelSource::File { .. }, None) => return post(&self.scope, bad_message()),
            (ModelSource::Files { name, files }, _) => {
                let blobs = Reflect::get(data, &JsValue::from_str("blobs"));
                let blobs = blobs.ok().and_then(|value| value.dyn_into::<Array>().ok());
                let blobs: Vec<Blob> = blobs
                    .iter()
                    .flat_map(Array::iter)
                    .filter_map(|value| value.dyn_into().ok())
                    .collect();
                if blobs.len() != files.len() {
                    return post(&self.scope, bad_message());
                }
                let files = files.into_iter().zip(blobs).collect();
                (Place::Picked { name, files }, None, Dtype::Auto, false)
            }
            (ModelSource::Url { url, name }, _) => {
                let place = Place::Web {
                    address: ModelAddress::Gguf { url },
                    endpoint: Endpoint::default(),
                };
                (place, Some(name), Dtype::Auto, false)
            }
            (
                ModelSource::Model {
                    model,
                    endpoint,
                    dtype,
                    keep,
                },
                _,
            ) => match asked(&model, endpoint.as_deref(), dtype.as_deref()) {
                Ok((address, endpoint, dtype)) => {
                    (Place::Web { address, endpoint }, None, dtype, keep)
                }
                Err(message) => return post(&self.scope, refused(message)),
            },
        };
        let abort = AbortController::new().expect("every browser with fetch can abort it");
        *self.download.borrow_mut() = Some(abort.clone());
        let host = Rc::clone(self);
        spawn_local(async move {
            let told = Cell::new((f64::NEG_INFINITY, 0));
            let teller = Rc::clone(&host);
            let tell = move |event| {
                if let Event::Progress {
                    stage: LoadStage::Downloading { loaded, total },
                } = event
                {
                    let now = teller.now();
                    let (told_ms, told_bytes) = told.get();
                    if now - told_ms < PROGRESS_EVERY_MS
                        && loaded.abs_diff(told_bytes) < PROGRESS_EVERY_BYTES
                        && Some(loaded) != total
                    {
                        return;
                    }
                    told.set((now, loaded));
                }
                post(&teller.scope, event);
            };
            let acquisition = Acquisition {
                place,
                dtype,
                keep,
                abort: &abort,
                tell: Rc::new(tell),
            };
            let acquired = acquisition.run().await;
            // A newer load may have taken this one's place.
            let is_current = host
                .download
                .borrow()
                .as_ref()
                .is_some_and(|current| *current == abort);
            if !is_current {
                return;
            }
            *host.download.borrow_mut() = None;
            match acquired {
                Ok(_) if abort.signal().aborted() => {
                    post(&host.scope, failed(&WebError::Cancelled));
                }
                Ok(acquired) => {
                    let name = name.unwrap_or(acquired.name);
                    host.open(acquired.blob, name, acquired.keeping);
                }
                Err(error) => post(&host.scope, failed(&error)),
            }
        });
    }

    fn open(self: &Rc<Self>, blob: Blob, name: String, keeping: Keeping) {
        match BlobReader::new(blob) {
            Ok(reader) => {
                let size = reader.size();
                self.keeping.set(keeping);
                *self.stream.borrow_mut() = Some(reader.stream());
                let events = self.engine.borrow_mut().load(Box::new(reader), &name, size);
                self.tell(events);
            }
            Err(error) => post(&self.scope, failed(&error)),
        }
    }

    /// Takes the engine's next step, once the bytes it reads are there.
    fn step(self: &Rc<Self>) {
        let bytes = self.engine.borrow().next_bytes();
        let stream = self.stream.borrow().clone();
        match (bytes, stream) {
            (Some(bytes), Some(stream)) if !stream.has(&bytes) => {
                let host = Rc::clone(self);
                spawn_local(async move {
                    stream.fetch(bytes).await;
                    // Whatever it is that the engine does by now.
                    host.take_step();
                });
            }
            _ => self.take_step(),
        }
    }

    fn take_step(&self) {
        self.has_turn.set(false);
        let events = self.engine.borrow_mut().step(&|| self.now());
        if self.engine.borrow().next_bytes().is_none() {
            *self.stream.borrow_mut() = None;
        }
        self.tell(events);
    }

    /// Posts the events, tokens by the frame, and asks for another turn while there is work.
    fn tell(&self, events: Vec<Event>) {
        let mut held = self.held.borrow_mut();
        for mut event in events {
            if let Event::Ready { model } = &mut event {
                model.keeping = self.keeping.get();
            }
            held.push(event);
        }
        let is_idle = self.engine.borrow().is_idle();
        let now = self.now();
        let can_wait = held
            .iter()
            .all(|event| matches!(event, Event::Token { .. }))
            && now - self.told_at.get() < FRAME_MS;
        if !held.is_empty() && (is_idle || !can_wait) {
            self.told_at.set(now);
            post_all(&self.scope, std::mem::take(&mut *held));
        }
        drop(held);
        if !is_idle && !self.has_turn.replace(true) {
            // Posting `null` cannot fail.
            let _ = self.turn.post_message(&JsValue::NULL);
        }
    }

    fn now(&self) -> f64 {
        self.scope.performance().map_or(0.0, |clock| clock.now())
    }
}

/// Bytes of this worker's wasm memory.
fn memory_bytes() -> u64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    // An `ArrayBuffer`, or a `SharedArrayBuffer` in the build with threads.
    let bytes = Reflect::get(&memory.buffer(), &JsValue::from_str("byteLength"));
    bytes.ok().and_then(|n| n.as_f64()).unwrap_or_default() as u64
}

/// A panic ends the worker: the page hears of it from here, while words can still be said.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        post(
            &scope,
            Event::Error {
                job: None,
                error: ErrorReport {
                    code: ErrorCode::WorkerCrashed,
                    message: "the part that runs the model met a bug and stopped".to_owned(),
                    hint: "restart it; your text and settings are still here".to_owned(),
                    retryable: true,
                },
            },
        );
    }));
}

fn post(scope: &DedicatedWorkerGlobalScope, event: Event) {
    post_all(scope, vec![event]);
}

/// One message for all of them.
fn post_all(scope: &DedicatedWorkerGlobalScope, events: Vec<Event>) {
    let (messages, transferred) = (Array::new(), Array::new());
    for mut event in events {
        let logits = match &mut event {
            Event::Logits { logits, .. } => Some(std::mem::take(logits)),
            _ => None,
        };
        let message = Envelope::new(event)
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .expect("an event is plain fields");
        if let Some(logits) = logits {
            let array = Float32Array::from(logits.as_slice());
            let _ = Reflect::set(&message, &JsValue::from_str("logits"), &array);
            transferred.push(&array.buffer());
        }
        messages.push(&message);
    }
    // Plain objects and arrays of our own can always be cloned or handed over.
    let _ = scope.post_message_with_transfer(&messages, &transferred);
}

fn bad_message() -> Event {
    Event::Error {
        job: None,
        error: ErrorReport {
            code: ErrorCode::BadMessage,
            message: "a message of an unknown version or shape arrived".to_owned(),
            hint: format!("send protocol version {PROTOCOL_VERSION}; on the page: reload it"),
            retryable: false,
        },
    }
}

/// What a load message names, read.
fn asked(
    model: &str,
    endpoint: Option<&str>,
    dtype: Option<&str>,
) -> Result<(ModelAddress, Endpoint, Dtype), String> {
    let endpoint = match endpoint {
        Some(text) => text.parse().map_err(|e: WebAddressError| e.to_string())?,
        None => Endpoint::default(),
    };
    let dtype = match dtype {
        Some(text) => text.parse().map_err(|e: DtypeError| e.to_string())?,
        None => Dtype::Auto,
    };
    let address = ModelAddress::parse(model, &endpoint).map_err(|e| e.to_string())?;
    Ok((address, endpoint, dtype))
}

/// An address that cannot be followed; its message says what to do after a semicolon.
fn refused(message: String) -> Event {
    let (message, hint) = match message.split_once("; ") {
        Some((message, hint)) => (message.to_owned(), hint.to_owned()),
        None => (message, "check the address".to_owned()),
    };
    Event::Error {
        job: None,
        error: ErrorReport {
            code: ErrorCode::NotAModel,
            message,
            hint,
            retryable: false,
        },
    }
}

fn failed(error: &WebError) -> Event {
    Event::Error {
        job: None,
        error: error.report(),
    }
}
