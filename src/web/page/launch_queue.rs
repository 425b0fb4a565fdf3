//! The launch queue: files that the visitor opens with the installed page from outside, such as in a file manager.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::context::Page;

/// Opens such a file as if it had been chosen on the page. Browsers without `launchQueue` give no files.
pub fn follow(page: Page) {
    let Ok(queue) = Reflect::get(&window(), &JsValue::from_str("launchQueue")) else {
        return;
    };
    let Some(set_consumer) = method(&queue, "setConsumer") else {
        return;
    };
    let consumer = Closure::<dyn FnMut(JsValue)>::new(move |launch: JsValue| {
        spawn_local(async move {
            if let Some(file) = first_file(&launch).await {
                page.open_files(None, vec![file.into()]);
            }
        });
    });
    // A queue that refuses its consumer gives no files.
    let _ = set_consumer.call1(&queue, &consumer.into_js_value());
}

/// The file of the first handle in `launch.files`.
async fn first_file(launch: &JsValue) -> Option<web_sys::File> {
    let files = Reflect::get(launch, &JsValue::from_str("files")).ok()?;
    let handle = files.dyn_into::<Array>().ok()?.iter().next()?;
    let promise = method(&handle, "getFile")?.call0(&handle).ok()?;
    let file = JsFuture::from(promise.dyn_into::<Promise>().ok()?).await;
    file.ok()?.dyn_into().ok()
}

fn method(object: &JsValue, name: &str) -> Option<Function> {
    let found = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    found.dyn_into().ok()
}
