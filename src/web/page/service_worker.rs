//! The page's service worker, `sw.js`, as an object: to register, to find, to send messages to.

use gloo::events::EventListener;
use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CacheStorage, MessageChannel, MessageEvent, ServiceWorker, ServiceWorkerContainer,
    ServiceWorkerRegistration,
};

use super::address::{folder, own_file};
use super::browser_window;
use super::context::RunningBuild;
use crate::web::shared::time_limit::{SOON_MS, settled_within};

/// How long the browser may take to fetch the service worker's script.
const REGISTER_MS: u32 = 30_000;

/// The service worker answers for the folder of its script.
const SCRIPT: &str = "sw.js";
/// First word of the names of the page's caches, before the folder and the build (www/sw.js).
const CACHE_PREFIX: &str = "huggingtweets-shell";

/// The browser's service workers; `None` on insecure addresses, in some private windows, and for a page opened from a
/// file.
pub fn container() -> Option<ServiceWorkerContainer> {
    let is_served = window().location().protocol().ok()?.starts_with("http");
    // In sandboxed frames, reading the property throws.
    Reflect::get(&window().navigator(), &JsValue::from_str("serviceWorker"))
        .ok()
        .filter(|found| is_served && !browser_window::is_single_file() && found.is_object())?
        .dyn_into()
        .ok()
}

/// Registers the service worker; `false` if the browser refuses. From then on the browser looks for a newer version at
/// every visit.
pub async fn register() -> bool {
    match container().zip(own_file(SCRIPT)) {
        Some((container, script)) => settled_within(&container.register(&script), REGISTER_MS)
            .await
            .is_ok(),
        None => false,
    }
}

/// The registration for exactly this folder; a registration for a folder above it belongs to another page.
pub async fn registration() -> Option<ServiceWorkerRegistration> {
    let found = container()?.get_registration();
    let found = settled_within(&found, SOON_MS).await.ok()?;
    let found: ServiceWorkerRegistration = found.dyn_into().ok()?;
    Some(found).filter(|found| Some(found.scope()) == folder())
}

/// The active service worker. In a first visit, that takes until all of the page's files are saved.
pub async fn active() -> Option<ServiceWorker> {
    registration().await?;
    let ready = container()?.ready().ok()?;
    JsFuture::from(ready).await.ok()?;
    registration().await?.active()
}

/// Whether this very page came through our service worker.
pub fn is_controlled() -> bool {
    container()
        .and_then(|container| container.controller())
        .is_some_and(|worker| Some(worker.script_url()) == own_file(SCRIPT))
}

/// Removes the service worker and every file that it saved. A failure changes nothing for the visitor.
pub async fn remove() {
    if let Some(registration) = registration().await
        && let Ok(promise) = registration.unregister()
    {
        let _ = JsFuture::from(promise).await;
    }
    let _ = delete_caches().await;
}

async fn delete_caches() -> Result<(), JsValue> {
    let caches: CacheStorage = window().caches()?;
    let ours = format!("{CACHE_PREFIX} {} ", folder().unwrap_or_default());
    let names: Array = JsFuture::from(caches.keys()).await?.unchecked_into();
    for name in names.iter().filter_map(|name| name.as_string()) {
        if name.starts_with(&ours) {
            JsFuture::from(caches.delete(&name)).await?;
        }
    }
    Ok(())
}

/// A message to the service worker.
pub enum Message {
    /// The newer version may take over.
    Update,
    /// This visit computes with this build of the worker; its files are to be saved.
    Used(RunningBuild),
}

/// Sends a message. A service worker that does not listen changes nothing.
pub fn send(worker: &ServiceWorker, message: &Message) {
    let data = match message {
        Message::Update => object(&[("type", "update".into())]),
        Message::Used(RunningBuild { threads, simd }) => object(&[
            ("type", "used".into()),
            ("threads", (*threads).into()),
            ("simd", simd.as_str().into()),
        ]),
    };
    let _ = worker.post_message(&data);
}

/// Size of the page's files that the service worker has saved.
pub async fn saved_bytes(worker: &ServiceWorker) -> Option<u64> {
    let channel = MessageChannel::new().ok()?;
    let port = channel.port1();
    let answer = Promise::new(&mut |resolve: Function, _| {
        EventListener::once(&port, "message", move |event| {
            let message: &MessageEvent = event.unchecked_ref();
            let _ = resolve.call1(&JsValue::NULL, &message.data());
        })
        .forget();
    });
    port.start();
    let ports = Array::of1(&channel.port2());
    worker
        .post_message_with_transferable(&object(&[("type", "kept".into())]), &ports)
        .ok()?;
    let bytes = JsFuture::from(answer).await.ok()?.as_f64()?;
    Some(bytes as u64)
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        // A fresh plain object always takes a new field.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}
