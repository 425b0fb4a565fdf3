//! Files that the system's share sheet handed to the installed page. `www/sw.js` puts them into a cache, where they wait
//! until the visitor says what to do with them.

use gloo::file::Blob as Picked;
use js_sys::Array;
use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Cache, Request, Response};

use super::address;
use super::kept_bots::settled;

/// The cache's name; another site of the same host may have one too.
fn cache_name() -> Option<String> {
    Some(format!("huggingtweets-shared {}", address::own_file("")?))
}

/// The files that wait, by their names.
pub async fn list() -> Vec<(String, Picked)> {
    found().await.unwrap_or_default()
}

async fn found() -> Option<Vec<(String, Picked)>> {
    let (caches, name) = (window().caches().ok()?, cache_name()?);
    // Opening would make it.
    let is_there: bool = settled::<wasm_bindgen::JsValue>(caches.has(&name))
        .await?
        .as_bool()?;
    if !is_there {
        return None;
    }
    let cache: Cache = settled(caches.open(&name)).await?;
    let mut files = Vec::new();
    for request in settled::<Array>(cache.keys()).await?.iter() {
        let request: Request = request.unchecked_into();
        let address = request.url();
        let last = address.rsplit('/').next().unwrap_or_default();
        let name = js_sys::decode_uri_component(last).ok().map(String::from);
        let response: Response = settled(cache.match_with_request(&request)).await?;
        let content: Blob = settled(response.blob().ok()?).await?;
        files.push((
            name.unwrap_or_else(|| last.to_owned()),
            Picked::from(content),
        ));
    }
    Some(files)
}

/// Deletes the shared files.
pub async fn forget() {
    if let (Ok(caches), Some(name)) = (window().caches(), cache_name()) {
        // A cache that stays is offered once more.
        let _ = JsFuture::from(caches.delete(&name)).await;
    }
}
