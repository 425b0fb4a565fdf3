//! `look_up`: what a repository holds and what this device has room for, asked before a byte of weights is fetched.

use js_sys::{JsString, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

use crate::hub::{Dtype, Endpoint, Listing, Offer, RepoId, Room};
use crate::web::shared::js_error::reason;
use crate::web::shared::model_storage::estimate;

/// Most characters of an answer that are taken.
const MAX_ANSWER_CHARS: u32 = 4 << 20;
/// A host that has not answered whole by then is given up.
const MOST_WAIT_MS: u32 = 20_000;

/// What is known before a download.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    listing: Listing,
    config_json: Option<Vec<u8>>,
    room: Room,
    /// Whether the visitor asked to save data.
    pub saves_data: bool,
}

impl Found {
    /// What it would cost in a type.
    ///
    /// # Errors
    /// A sentence with what to do.
    pub fn offer(&self, dtype: Dtype) -> Result<Offer, String> {
        let config_json = self.config_json.as_deref();
        Offer::new(&self.listing, config_json, dtype, self.room).map_err(|e| e.to_string())
    }
}

/// Asks the endpoint for the list of files and for the model's shape.
///
/// # Errors
/// A sentence with what to do.
pub async fn look_up(endpoint: &Endpoint, repo: &RepoId) -> Result<Found, String> {
    let response = ask(&endpoint.listing_url(repo)).await?;
    match response.status() {
        404 | 401 => {
            return Err(format!(
                "There is no model {repo}, or it is private. Check the name; capital letters count."
            ));
        }
        status if !response.ok() => return Err(no_answer(&format!("status {status}"))),
        _ => {}
    }
    let listing =
        Listing::from_json(text(&response).await?.as_bytes()).map_err(|e| e.to_string())?;
    // Without it the offer is less exact, which is no reason to make none.
    let config_json = match listing.file("config.json") {
        Some(file) => match ask(&endpoint.file_url(repo, &file.name)).await {
            Ok(response) if response.ok() => text(&response).await.ok().map(String::into_bytes),
            _ => None,
        },
        None => None,
    };
    let navigator = window().navigator();
    let property = |object: &JsValue, name| Reflect::get(object, &JsValue::from_str(name)).ok();
    let device = property(&navigator, "deviceMemory").and_then(|gib| gib.as_f64());
    let saves_data = property(&navigator, "connection")
        .and_then(|connection| property(&connection, "saveData"))
        .is_some_and(|value| value.is_truthy());
    let storage = estimate().await;
    Ok(Found {
        listing,
        config_json,
        room: Room {
            device: device.map(|gib| (gib * f64::from(1 << 30)) as u64),
            storage: storage.map(|(quota, usage)| quota.saturating_sub(usage)),
        },
        saves_data,
    })
}

async fn ask(url: &str) -> Result<Response, String> {
    let options = RequestInit::new();
    options.set_signal(Some(&AbortSignal::timeout_with_u32(MOST_WAIT_MS)));
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &options)).await;
    Ok(answer.map_err(|e| no_answer(&reason(&e)))?.unchecked_into())
}

async fn text(response: &Response) -> Result<String, String> {
    let text = match response.text() {
        Ok(text) => JsFuture::from(text).await,
        Err(error) => Err(error),
    };
    let text: JsString = text.map_err(|e| no_answer(&reason(&e)))?.unchecked_into();
    if text.length() > MAX_ANSWER_CHARS {
        return Err("The host's answer is longer than any such file of a model.".to_owned());
    }
    Ok(text.into())
}

fn no_answer(words: &str) -> String {
    format!("The host did not answer ({words}). Check the connection and try again.")
}
