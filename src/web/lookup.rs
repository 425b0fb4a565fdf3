//! `look_up`: what a repository would cost to fetch and to keep, asked before a byte of it is fetched.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::js_error::reason;
use super::model_storage::estimate;
use crate::bot::RepoId;
use crate::hub::{self, Dtype, Endpoint, Listing, Weights};

/// Most bytes of an answer that are read.
const MAX_ANSWER_CHARS: u32 = 4 << 20;

/// What is known before a download.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Bytes to fetch, where the endpoint tells sizes.
    pub fetch_bytes: Option<u64>,
    /// Bytes it takes on the device, and about as many in memory; of float weights an estimate.
    pub keep_bytes: Option<u64>,
    /// Bytes that the browser would still store for this page.
    pub free_bytes: Option<u64>,
    /// Memory of the device as far as the browser tells, in bytes.
    pub memory_bytes: Option<u64>,
    /// Whether the visitor asked to save data.
    pub saves_data: bool,
}

/// Asks the endpoint.
///
/// # Errors
/// A sentence with what to do.
pub async fn look_up(endpoint: &Endpoint, repo: &RepoId, dtype: Dtype) -> Result<Offer, String> {
    let url = endpoint.listing_url(repo);
    let no_answer = |words: String| {
        format!("The host did not answer ({words}). Check the connection and try again.")
    };
    let answer = JsFuture::from(window().fetch_with_str(&url)).await;
    let response: Response = answer.map_err(|e| no_answer(reason(&e)))?.unchecked_into();
    match response.status() {
        404 | 401 => {
            return Err(format!(
                "There is no model {repo}, or it is private. Check the name; capital letters count."
            ));
        }
        status if !response.ok() => return Err(no_answer(format!("status {status}"))),
        _ => {}
    }
    let text = match response.text() {
        Ok(text) => JsFuture::from(text).await,
        Err(error) => Err(error),
    };
    let text: js_sys::JsString = text.map_err(|e| no_answer(reason(&e)))?.unchecked_into();
    if text.length() > MAX_ANSWER_CHARS {
        return Err("The host's answer is longer than any model's list of files.".to_owned());
    }
    let listing = Listing::from_json(String::from(text).as_bytes()).map_err(|e| e.to_string())?;
    let plan = hub::choose(&listing, dtype).map_err(|e| e.to_string())?;
    let fetch_bytes = plan.size_bytes();
    let keep_bytes = fetch_bytes.map(|bytes| match &plan.weights {
        Weights::Gguf(_) => bytes,
        // As if of 32 bits each: 16-bit floats take twice the estimate.
        Weights::Safetensors(_) | Weights::Pytorch(_) => bytes / 64 * sixty_fourths(dtype),
    });
    let number = |object: &JsValue, name: &str| {
        let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
        value.as_f64()
    };
    let navigator = window().navigator();
    let connection = Reflect::get(&navigator, &JsValue::from_str("connection"));
    let saves_data = connection
        .and_then(|connection| Reflect::get(&connection, &JsValue::from_str("saveData")))
        .is_ok_and(|value| value.is_truthy());
    Ok(Offer {
        fetch_bytes,
        keep_bytes,
        free_bytes: estimate()
            .await
            .map(|(quota, usage)| quota.saturating_sub(usage)),
        memory_bytes: number(&navigator, "deviceMemory").map(|gib| (gib * 1e9) as u64),
        saves_data,
    })
}

/// Bits per weight of what is kept, twice: parts in 64 of a 32-bit float.
fn sixty_fourths(dtype: Dtype) -> u64 {
    match dtype {
        Dtype::Auto | Dtype::Q8_0 => 17,
        Dtype::Q4_0 | Dtype::Q4K => 9,
        Dtype::Q6K => 14,
        Dtype::F16 => 32,
        Dtype::F32 => 64,
    }
}
