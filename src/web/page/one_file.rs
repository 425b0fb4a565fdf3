//! Whether this page is `huggingtweets.html`, which holds all its files and needs no host.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Whether the page carries its own files (www/one_file/page.js says so).
pub fn is_open() -> bool {
    Reflect::has(&window(), &JsValue::from_str("huggingtweetsFiles")).unwrap_or(false)
}
