//! Messages of the channel: requests out of JavaScript values, events into them.

use js_sys::{Array, Float32Array, Reflect};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Blob;

use crate::hub::{ModelRef, ModelText};
use crate::protocol::{ErrorCode, ErrorReport, Event, JobId, PROTOCOL_VERSION, Request};
use crate::web::shared::channel;

/// A request that names a model, its texts not checked.
#[derive(Deserialize)]
struct ModelRequest {
    job: JobId,
    model: ModelText,
}

/// Reads a request; the error is its answer.
///
/// A text that names no model has an answer of its own; anything else that cannot be read is
/// [`ErrorCode::BadMessage`].
pub fn read(data: &JsValue) -> Result<Request, Box<Event>> {
    if let Some(request) = channel::read(data) {
        return Ok(request);
    }
    match serde_wasm_bindgen::from_value(data.clone()) {
        Ok(ModelRequest { job, model }) if channel::has_version(data) => {
            Err(Box::new(match ModelRef::try_from(model) {
                Ok(_) => bad_message(Some(job)),
                Err(error) => Event::Error {
                    job: Some(job),
                    error: ErrorReport {
                        code: ErrorCode::NotAModel,
                        message: error.to_string(),
                        hint: error.hint().into_owned(),
                        retryable: false,
                    },
                },
            }))
        }
        _ => Err(Box::new(bad_message(None))),
    }
}

/// The files that a message carries beside its request, in their order.
pub fn blobs(data: &JsValue) -> Vec<Blob> {
    let blobs = Reflect::get(data, &JsValue::from_str("blobs"));
    let blobs = blobs.ok().and_then(|value| value.dyn_into::<Array>().ok());
    let blobs = blobs.iter().flat_map(Array::iter);
    blobs.filter_map(|value| value.dyn_into().ok()).collect()
}

/// One message of these events, and the buffers to transfer with it.
pub fn write(events: Vec<Event>) -> (Array, Array) {
    let (messages, transferred) = (Array::new(), Array::new());
    for mut event in events {
        let logits = match &mut event {
            Event::Logits { logits, .. } => Some(std::mem::take(logits)),
            _ => None,
        };
        let message = channel::write(&event).expect("an event is plain fields");
        if let Some(logits) = logits {
            let array = Float32Array::from(logits.as_slice());
            let _ = Reflect::set(&message, &JsValue::from_str("logits"), &array);
            transferred.push(&array.buffer());
        }
        messages.push(&message);
    }
    (messages, transferred)
}

/// The answer to a message that cannot be read.
pub fn bad_message(job: Option<JobId>) -> Event {
    Event::Error {
        job,
        error: ErrorReport {
            code: ErrorCode::BadMessage,
            message: "a message of an unknown version or shape arrived".to_owned(),
            hint: format!("send protocol version {PROTOCOL_VERSION}; on the page: reload it"),
            retryable: false,
        },
    }
}
