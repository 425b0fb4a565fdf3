//! The memory of this program.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};

/// Bytes of this worker's WebAssembly memory.
pub fn memory_bytes() -> u64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    // An `ArrayBuffer`, or a `SharedArrayBuffer` in the build with threads.
    let bytes = Reflect::get(&memory.buffer(), &JsValue::from_str("byteLength"));
    bytes.ok().and_then(|n| n.as_f64()).unwrap_or_default() as u64
}
