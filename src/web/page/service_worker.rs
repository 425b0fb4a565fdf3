//! The page's service worker, `sw.js`: registering it, finding it, talking to it.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CacheStorage, MessageChannel, MessageEvent, ServiceWorker, ServiceWorkerContainer,
    ServiceWorkerRegistration,
};

use super::address::absolute;
use super::context::WorkerBuild;
use super::one_file;

/// Its folder is the folder it answers for.
const SCRIPT: &str = "./sw.js";
/// Every cache of this page is named so, then the folder, then the build (www/sw.js).
const CACHE_PREFIX: &str = "huggingtweets-shell";

/// Where the browser keeps service workers: missing on insecure addresses and in some private windows,
/// of no use for a page opened from a file.
pub fn container() -> Option<ServiceWorkerContainer> {
    let is_served = window().location().protocol().ok()?.starts_with("http");
    // Sandboxed frames throw at the mere look.
    Reflect::get(&window().navigator(), &JsValue::from_str("serviceWorker"))
        .ok()
        .filter(|found| is_served && !one_file::is_open() && found.is_object())?
        .dyn_into()
        .ok()
}

/// Registers it; whether that went well. Registered once, the browser itself looks for a newer one at every visit.
pub async fn register() -> bool {
    match container() {
        Some(container) => JsFuture::from(container.register(SCRIPT)).await.is_ok(),
        None => false,
    }
}

/// The service worker of this very folder; one of a folder above is somebody else's.
pub async fn registration() -> Option<ServiceWorkerRegistration> {
    let found = JsFuture::from(container()?.get_registration()).await.ok()?;
    let found: ServiceWorkerRegistration = found.dyn_into().ok()?;
    Some(found).filter(|found| Some(found.scope()) == absolute("./"))
}

/// The same once it is at work, which in a first visit takes as long as keeping the page's files.
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
        .is_some_and(|worker| Some(worker.script_url()) == absolute(SCRIPT))
}

/// Takes it away, with every file of the page that it kept. What cannot be taken away is as good as not there.
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
    let ours = format!("{CACHE_PREFIX} {} ", absolute("./").unwrap_or_default());
    let names: Array = JsFuture::from(caches.keys()).await?.unchecked_into();
    for name in names.iter().filter_map(|name| name.as_string()) {
        if name.starts_with(&ours) {
            JsFuture::from(caches.delete(&name)).await?;
        }
    }
    Ok(())
}

/// What the page says to it.
pub enum Message {
    /// The newer version may take the place of the one at work.
    Update,
    /// This visit computes with this build of the worker.
    Used(WorkerBuild),
}

/// Says something. A service worker that does not listen changes nothing.
pub fn tell(worker: &ServiceWorker, message: &Message) {
    let data = match message {
        Message::Update => object(&[("type", "update".into())]),
        Message::Used(WorkerBuild { threads, simd }) => object(&[
            ("type", "used".into()),
            ("threads", (*threads).into()),
            ("simd", simd.as_str().into()),
        ]),
    };
    let _ = worker.post_message(&data);
}

/// How many bytes of the page it keeps.
pub async fn kept_bytes(worker: &ServiceWorker) -> Option<u64> {
    let channel = MessageChannel::new().ok()?;
    let answer = Promise::new(&mut |resolve: Function, _| {
        let on_message = Closure::once_into_js(move |message: MessageEvent| {
            let _ = resolve.call1(&JsValue::NULL, &message.data());
        });
        channel
            .port1()
            .set_onmessage(Some(on_message.unchecked_ref()));
    });
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
