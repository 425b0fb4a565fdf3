//! Puts a file among the visitor's downloads.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Blob, HtmlElement, Url};

use crate::web::shared::js_error::{WebError, reason};

/// How long the browser may take to begin to read the file, in milliseconds.
const READ_MS: i32 = 60_000;

/// Has the browser save `blob` under `name`, as a link to it would; it asks the visitor where if it is set so.
///
/// # Errors
/// [`WebError::Read`] if the browser refuses.
pub fn save(blob: &Blob, name: &str) -> Result<(), WebError> {
    let refused = |e| WebError::Read { reason: reason(&e) };
    let url = Url::create_object_url_with_blob(blob).map_err(refused)?;
    let link = document().create_element("a").map_err(refused)?;
    link.set_attribute("href", &url).map_err(refused)?;
    link.set_attribute("download", name).map_err(refused)?;
    link.unchecked_ref::<HtmlElement>().click();
    // Nothing says when it has been read.
    let forget = wasm_bindgen::closure::Closure::once_into_js(move || {
        let _ = Url::revoke_object_url(&url);
    });
    let _ = window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(forget.unchecked_ref(), READ_MS);
    Ok(())
}
