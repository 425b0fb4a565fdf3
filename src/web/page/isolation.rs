//! `Isolation`: whether the page may use several threads, and the service worker that allows it where
//! the host does not; it keeps the page for visits without a network too.

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::UrlSearchParams;

use super::kept;
use super::service_worker::{self, is_controlled, register, registration};

/// Name of the entry that keeps the visitor's "no".
pub const STORAGE_KEY: &str = "huggingtweets-isolation";
const OFF: &str = "off";

/// How the page stands with threads. They need memory that several workers share, which browsers give
/// only to a page that is isolated from other sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Isolated by the host's own headers, the service worker being new.
    Host,
    /// Isolated, and the page came through the service worker.
    ServiceWorker,
    /// The service worker is in place and isolates from the next visit on.
    NextVisit,
    /// The service worker is in place and the page is not isolated all the same: in a frame in most browsers,
    /// or because the address has `?isolate=off`.
    Refused,
    /// The visitor wants no service worker.
    SwitchedOff,
    /// There is no service worker to be had, or nothing was tried yet.
    Unavailable,
}

/// How the page stands; a context of every component.
#[derive(Clone, Copy)]
pub struct KeptIsolation(RwSignal<Isolation>);

impl KeptIsolation {
    /// Looks how this visit stands and prepares the next one. What goes wrong costs threads and nothing else.
    pub fn start() -> KeptIsolation {
        let kept = KeptIsolation(RwSignal::new(Isolation::Unavailable));
        if kept::read(STORAGE_KEY).as_deref() == Some(OFF) {
            kept.switch_off();
        } else {
            spawn_local(async move { kept.0.set(prepare().await) });
        }
        kept
    }

    /// How the page stands now.
    pub fn get(self) -> Isolation {
        self.0.get()
    }

    /// Takes the service worker away, with the files it kept, and remembers not to bring it back. This visit
    /// stays as it is.
    pub fn switch_off(self) {
        kept::write(STORAGE_KEY, Some(OFF));
        self.0.set(Isolation::SwitchedOff);
        spawn_local(service_worker::remove());
    }

    /// Forgets the "no" and prepares the next visit.
    pub fn switch_on(self) {
        kept::write(STORAGE_KEY, None);
        spawn_local(async move {
            // Also where one is there: it may be on its way out.
            register().await;
            self.0.set(prepare().await);
        });
    }
}

async fn prepare() -> Isolation {
    let is_registered = registration().await.is_some();
    if is_declined() && is_registered {
        return Isolation::Refused;
    }
    if is_declined() || !is_registered && !register().await {
        return Isolation::Unavailable;
    }
    match (is_isolated(), is_controlled()) {
        (true, true) => Isolation::ServiceWorker,
        (true, false) => Isolation::Host,
        (false, true) => Isolation::Refused,
        (false, false) => Isolation::NextVisit,
    }
}

/// Whether the address says that this visit is to be as the host sends it.
fn is_declined() -> bool {
    let query = window().location().search().unwrap_or_default();
    UrlSearchParams::new_with_str(&query)
        .is_ok_and(|query| query.get("isolate").as_deref() == Some(OFF))
}

/// Whether the browser would give this page shared memory.
fn is_isolated() -> bool {
    Reflect::get(&window(), &JsValue::from_str("crossOriginIsolated"))
        .is_ok_and(|value| value.is_truthy())
}
