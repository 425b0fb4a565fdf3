//! `Host`: takes the page's requests in their order, and does the session's steps between them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::{Array, Promise, Reflect, Uint8Array};
use maker::bundle::Bundle;
use maker::manifest::Manifest;
use maker::message::{Event, KeptBot, MadeFile, Request};
use maker::posts_file::Bytes;
use maker::session::{Session, SessionError, WritePlan};
use posts::archive::{Import, ImportOptions};
use posts::dataset;
use serde::Serialize as _;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageChannel, MessageEvent};

use super::blob_file::BlobFile;
use super::bot_folder::BotFolder;
use super::picked_folder::PickedFolder;

/// Larger files are not looked into for a saved bot: they are archives with pictures and films.
const MAX_BUNDLE_BYTES: f64 = 1e9;
/// Milliseconds of steps between two looks at the requests.
const TURN_MS: f64 = 40.0;

struct Host {
    scope: DedicatedWorkerGlobalScope,
    requests: RefCell<VecDeque<(Request, Vec<Blob>)>>,
    is_running: Cell<bool>,
    channel: MessageChannel,
}

/// The open bot.
struct Open {
    name: String,
    session: Session,
    /// `None` where the browser keeps nothing.
    folder: Option<BotFolder>,
    /// Whether the browser can name a file anew.
    can_rename: bool,
}

/// Begins to take requests.
pub fn start() {
    console_error_panic_hook::set_once();
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let Ok(channel) = MessageChannel::new() else {
        return;
    };
    let host = Rc::new(Host {
        scope: scope.clone(),
        requests: RefCell::default(),
        is_running: Cell::default(),
        channel,
    });
    let open = Rc::new(RefCell::new(None));
    let hears = Rc::clone(&host);
    EventListener::new(&scope, "message", move |event| {
        let data = event.unchecked_ref::<MessageEvent>().data();
        // Messages of the script that starts this program are not requests.
        if let Ok(request) = serde_wasm_bindgen::from_value::<Request>(data.clone()) {
            hears
                .requests
                .borrow_mut()
                .push_back((request, blobs(&data)));
            if !hears.is_running.replace(true) {
                spawn_local(run(Rc::clone(&hears), Rc::clone(&open)));
            }
        }
    })
    .forget();
    host.post(&Event::Started);
}

/// The files beside a request.
fn blobs(data: &JsValue) -> Vec<Blob> {
    let blobs = Reflect::get(data, &"blobs".into()).ok();
    let blobs = blobs.and_then(|blobs| blobs.dyn_into::<Array>().ok());
    let blobs = blobs.iter().flat_map(Array::iter);
    blobs.filter_map(|blob| blob.dyn_into().ok()).collect()
}

/// Answers requests and does steps until there are none. Only one of these runs, so `open` is borrowed across awaits.
#[allow(clippy::await_holding_refcell_ref, reason = "one task borrows it")]
async fn run(host: Rc<Host>, open: Rc<RefCell<Option<Open>>>) {
    let mut open = open.borrow_mut();
    loop {
        let request = host.requests.borrow_mut().pop_front();
        if let Some((request, blobs)) = request {
            host.answer(&mut open, request, blobs).await;
        } else if let Some(open) = open.as_mut().filter(|open| open.session.has_steps()) {
            let end = host.now_ms() + TURN_MS;
            let mut last = None;
            while open.session.has_steps() && host.now_ms() < end {
                for event in open.session.step() {
                    match event {
                        // One of these per turn is enough.
                        Event::Progress { .. } => last = Some(event),
                        event => {
                            last = None;
                            host.post(&event);
                            open.keep(&host).await;
                            open.name_by_content(&host).await;
                        }
                    }
                }
            }
            if let Some(event) = last {
                host.post(&event);
            }
            host.turn().await;
        } else {
            break;
        }
    }
    host.is_running.set(false);
}

impl Host {
    async fn answer(&self, open: &mut Option<Open>, request: Request, blobs: Vec<Blob>) {
        match request {
            Request::Open { bot, now_ms } => {
                // Closes the files of the bot before.
                *open = None;
                let opened = Open::open(&bot, now_ms).await;
                let is_damaged = opened.folder.as_ref().is_some_and(|it| it.is_damaged);
                self.post(&Event::Opened {
                    name: bot,
                    is_kept: opened.folder.is_some(),
                    is_damaged,
                    bot: opened.session.view(),
                });
                if is_damaged {
                    self.post(&SessionError::DamagedBot.event(0));
                }
                *open = Some(opened);
                return;
            }
            Request::Bots => return self.list_bots(open.as_ref()).await,
            Request::Delete { bot } => {
                if open.as_ref().is_some_and(|open| open.name == bot) {
                    *open = None;
                }
                if let Err(error) = BotFolder::delete(&bot).await {
                    self.post(&SessionError::Storage(error).event(0));
                }
                return self.list_bots(open.as_ref()).await;
            }
            _ => {}
        }
        let Some(open) = open else { return };
        if let Err(error) = open.answer(self, request, blobs).await {
            self.post(&error.event(0));
            open.clear().await;
        }
    }

