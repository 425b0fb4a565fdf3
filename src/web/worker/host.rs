//! `Host`: the worker's end of the channel; feeds the engine, one step per turn of the event loop, and fetches models.

use std::cell::{Cell, RefCell};
use std::io::Read as _;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    AbortController, Blob, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, MessagePort,
};

use super::acquisition::{Acquired, Acquisition, LookedUp, Reporter, SourceFiles};
use super::blob_reader::BlobReader;
use super::blob_stream::BlobStream;
use super::message;
use super::outbox::Outbox;
use crate::engine::{AdapterFiles, Engine, ModelFile};
use crate::hub::{ModelAddress, ModelRef};
use crate::kernels;
use crate::parallel::Threads;
use crate::protocol::{AdapterShare, ErrorCode, ErrorReport, Event, JobId, Request, Retention};
use crate::web::shared::js_error::WebError;
use crate::web::shared::memory::memory_bytes;

/// A worker that gets no request for this time compiles the tokenizer's pattern, which the first text needs.
const PREPARE_AFTER_MS: u32 = 500;

/// Most bytes of an adapter's files: a rank of 256 on every matrix of GPT-2 medium has 200 MB.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
const MAX_ADAPTER_BYTES: u64 = 1 << 28;

struct Host {
    outbox: Rc<Outbox>,
    engine: RefCell<Engine>,
    /// The address of the bundled model.
    bundled_url: RefCell<Option<String>>,
    /// The job of the last load.
    load: Cell<Option<JobId>>,
    /// Jobs that wait for bytes from the network or from storage.
    fetches: RefCell<Vec<(JobId, AbortController)>>,
    /// The last answer of a model's host, for the load that may follow.
    looked_up: RefCell<Option<Rc<LookedUp>>>,
    /// The bytes of the model that the engine loads.
    stream: RefCell<Option<Rc<BlobStream>>>,
    /// Where the model that the engine loads is kept for the next visit.
    retention: Cell<Retention>,
    /// A message to this port starts the next turn: unlike a timer it is not throttled, and messages of the page are
    /// handled between two turns.
    turn: MessagePort,
    /// Whether a turn is due: two turns at once would read one stream.
    has_turn: Cell<bool>,
}

/// Begins to take requests, computes on `threads`, and posts [`Event::Started`].
pub fn start(threads: Threads) {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let outbox = Rc::new(Outbox::new(scope.clone()));
    report_panics();
    let channel = MessageChannel::new().expect("every browser with workers has message channels");
    let mut engine = Engine::new();
    engine.set_memory_meter(memory_bytes);
    let n_threads = threads.count();
    engine.set_threads(threads);
    let host = Rc::new(Host {
        outbox,
        engine: RefCell::new(engine),
        bundled_url: RefCell::default(),
        load: Cell::default(),
        fetches: RefCell::default(),
        looked_up: RefCell::default(),
        stream: RefCell::default(),
        retention: Cell::default(),
        turn: channel.port2(),
        has_turn: Cell::default(),
    });
    let turns = channel.port1();
    let on_turn = Rc::clone(&host);
    EventListener::new(&turns, "message", move |_| on_turn.step()).forget();
    // Unlike `onmessage`, a listener does not start the port.
    turns.start();
    let on_message = Rc::clone(&host);
    EventListener::new(&scope, "message", move |event| {
        let event: &MessageEvent = event.unchecked_ref();
        on_message.receive(&event.data());
    })
    .forget();
    host.outbox.post(Event::Started {
        simd: kernels::simd().to_owned(),
        threads: n_threads,
    });
    Timeout::new(PREPARE_AFTER_MS, ModelFile::prepare).forget();
}

impl Host {
    fn receive(self: &Rc<Self>, data: &JsValue) {
        let request = match message::read(data) {
            Ok(request) => request,
            Err(answer) => return self.outbox.post(*answer),
        };
        match request {
            Request::LocateBundled { url } => *self.bundled_url.borrow_mut() = Some(url),
            Request::Load { job, model, keep } => {
                self.load(job, model, keep, message::blobs(data));
            }
            Request::Adapt { job, adapters } => self.adapt(job, adapters, &message::blobs(data)),
            Request::LookUp {
                job,
                model,
                device_memory_bytes,
            } => self.look_up(job, model, device_memory_bytes),
            Request::Stop { job } => match self.abort_of(job) {
                Some(abort) => abort.abort(),
                None => self.pass_on(request),
            },
            other => self.pass_on(other),
        }
    }

