//! `Page`: joins the components with the state, and executes the state's commands.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::file::File;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::bot::Bot;
use crate::hub::{ModelAddress, ModelRef};
use crate::protocol::{AdapterShare, ErrorCode, ErrorReport, Event, Request};
use crate::state::model_choice::ModelChoice;
use crate::state::wording::isolated;
use crate::state::{Command, PageState};

use super::worker_bridge::{EngineSource, WorkerBridge};
use super::{maker_door, shared_files};
use crate::web::shared::model_storage;

/// Handle on the page's state, cheap to copy into every component.
#[derive(Clone, Copy)]
pub struct Page {
    state: RwSignal<PageState>,
    channel: StoredValue<Channel, LocalStorage>,
    worker_build: RwSignal<Option<RunningBuild>>,
}

/// Hears the events of the engine.
pub type EventListener = Rc<dyn Fn(Page, &Event)>;

/// Picked models whose files stay at hand.
const KEPT_FILES: usize = 2;

/// The build of the worker that this visit uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningBuild {
    /// On how many threads it computes.
    pub threads: u32,
    /// Its kernels, as [`Event::Started`] names them.
    pub simd: String,
}

/// The way from the state to the worker and back.
struct Channel {
    source: EngineSource,
    bridge: Option<WorkerBridge>,
    /// Hears every event before the state does.
    listener: Option<EventListener>,
    /// Events of the current frame, in order.
    inbox: Rc<RefCell<Vec<Event>>>,
    /// The files of the models that the visitor opened last, the newest at the end; the worker reads their bytes. An
    /// earlier model is opened again if the next one cannot be.
    files: Vec<(ModelRef, Vec<File>)>,
    /// The adapters of the bot that is mixed, by the names of the bots' folders.
    adapters: Vec<(String, [File; 2])>,
}

impl Page {
    /// Starts the worker and shows `state`.
    pub fn start(state: PageState) -> Page {
        Self::start_on(state, EngineSource::Worker, None)
    }

    /// Shows `state`, whose engine is of `source`; `listener` hears every event of it first.
    pub fn start_on(
        state: PageState,
        source: EngineSource,
        listener: Option<EventListener>,
    ) -> Page {
        let page = Page {
            state: RwSignal::new(state),
            channel: StoredValue::new_local(Channel {
                source,
                bridge: None,
                listener,
                inbox: Rc::default(),
                files: Vec::new(),
                adapters: Vec::new(),
            }),
            worker_build: RwSignal::new(None),
        };
        page.start_worker();
        page
    }

    /// The page of the current component.
    pub fn here() -> Page {
        expect_context::<Page>()
    }

    /// The build of the worker, once it has started.
    pub fn worker_build(self) -> Option<RunningBuild> {
        self.worker_build.get()
    }

    /// Reads the state, and again when it changes.
    pub fn with<T>(self, read: impl FnOnce(&PageState) -> T) -> T {
        self.state.with(read)
    }

    /// Reads the state once.
    pub fn with_untracked<T>(self, read: impl FnOnce(&PageState) -> T) -> T {
        self.state.with_untracked(read)
    }

