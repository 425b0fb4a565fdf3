//! The interface of the browser that both storages use, and its exceptions as `WebError`s.

use std::io;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::StorageManager;

use crate::store::ArtifactKind;
use crate::web::shared::js_error::{WebError, reason};

/// The kind of the artifacts in this storage.
pub(super) const KIND: ArtifactKind = ArtifactKind::Model;

/// `navigator.storage`, in a page or a worker.
pub(super) fn storage_manager() -> Option<StorageManager> {
    let navigator = Reflect::get(&js_sys::global(), &JsValue::from_str("navigator")).ok()?;
    let manager = Reflect::get(&navigator, &JsValue::from_str("storage")).ok()?;
    manager.is_object().then(|| manager.unchecked_into())
}

pub(super) fn storage_error(error: &JsValue) -> WebError {
    match is_quota(error) {
        true => WebError::StorageFull,
        false => WebError::Storage {
            reason: reason(error),
        },
    }
}

pub(super) fn io_error(error: &JsValue) -> io::Error {
    match is_quota(error) {
        true => io::ErrorKind::StorageFull.into(),
        false => io::Error::other(reason(error)),
    }
}

fn is_quota(error: &JsValue) -> bool {
    name_of(error).is_some_and(|name| name == "QuotaExceededError")
}

pub(super) fn name_of(error: &JsValue) -> Option<String> {
    let name = Reflect::get(error, &JsValue::from_str("name")).ok()?;
    name.as_string()
}