    /// Reads the adapters' files, two of each, and has the engine compute with them.
    fn adapt(&self, job: JobId, adapters: Vec<AdapterShare>, blobs: &[Blob]) {
        if blobs.len() != 2 * adapters.len() {
            return self.outbox.post(message::bad_message(Some(job)));
        }
        let mut files = Vec::with_capacity(adapters.len());
        for (AdapterShare { name, share }, pair) in adapters.into_iter().zip(blobs.chunks(2)) {
            let read = |blob: &Blob, most: u64| -> Result<Vec<u8>, WebError> {
                let reader = BlobReader::new(blob.clone())?;
                let mut bytes = Vec::new();
                let read = reader.take(most).read_to_end(&mut bytes);
                read.map_err(|error| WebError::Read {
                    reason: error.to_string(),
                })?;
                Ok(bytes)
            };
            let read = match self.engine.borrow().knows_adapter(&name) {
                true => Ok((Vec::new(), Vec::new())),
                false => read(&pair[0], MAX_CONFIG_BYTES)
                    .and_then(|config| Ok((config, read(&pair[1], MAX_ADAPTER_BYTES)?))),
            };
            match read {
                Ok((config_json, weights)) => files.push(AdapterFiles {
                    name,
                    share,
                    config_json,
                    weights,
                }),
                Err(error) => return self.fail(job, &error),
            }
        }
        let events = self.engine.borrow_mut().adapt(job, &files);
        self.follow(events);
    }

    fn pass_on(&self, request: Request) {
        let events = self.engine.borrow_mut().handle(request);
        self.follow(events);
    }

    /// Fetches the model and has the engine load it, in place of an earlier load.
    fn load(self: &Rc<Self>, job: JobId, model: ModelRef, keep: bool, blobs: Vec<Blob>) {
        self.end_earlier_load();
        let picked = match &model.address {
            ModelAddress::Files { names, .. } if names.len() == blobs.len() => {
                names.iter().cloned().zip(blobs).collect()
            }
            ModelAddress::Files { .. } => {
                return self.outbox.post(message::bad_message(Some(job)));
            }
            _ => Vec::new(),
        };
        self.load.set(Some(job));
        let files = self.begin_fetch(job, model, picked);
        let looked_up = self.looked_up.take();
        let looked_up = looked_up.filter(|answer| answer.is_of(&files.model));
        let host = Rc::clone(self);
        spawn_local(async move {
            let acquisition = Acquisition {
                files: &files,
                keep,
                looked_up,
            };
            let acquired = acquisition.run().await;
            // A newer load may have replaced this one.
            if !host.end_fetch(job) {
                return;
            }
            match acquired {
                Ok(_) if files.abort.signal().aborted() => {
                    host.fail(job, &WebError::Cancelled);
                }
                Ok(acquired) => host.open(job, &files.model, acquired),
                Err(error) => host.fail(job, &error),
            }
        });
    }

    /// Answers with a model's costs, from the last answer of its host if that was about the same model.
    fn look_up(self: &Rc<Self>, job: JobId, model: ModelRef, device_memory_bytes: Option<u64>) {
        if !LookedUp::is_possible(&model) {
            return self.outbox.post(message::bad_message(Some(job)));
        }
        let files = self.begin_fetch(job, model, Vec::new());
        let host = Rc::clone(self);
        spawn_local(async move {
            let known = host.looked_up.borrow().clone();
            let answer = match known.filter(|answer| answer.is_of(&files.model)) {
                Some(answer) => Ok(answer),
                None => LookedUp::fetch(&files).await.map(Rc::new),
            };
            let offer = match answer {
                Ok(answer) => {
                    *host.looked_up.borrow_mut() = Some(Rc::clone(&answer));
                    answer.offer(&files.model, device_memory_bytes).await
                }
                Err(error) => Err(error),
            };
            if !host.end_fetch(job) {
                return;
            }
            match offer {
                Ok(_) if files.abort.signal().aborted() => host.fail(job, &WebError::Cancelled),
                Ok(offer) => host.outbox.post(Event::Offered { job, offer }),
                Err(error) => host.fail(job, &error),
            }
        });
    }