    /// A part of the state, whose readers run only when that part changes.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        read: impl Fn(&PageState) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.state.with(&read))
    }

    /// Changes the state and executes the commands that follow.
    pub fn act(self, action: impl FnOnce(&mut PageState) -> Vec<Command>) {
        let commands = self.state.try_update(action).unwrap_or_default();
        for command in commands {
            self.execute(command);
        }
    }

    /// Changes the state by a function that returns no commands.
    pub fn change(self, change: impl FnOnce(&mut PageState)) {
        self.state.update(change);
    }

    /// Opens the visitor's files: a GGUF, or the files of a folder laid out like a repository, whose name becomes the
    /// model's.
    pub fn open_files(self, folder: Option<String>, files: Vec<File>) {
        if files.is_empty() {
            return;
        }
        let names = files.iter().map(File::name).collect();
        let size_bytes = files.iter().map(|file| file.size()).sum();
        let model = ModelRef::of_files(folder, names);
        self.take_files(&model, files);
        self.act(|state| state.open_model(ModelChoice::new(model).with_size(size_bytes)));
    }

    /// Opens the maker, and gives it the files that were opened last, unless they were a folder.
    pub fn open_maker(self) {
        self.channel.with_value(|channel| {
            if let Some((model, files)) = channel.files.last()
                && matches!(model.address, ModelAddress::Files { folder: None, .. })
            {
                shared_files::hand(files);
            }
        });
        self.change(|state| state.dismiss_problem());
        let _ = window().location().set_hash(maker_door::FRAGMENT);
    }

    fn take_files(self, model: &ModelRef, files: Vec<File>) {
        self.channel.update_value(|channel| {
            channel.files.retain(|(known, _)| known != model);
            let surplus = (channel.files.len() + 1).saturating_sub(KEPT_FILES);
            channel.files.drain(..surplus);
            channel.files.push((model.clone(), files));
        });
    }

    /// Opens a bot that was made here, with its file.
    pub fn open_made_bot(self, bot: Bot, choice: ModelChoice, file: File) {
        self.take_files(&choice.model, vec![file]);
        self.act(|state| state.open_made_bot(bot, choice));
    }

    fn execute(self, command: Command) {
        match command {
            Command::Send(request) => self.with_bridge(|bridge, _| bridge.send(&request)),
            Command::SendFiles(request) if !self.has_files(&request) => self.miss_files(&request),
            Command::SendFiles(Request::Adapt { job, adapters }) => {
                let files = self.adapter_files(&adapters);
                self.with_bridge(|bridge, _| {
                    bridge.send_files(&Request::Adapt { job, adapters }, &files);
                });
            }
            Command::SendFiles(request) => self.with_bridge(|bridge, files| {
                let Request::Load { model, .. } = &request else {
                    return;
                };
                let files = files.iter().find(|(known, _)| known == model);
                bridge.send_files(&request, files.map_or(&[], |(_, files)| files));
            }),
            Command::RestartWorker => self.start_worker(),
            // A page may ask for persistent storage, a worker may not. After a refusal the browser may delete the
            // models.
            Command::Persist => spawn_local(async {
                model_storage::persist().await;
            }),
        }
    }

    /// Takes the files of adapters: `adapter_config.json` and `adapter_model.safetensors` of each.
    pub fn take_adapters(self, adapters: Vec<(String, [File; 2])>) {
        self.channel
            .update_value(|channel| channel.adapters = adapters);
    }

    fn adapter_files(self, adapters: &[AdapterShare]) -> Vec<File> {
        self.channel.with_value(|channel| {
            let files = |share: &AdapterShare| {
                let known = channel
                    .adapters
                    .iter()
                    .find(|(name, _)| *name == share.name);
                known.map(|(_, files)| files.clone())
            };
            adapters.iter().filter_map(files).flatten().collect()
        })
    }

    /// Whether the files of the model that is to be loaded are at hand.
    fn has_files(self, request: &Request) -> bool {
        let Request::Load { model, .. } = request else {
            return true;
        };
        let is_known = |channel: &Channel| channel.files.iter().any(|(known, _)| known == model);
        self.channel.with_value(is_known)
    }

    /// Tells that a file is on another device, which a link names.
    fn miss_files(self, request: &Request) {
        let Request::Load { job, model, .. } = request else {
            return;
        };
        let error = ErrorReport {
            code: ErrorCode::Download,
            message: format!("the file {} is not on this page", isolated(&model.name())),
            hint: "choose it with “Open a model” at the top".to_owned(),
            retryable: false,
        };
        let job = Some(*job);
        self.act(|state| state.update(Event::Error { job, error }, now_ms()));
    }

    fn with_bridge(self, send: impl FnOnce(&WorkerBridge, &[(ModelRef, Vec<File>)])) {
        self.channel.with_value(|channel| {
            if let Some(bridge) = &channel.bridge {
                send(bridge, &channel.files);
            }
        });
    }

    /// Starts a worker; an earlier one ends.
    fn start_worker(self) {
        let source = self.channel.with_value(|channel| channel.source.clone());
        let started = WorkerBridge::start(&source, move |event| self.receive(event));
        let (bridge, error) = match started {
            Ok(bridge) => (Some(bridge), None),
            Err(error) => (None, Some(error)),
        };
        let ended = self.channel.try_update_value(|channel| {
            // The last events of the earlier worker are dropped.
            channel.inbox.borrow_mut().clear();
            std::mem::replace(&mut channel.bridge, bridge)
        });
        drop(ended);
        if let Some(error) = error {
            let event = Event::Error {
                job: None,
                error: ErrorReport {
                    code: ErrorCode::WorkerCrashed,
                    message: error.to_string(),
                    hint: "restart it; if that does not help, reload the page".to_owned(),
                    retryable: true,
                },
            };
            self.act(|state| state.update(event, now_ms()));
        }
    }

    /// Tokens and progress wait for the next frame. Other events are taken at once, because more work may follow from
    /// them, and a hidden page has no frames.
    fn receive(self, event: Event) {
        let can_wait = matches!(
            event,
            Event::Token { .. } | Event::Progress { .. } | Event::Measuring { .. }
        );
        let ends = |channel: &Channel| (channel.inbox.clone(), channel.listener.clone());
        let Some((inbox, listener)) = self.channel.try_with_value(ends) else {
            return;
        };
        if let Some(listener) = listener {
            listener(self, &event);
        }
        if let Event::Started { threads, simd, .. } = &event {
            self.worker_build.set(Some(RunningBuild {
                threads: u32::try_from(*threads).unwrap_or(u32::MAX),
                simd: simd.clone(),
            }));
        }
        let is_first = {
            let mut inbox = inbox.borrow_mut();
            inbox.push(event);
            inbox.len() == 1
        };
        if !can_wait {
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
        self.act(|state| {
            let events = events.into_iter();
            events
                .flat_map(|event| state.update(event, now_ms))
                .collect()
        });
    }
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// A random seed.
pub fn fresh_seed() -> u32 {
    // The browser's own generator, which every page with WebAssembly has.
    getrandom::u32().unwrap_or(0)
}

/// Today as `2026-11-21`.
pub fn today() -> String {
    let now = String::from(js_sys::Date::new_0().to_iso_string());
    now.chars().take("0000-00-00".len()).collect()
}

/// Milliseconds since 1970.
pub fn date_ms() -> i64 {
    // Whole milliseconds, far below 2^53.
    js_sys::Date::now() as i64
}