    async fn list_bots(&self, open: Option<&Open>) {
        let mut bots = Vec::new();
        for name in BotFolder::names().await {
            // The files of the open bot are open.
            let mut handles = Vec::new();
            let manifest = match open.filter(|open| open.name == name) {
                Some(open) => Some(open.session.manifest()),
                None => match BotFolder::open(&name).await {
                    Some(mut folder) => {
                        let manifest = folder.manifest().await;
                        if folder.is_damaged {
                            handles = folder.handles().await;
                        }
                        manifest
                    }
                    None => None,
                },
            };
            let accounts = manifest.iter().flat_map(|manifest| &manifest.accounts);
            handles.extend(accounts.map(|account| account.handle.clone()));
            bots.push(KeptBot {
                name,
                handles,
                size_bytes: manifest.as_ref().map_or(0, Manifest::size_bytes),
                begun_ms: manifest.map_or(0, |manifest| manifest.begun_ms),
            });
        }
        bots.sort_by_key(|bot| std::cmp::Reverse(bot.begun_ms));
        self.post(&Event::Bots { bots });
    }

    /// Lets messages in.
    async fn turn(&self) {
        let promise = Promise::new(&mut |resolve, _| {
            let resolved = Closure::once_into_js(move || resolve.call0(&JsValue::NULL));
            self.channel
                .port1()
                .set_onmessage(Some(resolved.unchecked_ref()));
            let _ = self.channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(promise).await;
    }

    fn post(&self, event: &Event) {
        if let Ok(message) = message_of(event) {
            let _ = self.scope.post_message(&message);
        }
    }

    /// Posts an event with a file.
    fn post_file(&self, event: &Event, bytes: &[u8]) {
        let Ok(message) = message_of(event) else {
            return;
        };
        let parts = Array::of1(&Uint8Array::from(bytes));
        if let Ok(blob) = Blob::new_with_u8_array_sequence(&parts) {
            let _ = Reflect::set(&message, &"blob".into(), &blob);
            let _ = self.scope.post_message(&message);
        }
    }

    fn now_ms(&self) -> f64 {
        js_sys::Date::now()
    }
}

fn message_of(event: &Event) -> Result<JsValue, serde_wasm_bindgen::Error> {
    event.serialize(&serde_wasm_bindgen::Serializer::json_compatible())
}

impl Open {
    async fn open(bot: &str, now_ms: i64) -> Self {
        let folder = BotFolder::open(bot).await;
        let fresh = |folder| Self {
            name: bot.to_owned(),
            session: Session::new(now_ms),
            folder,
            can_rename: true,
        };
        let Some(mut folder) = folder else {
            return fresh(None);
        };
        let Some(mut manifest) = folder.manifest().await else {
            return fresh(Some(folder));
        };
        for part in manifest.parts_mut() {
            folder.find(part).await;
        }
        let mut files: Vec<Box<dyn Bytes>> = Vec::new();
        for account in &manifest.accounts {
            match folder.file(&account.posts.file).await {
                Ok(file) => files.push(Box::new(file)),
                // Another tab has it: nothing of it is changed here.
                Err(_) => return fresh(None),
            }
        }
        match Session::open(manifest, files) {
            Ok(session) => Self {
                name: bot.to_owned(),
                session,
                folder: Some(folder),
                can_rename: true,
            },
            Err(_) => fresh(None),
        }
    }

    async fn answer(
        &mut self,
        host: &Host,
        request: Request,
        blobs: Vec<Blob>,
    ) -> Result<(), SessionError> {
        match request {
            Request::Open { .. } | Request::Bots | Request::Delete { .. } => {}
            Request::Import { paths, options } => {
                self.session.check_room()?;
                if let [blob] = blobs.as_slice()
                    && blob.size() < MAX_BUNDLE_BYTES
                    && let Some(bundle) = Bundle::open(Box::new(BlobFile::new(blob.clone())?))?
                {
                    return self.restore(host, bundle).await;
                }
                let import = opened(paths, blobs, options)?;
                self.import(host, import).await?;
            }
            Request::Paste { text } => {
                self.session.check_room()?;
                let file = Box::new(io::Cursor::new(text.into_bytes()));
                let import = Import::open(file, "the text", ImportOptions::default())?;
                self.import(host, import).await?;
            }
            Request::Stop => {
                if let Some(event) = self.session.stop() {
                    host.post(&event);
                    self.keep(host).await;
                }
            }
            Request::Remove { account } => {
                self.session.remove(account)?;
                self.changed(host).await;
            }
            Request::Rename {
                account,
                name,
                handle,
            } => {
                self.session.rename(account, &name, &handle)?;
                self.changed(host).await;
            }
            Request::Clean { options } => self.session.clean(options)?,
            Request::List(listing) => host.post(&self.session.list(listing)?),
            Request::Write {
                params,
                consent,
                now_ms,
                run_seed,
            } => {
                let plan = WritePlan {
                    params,
                    consent,
                    now_ms,
                    run_seed,
                };
                let (part, file) = self.new_file("dataset").await?;
                self.session.write(&plan, part, file)?;
                self.changed(host).await;
                self.name_dataset(host).await;
            }
            Request::KeepCard { markdown } => {
                self.session.keep_card(markdown);
                self.keep(host).await;
            }
            Request::Give { file } => self.give(host, file).await?,
            Request::Compare { text } => host.post(&self.session.compare(&text)?),
        }
        Ok(())
    }

    async fn import(&mut self, host: &Host, import: Import) -> Result<(), SessionError> {
        let (part, file) = self.new_file("posts").await?;
        self.session.import(import, part, file)?;
        // A tab that is closed while it reads keeps what was read.
        self.keep(host).await;
        Ok(())
    }

    async fn restore(&mut self, host: &Host, bundle: Bundle) -> Result<(), SessionError> {
        let mut files = Vec::new();
        for _ in 0..bundle.manifest.accounts.len() {
            files.push(self.new_file("posts").await?);
        }
        self.session.restore(bundle, files)?;
        self.keep(host).await;
        Ok(())
    }

    /// A new file of the bot, in storage or in memory.
    async fn new_file(&mut self, kind: &str) -> Result<(String, Box<dyn Bytes>), SessionError> {
        let name = self.session.new_part(kind);
        let Some(folder) = &self.folder else {
            return Ok((name, Box::<Vec<u8>>::default()));
        };
        let mut file = folder.file(&name).await?;
        file.truncate()?;
        Ok((name, Box::new(file)))
    }

    /// Names the files of posts by their content, once that is known and in the manifest.
    async fn name_by_content(&mut self, host: &Host) {
        let to_name = self.session.posts_to_name();
        let is_needed = self.can_rename && !to_name.is_empty();
        let Some(folder) = self.folder.as_ref().filter(|_| is_needed) else {
            return;
        };
        for (place, part) in to_name {
            if self.session.close_posts(place).is_err() {
                continue;
            }
            let renamed = folder.rename(&part.file, &part.sha256).await;
            self.can_rename = renamed.is_ok();
            let name = match self.can_rename {
                true => part.sha256,
                false => part.file,
            };
            match folder.file_again(&name).await {
                Ok(file) => self.session.reopen_posts(place, &name, Box::new(file)),
                // Another tab has it since: nothing of it is changed here.
                Err(error) => {
                    self.folder = None;
                    return host.post(&SessionError::Storage(error).event(0));
                }
            }
        }
        self.keep(host).await;
    }

    /// The same for the training text.
    async fn name_dataset(&mut self, host: &Host) {
        let part = self.session.dataset().cloned();
        if let (Some(folder), Some(part)) = (&self.folder, part)
            && let Some(name) = part.name_to_get()
            && folder.rename(&part.file, name).await.is_ok()
        {
            self.session.name_dataset(name);
            self.keep(host).await;
        }
    }

    async fn changed(&mut self, host: &Host) {
        host.post(&Event::Changed {
            bot: self.session.view(),
        });
        self.keep(host).await;
    }

    /// Writes the manifest, and deletes the files that it does not name.
    async fn keep(&mut self, host: &Host) {
        let Some(folder) = &mut self.folder else {
            return;
        };
        match folder.write_manifest(&self.session.manifest()).await {
            Ok(()) => self.clear().await,
            Err(error) => host.post(&SessionError::Storage(error).event(0)),
        }
    }

    /// Deletes the files that are no part of the bot.
    async fn clear(&mut self) {
        let files = self.session.take_unneeded();
        if let Some(folder) = &self.folder {
            for file in files {
                folder.remove(&file).await;
            }
        }
    }

    async fn give(&mut self, host: &Host, file: MadeFile) -> Result<(), SessionError> {
        let handles = self.session.handles();
        let joined = dataset::joined_handles(&handles);
        let (name, bytes) = match file {
            MadeFile::Dataset => (dataset::file_name(&handles), self.session.text()?),
            MadeFile::Json => {
                let mut bytes = Vec::new();
                dataset::write_raw(&self.session.kept_texts()?, &mut bytes)?;
                (format!("tweets-{joined}.json"), bytes)
            }
            MadeFile::Record => {
                let record = self.session.record()?;
                let bytes = serde_json::to_vec_pretty(record).map_err(io::Error::from)?;
                (format!("record-{joined}.json"), bytes)
            }
            MadeFile::Bot => (
                format!("bot-{joined}.zip"),
                self.session.bundle(Vec::new())?,
            ),
        };
        host.post_file(&Event::Given { file, name }, &bytes);
        Ok(())
    }
}

/// The export in these files: one file, or a folder.
fn opened(
    paths: Vec<String>,
    blobs: Vec<Blob>,
    options: ImportOptions,
) -> Result<Import, SessionError> {
    match (<[Blob; 1]>::try_from(blobs), paths.first()) {
        (Ok([blob]), Some(name)) => {
            let file = Box::new(BlobFile::new(blob)?);
            Ok(Import::open(file, name, options)?)
        }
        (Err(blobs), _) => {
            let folder = Box::new(PickedFolder::new(paths, blobs));
            Ok(Import::open_entries(folder, options)?)
        }
        (Ok(_), None) => Err(SessionError::NoAccount),
    }
}
