//! The visitor's device, as far as the browser describes it: memory, data saver, system.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Memory of the device, which the browser rounds and caps; `None` where it does not tell.
pub fn memory_bytes() -> Option<u64> {
    let gib = property(&window().navigator(), "deviceMemory")?.as_f64()?;
    Some((gib * f64::from(1 << 30)) as u64)
}

/// Whether the visitor asked the browser to save data.
pub fn saves_data() -> bool {
    property(&window().navigator(), "connection")
        .and_then(|connection| property(&connection, "saveData"))
        .is_some_and(|value| value.is_truthy())
}

/// The browser and the system by name.
pub fn user_agent() -> String {
    window().navigator().user_agent().unwrap_or_default()
}

/// Whether the system is one of Apple's, whose keyboards have a command key.
pub fn is_apple() -> bool {
    let agent = user_agent();
    ["Mac", "iPhone", "iPad"]
        .iter()
        .any(|name| agent.contains(name))
}

fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok()
}
