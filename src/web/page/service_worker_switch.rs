//! `ServiceWorkerSwitch`: whether the visitor wants the page's service worker, remembered on this device.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::isolation::{VisitIsolation, prepare};
use super::local_storage;
use super::service_worker;

/// Name of the entry in local storage.
pub const STORAGE_KEY: &str = "huggingtweets-isolation";
const OFF: &str = "off";

/// The switch, and whether this visit may compute on several threads; a context of every component.
#[derive(Clone, Copy)]
pub struct ServiceWorkerSwitch {
    isolation: RwSignal<VisitIsolation>,
}

impl ServiceWorkerSwitch {
    /// Registers the service worker, or removes it where the visitor switched it off. A failure costs threads and the
    /// use without a network, nothing else.
    pub fn start() -> ServiceWorkerSwitch {
        let switch = ServiceWorkerSwitch {
            isolation: RwSignal::new(VisitIsolation::Unavailable),
        };
        if local_storage::read(STORAGE_KEY).as_deref() == Some(OFF) {
            switch.switch_off();
        } else {
            spawn_local(async move { switch.isolation.set(prepare().await) });
        }
        switch
    }

    /// Whether this visit may compute on several threads.
    pub fn isolation(self) -> VisitIsolation {
        self.isolation.get()
    }

    /// Removes the service worker with the files it saved, and remembers not to register it. This visit stays as it is.
    pub fn switch_off(self) {
        local_storage::write(STORAGE_KEY, Some(OFF));
        self.isolation.set(VisitIsolation::SwitchedOff);
        spawn_local(service_worker::remove());
    }

    /// Registers the service worker again.
    pub fn switch_on(self) {
        local_storage::write(STORAGE_KEY, None);
        spawn_local(async move {
            // Also where a service worker is registered: it may be about to be removed.
            service_worker::register().await;
            self.isolation.set(prepare().await);
        });
    }
}
