//! `HostLink`: a frame's end of the channel to the element of its host page (`www/embed_frame.js`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::Reflect;
use leptos::prelude::window;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, MessagePort, UrlSearchParams, Window};

use crate::state::frame_message::{
    FRAME_VERSION, FloodGate, FrameMessage, HostMessage, Versioned, Wrapped,
};

/// The attribute of the document with the number of messages that were dropped.
const DROPPED: &str = "data-dropped";

/// The channel; a frame that no element made has none.
#[derive(Clone)]
pub struct HostLink {
    host: Window,
    /// The host's origin, the only one that messages are taken from: `null` for a sandboxed host.
    origin: Rc<str>,
}

impl HostLink {
    /// The host that the address names in its fragment, if the page is in a frame.
    pub fn find() -> Option<HostLink> {
        let host = window().parent().ok().flatten()?;
        if js_sys::Object::is(&host, &window()) {
            return None;
        }
        let fragment = window().location().hash().ok()?;
        let stated = UrlSearchParams::new_with_str(fragment.trim_start_matches('#')).ok()?;
        Some(HostLink {
            host,
            origin: stated.get("host")?.into(),
        })
    }

    /// Sends a message.
    pub fn post(&self, message: FrameMessage) {
        let message = Wrapped::new(message)
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .expect("a message is plain fields");
        // A window without an origin can only be addressed as any.
        let target = match &*self.origin {
            "null" => "*",
            origin => origin,
        };
        // Posting plain fields fails only for an origin that is none.
        let _ = self.host.post_message(&message, target);
    }

    /// Passes on the host's messages, with the port beside them, as long as the page is open.
    pub fn follow(&self, hear: impl Fn(HostMessage, Option<MessagePort>) + 'static) {
        let link = self.clone();
        let gate = RefCell::new(FloodGate::default());
        let n_dropped = Cell::new(0_u32);
        EventListener::new(&window(), "message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            let data = event.data();
            if !Reflect::has(&data, &JsValue::from_str("huggingtweets")).unwrap_or(false) {
                return;
            }
            match link.read(event, &data, &mut gate.borrow_mut()) {
                Some(message) => {
                    let port = event.ports().iter().next();
                    hear(message, port.and_then(|port| port.dyn_into().ok()));
                }
                None => {
                    n_dropped.set(n_dropped.get() + 1);
                    let root = window().document().and_then(|d| d.document_element());
                    if let Some(root) = root {
                        let _ = root.set_attribute(DROPPED, &n_dropped.get().to_string());
                    }
                }
            }
        })
        .forget();
    }

    fn read(
        &self,
        event: &MessageEvent,
        data: &JsValue,
        gate: &mut FloodGate,
    ) -> Option<HostMessage> {
        let is_host = event.source().is_some_and(|source| is_above(&source));
        let now_ms = window().performance().map_or(0.0, |clock| clock.now());
        if !is_host || event.origin() != *self.origin || !gate.allows(now_ms) {
            return None;
        }
        let Versioned { v, message } =
            serde_wasm_bindgen::from_value::<Wrapped<HostMessage>>(data.clone())
                .ok()?
                .huggingtweets;
        (v == FRAME_VERSION).then_some(message)
    }
}

/// Whether `source` is a window that holds this one. It need not be the next: the script of an element that another
/// document has adopted speaks from its own window.
fn is_above(source: &js_sys::Object) -> bool {
    let mut view = window();
    while let Ok(Some(above)) = view.parent() {
        // The parent of the topmost window is that window.
        if js_sys::Object::is(&view, &above) {
            return false;
        }
        if js_sys::Object::is(source, &above) {
            return true;
        }
        view = above;
    }
    false
}
