//! Files that wait in the maker until the visitor says what to do with them: those that the system's share sheet handed
//! to the installed page, which `www/sw.js` puts into a cache, and those that the visitor opened on the page as a model.

use gloo::file::{Blob as Picked, File};
use js_sys::{Array, Reflect};
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
    /// Its address in the cache; that of an opened file leads nowhere.
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

/// The property of the window by which page and maker, two programs, hand over files.
const HANDED: &str = "huggingtweetsFiles";

/// Hands files to the maker, which takes them when it opens.
pub fn hand(files: &[File]) {
    let files: Array = files.iter().map(AsRef::<web_sys::File>::as_ref).collect();
    // A window takes any property.
    let _ = Reflect::set(&window(), &HANDED.into(), &files);
}

/// Takes the files that the page has handed over.
pub fn take_handed() -> Vec<SharedFile> {
    let name = HANDED.into();
    let files = Reflect::get(&window(), &name).unwrap_or_default();
    let _ = Reflect::delete_property(&window(), &name);
    let files = files.dyn_into::<Array>().unwrap_or_default();
    let files = files.iter().filter_map(|file| file.dyn_into().ok());
    let shared = |(i, file): (usize, web_sys::File)| SharedFile {
        address: format!("#{i}"),
        name: file.name(),
        content: File::from(file).into(),
    };
    files.enumerate().map(shared).collect()
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
