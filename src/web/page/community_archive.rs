//! Fetches the archive that somebody gave to the public Community Archive, by handle, when the visitor asks for it.

use gloo::file::Blob;
use js_sys::{Array, Reflect, Uint8Array};
use leptos::prelude::*;
use posts::archive::ImportOptions;
use posts::post::normal_handle;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStream, ReadableStreamDefaultReader, RequestInit, Response,
    UrlSearchParams,
};

use super::maker::Maker;
use crate::state::wording::host_of;

/// Where the archives are, each as `HANDLE/archive.json`, the handle in lower case.
const ARCHIVES: &str = "https://fabxmporizzqflnftavs.supabase.co/storage/v1/object/public/archives";
/// Longest handle of X.
const MAX_HANDLE: usize = 15;
/// Most bytes of an archive; the largest have a few hundred megabytes.
const MAX_BYTES: u64 = 2 << 30;

/// The address of the archives, which the page's address may name as `archives`.
pub fn archives() -> String {
    let search = window().location().search().unwrap_or_default();
    let named = UrlSearchParams::new_with_str(&search).ok();
    let named = named.and_then(|query| query.get("archives"));
    let named =
        named.filter(|address| address.starts_with("https://") || address.starts_with("http://"));
    named.unwrap_or_else(|| ARCHIVES.to_owned())
}

/// The host that is asked, for the button that asks it.
pub fn host() -> String {
    host_of(&archives()).to_owned()
}

/// Fetches the archive of a handle and reads it as a further account.
pub async fn import(maker: Maker, handle: String) {
    let handle = normal_handle(&handle);
    let is_handle = (1..=MAX_HANDLE).contains(&handle.len())
        && handle
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_handle {
        return maker.refuse(
            "this is no handle of X".to_owned(),
            "type 1 to 15 letters, digits and _, with or without @",
        );
    }
    let Ok(signal) = maker.begin_download() else {
        return;
    };
    match fetch(maker, &handle, &signal).await {
        // The visitor has ended it, or gone on to another bot.
        _ if signal.aborted() => {}
        Ok(blob) => {
            let files = [("archive.json".to_owned(), blob)];
            maker.import(&files, ImportOptions::default());
        }
        Err(Refusal::Absent) => maker.refuse(
            format!("the Community Archive has no archive of @{handle}, or no longer"),
            "only people who gave theirs are in it; your own archive can be opened as a file",
        ),
        Err(Refusal::Status(status)) => maker.refuse(
            format!("{} answered with status {status}", host()),
            "try again later",
        ),
        Err(Refusal::TooLarge) => maker.refuse(
            format!("the archive of @{handle} is larger than 2 GB"),
            "ask X for it and open it as a file",
        ),
        Err(Refusal::Network) => maker.refuse(
            format!("{} could not be reached, or broke off", host()),
            "look at the connection and try again",
        ),
    }
}

/// Why there is no archive.
enum Refusal {
    Absent,
    Status(u16),
    TooLarge,
    Network,
}

impl From<JsValue> for Refusal {
    fn from(_: JsValue) -> Self {
        Self::Network
    }
}

async fn fetch(maker: Maker, handle: &str, signal: &AbortSignal) -> Result<Blob, Refusal> {
    let address = format!("{}/{handle}/archive.json", archives().trim_end_matches('/'));
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    let answer = JsFuture::from(window().fetch_with_str_and_init(&address, &init)).await?;
    let answer: Response = answer.unchecked_into();
    match answer.status() {
        200 => {}
        // The host answers with both where there is no file.
        400 | 404 => return Err(Refusal::Absent),
        status => return Err(Refusal::Status(status)),
    }
    let total = answer.headers().get("content-length")?;
    // A compressed answer states the length of what is sent.
    let is_plain = answer.headers().get("content-encoding")?.is_none();
    let total = total
        .filter(|_| is_plain)
        .and_then(|text| text.parse::<u64>().ok());
    let body: ReadableStream = answer.body().ok_or(Refusal::Network)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let (parts, mut done) = (Array::new(), 0);
    loop {
        let step = JsFuture::from(reader.read()).await?;
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            break;
        }
        let bytes: Uint8Array = Reflect::get(&step, &"value".into())?.unchecked_into();
        done += u64::from(bytes.length());
        if done > MAX_BYTES {
            let _ = JsFuture::from(reader.cancel()).await;
            return Err(Refusal::TooLarge);
        }
        parts.push(&bytes);
        maker.begin_fetch(done, total.unwrap_or(0));
    }
    let blob = web_sys::Blob::new_with_u8_array_sequence(&parts)?;
    Ok(Blob::from(blob))
}
