//! `VisitIsolation`: whether this visit may compute on several threads, with or without the service worker's help.
//!
//! Threads need memory that several workers share, which browsers give only to a page that is isolated from other
//! sites: by its host's headers, or by the same headers from the page's service worker.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use super::service_worker::{is_controlled, register, registration};

/// Whether this visit may compute on several threads, and by whose headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitIsolation {
    /// Isolated by the host's own headers; the service worker is new.
    Host,
    /// Isolated, and the page came through the service worker.
    ServiceWorker,
    /// The service worker is in place and isolates from the next visit on.
    NextVisit,
    /// The service worker is in place, but the page is not isolated: in a frame in most browsers, or because the
    /// address has `?isolate=off`.
    Refused,
    /// The visitor switched the service worker off.
    SwitchedOff,
    /// The browser gives no service worker, or the page has not tried to register one yet.
    Unavailable,
}

/// Registers the service worker, unless the address declines it, and finds out whether this visit may compute on
/// several threads.
pub async fn prepare() -> VisitIsolation {
    let is_registered = registration().await.is_some();
    if is_declined() && is_registered {
        return VisitIsolation::Refused;
    }
    if is_declined() || !is_registered && !register().await {
        return VisitIsolation::Unavailable;
    }
    match (is_isolated(), is_controlled()) {
        (true, true) => VisitIsolation::ServiceWorker,
        (true, false) => VisitIsolation::Host,
        (false, true) => VisitIsolation::Refused,
        (false, false) => VisitIsolation::NextVisit,
    }
}

/// Whether the address has `?isolate=off`, by which a visitor declines the service worker's headers.
fn is_declined() -> bool {
    let query = window().location().search().unwrap_or_default();
    UrlSearchParams::new_with_str(&query)
        .is_ok_and(|query| query.get("isolate").as_deref() == Some("off"))
}

/// Whether the browser would give this page shared memory.
fn is_isolated() -> bool {
    Reflect::get(&window(), &JsValue::from_str("crossOriginIsolated"))
        .is_ok_and(|value| value.is_truthy())
}
