//! A message of the channel between page and worker, as JavaScript sees it: `{ v, type, … }`.
//!
//! For serde a message is an enum in its own form, `{ kind: fields }`. Its form for a `type` among the fields keeps every
//! message in values of its own before it reads them, which is more code and more work.

use js_sys::{Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

use crate::protocol::PROTOCOL_VERSION;

/// The object of a message.
///
/// # Errors
/// That of the first field that has no form in JavaScript.
pub fn write(message: &impl Serialize) -> Result<JsValue, JsValue> {
    let of_serde = message.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?;
    let kind = Object::keys(of_serde.unchecked_ref::<Object>()).get(0);
    let object = Reflect::get(&of_serde, &kind)?;
    Reflect::set(&object, &"type".into(), &kind)?;
    Reflect::set(&object, &"v".into(), &PROTOCOL_VERSION.into())?;
    Ok(object)
}

/// The message in an object; `None` for another version or an unknown shape.
pub fn read<T: DeserializeOwned>(object: &JsValue) -> Option<T> {
    let of_serde = Object::new();
    let kind = Reflect::get(object, &"type".into()).ok()?;
    Reflect::set(&of_serde, &kind, object).ok()?;
    has_version(object)
        .then(|| serde_wasm_bindgen::from_value(of_serde.into()).ok())
        .flatten()
}

/// Whether the sender of an object has this program's version.
pub fn has_version(object: &JsValue) -> bool {
    let version = Reflect::get(object, &"v".into());
    version.is_ok_and(|version| version == PROTOCOL_VERSION)
}
