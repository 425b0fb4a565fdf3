//! `Page`: the one place where components meet the state, and the state meets the worker.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;

use crate::protocol::{ErrorCode, ErrorReport, Event, ModelSource, Request};
use crate::state::PageState;
use crate::state::model::ModelChoice;

use super::worker_bridge::WorkerBridge;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage;

/// Handle on the page's state, cheap to copy into every component.
#[derive(Clone, Copy)]
pub struct Page {
    state: RwSignal<PageState>,
    channel: StoredValue<Channel, LocalStorage>,
    worker_build: RwSignal<Option<WorkerBuild>>,
}

/// The build of the worker that a visit uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerBuild {
    /// On how many threads it computes.
    pub threads: u32,
    /// Its kernels, as [`Event::Started`] names them.
    pub simd: String,
}

/// What stands between state and worker.
struct Channel {
    bridge: Option<Rc<WorkerBridge>>,
    /// Events of the current frame, in order.
    inbox: Rc<RefCell<Vec<Event>>>,
    /// The files the visitor opened; their bytes are read by the worker.
    files: Vec<web_sys::File>,
}

impl Page {
    /// Starts the worker and shows `state`.
    pub fn start(state: PageState) -> Page {
        let page = Page {
            state: RwSignal::new(state),
            channel: StoredValue::new_local(Channel {
                bridge: None,
                inbox: Rc::default(),
                files: Vec::new(),
            }),
            worker_build: RwSignal::new(None),
        };
        match WorkerBridge::start(move |event| page.receive(event)) {
            Ok(bridge) => page
                .channel
                .update_value(|channel| channel.bridge = Some(Rc::new(bridge))),
            Err(error) => page.report_no_worker(&error),
        }
        page
    }

    /// The page of the current component.
    pub fn here() -> Page {
        expect_context::<Page>()
    }

    /// Which build of the worker computes, once it has started.
    pub fn worker_build(self) -> Option<WorkerBuild> {
        self.worker_build.get()
    }

    /// Looks at the state, and looks again when it changes.
    pub fn with<T>(self, look: impl FnOnce(&PageState) -> T) -> T {
        self.state.with(look)
    }

    /// Looks at the state once.
    pub fn with_untracked<T>(self, look: impl FnOnce(&PageState) -> T) -> T {
        self.state.with_untracked(look)
    }

    /// A part of the state that is told only when it differs.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        look: impl Fn(&PageState) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.state.with(&look))
    }

    /// What a visitor does; what follows from it goes to the worker.
    pub fn act(self, action: impl FnOnce(&mut PageState) -> Vec<Request>) {
        self.with_untracked(PageState::has_worker_ended)
            .then(|| self.restart_worker());
        let requests = self.state.try_update(action).unwrap_or_default();
        self.follow_wish_for_worker();
        self.send(&requests);
    }

    /// A change that asks nothing of the worker.
    pub fn change(self, change: impl FnOnce(&mut PageState)) {
        self.state.update(change);
        self.follow_wish_for_worker();
    }

    /// Ends the worker, which gives its memory back, and starts a new one, where the state says so.
    fn follow_wish_for_worker(self) {
        let is_wanted = self
            .state
            .try_update_untracked(PageState::take_wish_for_worker);
        if is_wanted == Some(true) {
            self.restart_worker();
        }
    }

    /// Opens a file the visitor chose.
    pub fn open_file(self, file: web_sys::File) {
        self.open_files(vec![file]);
    }

    /// Opens what the visitor chose: a GGUF, or the files of a folder laid out like a repository.
    pub fn open_files(self, files: Vec<web_sys::File>) {
        self.open_picked(None, files);
    }

    /// Opens the files of a folder, which the model is called after.
    pub fn open_folder(self, name: &str, files: Vec<web_sys::File>) {
        self.open_picked(Some(name), files);
    }

    fn open_picked(self, folder: Option<&str>, files: Vec<web_sys::File>) {
        let names: Vec<String> = files.iter().map(web_sys::File::name).collect();
        let size = files.iter().map(|file| file.size() as u64).sum();
        let Some(mut choice) = ModelChoice::files(&names, size) else {
            return;
        };
        if let Some(folder) = folder {
            folder.clone_into(&mut choice.name);
        }
        self.channel.update_value(|channel| channel.files = files);
        self.act(|state| state.open_model(choice));
    }

    /// Puts a new worker in place of one that ended.
    pub fn restart_worker(self) {
        // What the old one said last is not the new one's.
        self.channel
            .with_value(|channel| channel.inbox.borrow_mut().clear());
        self.state.update(PageState::worker_restarted);
        let restarted = match self.channel.with_value(|channel| channel.bridge.clone()) {
            Some(bridge) => bridge.restart(),
            None => WorkerBridge::start(move |event| self.receive(event)).map(|bridge| {
                self.channel
                    .update_value(|channel| channel.bridge = Some(Rc::new(bridge)))
            }),
        };
        if let Err(error) = restarted {
            self.report_no_worker(&error);
        }
    }

    fn report_no_worker(self, error: &WebError) {
        let report = ErrorReport {
            code: ErrorCode::WorkerCrashed,
            message: error.to_string(),
            hint: "restart it; if that does not help, reload the page".to_owned(),
            retryable: true,
        };
        self.state.update(|state| {
            state.update(
                Event::Error {
                    job: None,
                    error: report,
                },
                now_ms(),
            );
        });
    }

    fn send(self, requests: &[Request]) {
        self.channel.with_value(|channel| {
            let Some(bridge) = &channel.bridge else {
                return;
            };
            for request in requests {
                match request {
                    Request::Load {
                        source: ModelSource::File { .. } | ModelSource::Files { .. },
                    } => bridge.send_files(request, &channel.files),
                    Request::Load {
                        source: ModelSource::Model { keep: true, .. },
                    } => {
                        // Only a page may ask for it; refused, the browser clears models when space gets short.
                        leptos::task::spawn_local(async {
                            model_storage::persist().await;
                        });
                        bridge.send(request);
                    }
                    _ => bridge.send(request),
                }
            }
        });
    }

    /// Tokens and progress wait for the next frame; what a queued wish may hang on is taken at once,
    /// because a hidden page has no frames.
    fn receive(self, event: Event) {
        let waits = matches!(
            event,
            Event::Token { .. } | Event::Progress { .. } | Event::Measuring { .. }
        );
        let Some(inbox) = self.channel.try_with_value(|channel| channel.inbox.clone()) else {
            return;
        };
        if let Event::Started { threads, simd, .. } = &event {
            self.worker_build.set(Some(WorkerBuild {
                threads: u32::try_from(*threads).unwrap_or(u32::MAX),
                simd: simd.clone(),
            }));
        }
        let is_first = {
            let mut inbox = inbox.borrow_mut();
            inbox.push(event);
            inbox.len() == 1
        };
        if !waits {
            self.take_inbox(&inbox);
        } else if is_first {
            request_animation_frame(move || self.take_inbox(&inbox));
        }
    }

    fn take_inbox(self, inbox: &RefCell<Vec<Event>>) {
        let events = inbox.take();
        if events.is_empty() {
            return;
        }
        let now_ms = now_ms();
        let requests = self.state.try_update(|state| {
            let mut requests = Vec::new();
            for event in events {
                requests.extend(state.update(event, now_ms));
            }
            requests
        });
        self.send(&requests.unwrap_or_default());
    }
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// A seed nobody chose.
pub fn fresh_seed() -> u32 {
    // The browser's own generator; a page that may run wasm has one.
    getrandom::u32().unwrap_or(0)
}
