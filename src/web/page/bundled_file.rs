//! The file of the model that comes with the page.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

use super::address;

/// Its bytes, fetched or from the page's cache.
///
/// # Errors
/// Why they did not arrive.
pub async fn bundled_file() -> Result<Blob, String> {
    let failed = |_: JsValue| "the bundled model did not arrive".to_owned();
    let answer = JsFuture::from(window().fetch_with_str(&address::bundled_url())).await;
    let answer: Response = answer.map_err(failed)?.unchecked_into();
    if !answer.ok() {
        return Err(format!(
            "the bundled model did not arrive: {}",
            answer.status()
        ));
    }
    let blob = JsFuture::from(answer.blob().map_err(failed)?).await;
    Ok(blob.map_err(failed)?.unchecked_into())
}
