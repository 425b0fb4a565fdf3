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

/// A file that waits.
#[derive(Clone)]
pub struct SharedFile {
    /// Its address in the cache.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Picked,
}

impl SharedFile {
    /// Deletes it; the others wait on.
    pub async fn forget(&self) {
        // A file that stays is offered once more.
        if let Some(cache) = opened().await {
            let _ = JsFuture::from(cache.delete_with_str(&self.address)).await;
        }
    }
}

/// The files that wait.
pub async fn list() -> Vec<SharedFile> {
    found().await.unwrap_or_default()
}

/// The cache, if there is one.
async fn opened() -> Option<Cache> {
    let (caches, name) = (window().caches().ok()?, cache_name()?);
    // Opening would make it.
    let is_there: bool = settled::<wasm_bindgen::JsValue>(caches.has(&name))
        .await?
        .as_bool()?;
    if !is_there {
        return None;
    }
    settled(caches.open(&name)).await
}

async fn found() -> Option<Vec<SharedFile>> {
    let cache = opened().await?;
    let mut files = Vec::new();
    for request in settled::<Array>(cache.keys()).await?.iter() {
        let request: Request = request.unchecked_into();
        let address = request.url();
        let last = address.rsplit('/').next().unwrap_or_default();
        let name = js_sys::decode_uri_component(last).ok().map(String::from);
        let response: Response = settled(cache.match_with_request(&request)).await?;
        let content: Blob = settled(response.blob().ok()?).await?;
        files.push(SharedFile {
            name: name.unwrap_or_else(|| last.to_owned()),
            content: Picked::from(content),
            address,
        });
    }
    Some(files)
}

/// Deletes all shared files.
pub async fn forget() {
    if let (Ok(caches), Some(name)) = (window().caches(), cache_name()) {
        // A cache that stays is offered once more.
        let _ = JsFuture::from(caches.delete(&name)).await;
    }
}
