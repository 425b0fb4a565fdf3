//! Files that the visitor opened with this page from outside it, where it is installed as a program.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::context::Page;

/// Opens such a file as if it had been chosen on the page. Browsers without `launchQueue` have none.
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
                page.open_file(file);
            }
        });
    });
    // Nobody listens is as good as no queue.
    let _ = set_consumer.call1(&queue, &consumer.into_js_value());
}

/// The first of `launch.files`: a handle, which gives its file by a promise.
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
