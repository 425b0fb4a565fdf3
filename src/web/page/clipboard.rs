//! Copying text, where the browser allows it.

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Copies `text`; `false` where the browser has no clipboard for this page or refuses.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Pages without a secure address have no `navigator.clipboard` at all.
    let has_clipboard =
        Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|value| value.is_object());
    has_clipboard
        && JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok()
}