    /// Ends the earlier load, silently: the page knows which load it replaces.
    fn end_earlier_load(&self) {
        let Some(job) = self.load.take() else { return };
        if let Some(abort) = self.abort_of(job) {
            self.end_fetch(job);
            abort.abort();
        }
        let _ = self.engine.borrow_mut().handle(Request::Stop { job });
        *self.stream.borrow_mut() = None;
    }

    fn begin_fetch(&self, job: JobId, model: ModelRef, picked: Vec<(String, Blob)>) -> SourceFiles {
        let abort = AbortController::new().expect("every browser with fetch can abort it");
        self.fetches.borrow_mut().push((job, abort.clone()));
        let outbox = Rc::clone(&self.outbox);
        let post = Rc::new(move |event| outbox.post_progress(event));
        SourceFiles {
            model,
            picked,
            bundled_url: self.bundled_url.borrow().clone(),
            abort,
            reporter: Reporter { job, post },
        }
    }

    /// Forgets the fetch of a job; `false` if it was forgotten before.
    fn end_fetch(&self, job: JobId) -> bool {
        let mut fetches = self.fetches.borrow_mut();
        let found = fetches.iter().position(|(id, _)| *id == job);
        found.map(|index| fetches.swap_remove(index)).is_some()
    }

    fn abort_of(&self, job: JobId) -> Option<AbortController> {
        let fetches = self.fetches.borrow();
        let found = fetches.iter().find(|(id, _)| *id == job);
        found.map(|(_, abort)| abort.clone())
    }

    fn fail(&self, job: JobId, error: &WebError) {
        self.outbox.post(Event::Error {
            job: Some(job),
            error: error.report(),
        });
    }

    fn open(self: &Rc<Self>, job: JobId, model: &ModelRef, acquired: Acquired) {
        match BlobReader::new(acquired.blob) {
            Ok(reader) => {
                let size = reader.size();
                self.retention.set(acquired.retention);
                *self.stream.borrow_mut() = Some(reader.stream());
                let mut engine = self.engine.borrow_mut();
                let events =
                    engine.load(job, Box::new(reader), &model.name(), size, acquired.notices);
                drop(engine);
                self.follow(events);
            }
            Err(error) => self.fail(job, &error),
        }
    }

    /// Takes the engine's next step, once the bytes that it reads are at hand.
    fn step(self: &Rc<Self>) {
        let bytes = self.engine.borrow().next_bytes();
        let stream = self.stream.borrow().clone();
        match (bytes, stream) {
            (Some(bytes), Some(stream)) if !stream.has(&bytes) => {
                let host = Rc::clone(self);
                spawn_local(async move {
                    stream.fetch(bytes).await;
                    // The engine may have another job by now; the step is of that job.
                    host.take_step();
                });
            }
            _ => self.take_step(),
        }
    }

    fn take_step(&self) {
        self.has_turn.set(false);
        let events = self.engine.borrow_mut().step(&|| self.outbox.now());
        if self.engine.borrow().next_bytes().is_none() {
            *self.stream.borrow_mut() = None;
        }
        self.follow(events);
    }

    /// Posts the engine's events, and requests another turn while the engine has work.
    fn follow(&self, mut events: Vec<Event>) {
        for event in &mut events {
            if let Event::Ready { model, .. } = event {
                model.retention = self.retention.get();
            }
        }
        let is_idle = self.engine.borrow().is_idle();
        self.outbox.post_step(events, is_idle);
        if !is_idle && !self.has_turn.replace(true) {
            // `null` can always be posted.
            let _ = self.turn.post_message(&JsValue::NULL);
        }
    }
}

/// Reports a panic to the page before it ends the worker.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        // The hook must be free to move between threads, which an outbox is not.
        let outbox = Outbox::new(js_sys::global().unchecked_into());
        outbox.post(Event::Error {
            job: None,
            error: ErrorReport {
                code: ErrorCode::WorkerCrashed,
                message: "the part that runs the model met a bug and stopped".to_owned(),
                hint: "start it again".to_owned(),
                retryable: true,
            },
        });
    }));
}
