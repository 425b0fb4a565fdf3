//! The height of the frame's content, told at every change.

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{HtmlElement, ResizeObserver};

/// Calls `tell` with the height of `content` and of the frame's own edge, in CSS pixels, now and at every change.
pub fn follow(content: HtmlElement, tell: impl Fn(f64) + 'static) {
    let observed = content.clone();
    let changed = Closure::<dyn FnMut(Array)>::new(move |_: Array| {
        tell(f64::from(observed.offset_height()) + 2.0);
    });
    if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
        observer.observe(&content);
        // Both stay as long as the page.
        changed.forget();
    }
}
