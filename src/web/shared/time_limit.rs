//! A time limit for promises of the browser: some never settle, such as `persist()` in Firefox without a window, or
//! `estimate()` in a frame without an origin.

use gloo::timers::callback::Timeout;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// For promises that settle at once where they settle at all.
pub const SOON_MS: u32 = 3_000;

/// The promise's value.
///
/// # Errors
/// Its reason, or a sentence after `limit_ms` without an answer.
pub async fn settled_within(promise: &Promise, limit_ms: u32) -> Result<JsValue, JsValue> {
    let mut timer = None;
    let too_late = Promise::new(&mut |_, reject: Function| {
        timer = Some(Timeout::new(limit_ms, move || {
            let words = JsValue::from_str("the browser did not answer in time");
            // Rejecting a promise does not throw.
            let _ = reject.call1(&JsValue::NULL, &words);
        }));
    });
    let first = JsFuture::from(Promise::race(&Array::of2(promise, &too_late))).await;
    drop(timer);
    first
}
