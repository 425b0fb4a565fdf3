//! `Offline`: whether there is a network, and the versions of the page that the service worker keeps.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ServiceWorker, ServiceWorkerRegistration, ServiceWorkerState};

use super::context::Page;
use super::isolation::{Isolation, KeptIsolation};
use super::service_worker::{self, Message};

/// Another version of the page than the one on show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newer {
    /// There is none.
    None,
    /// One is kept beside it and waits for the visitor's yes.
    Waiting,
    /// One has taken over, because another tab said yes.
    InPlace,
}

/// How the page stands without a network; a context of every component.
#[derive(Clone, Copy)]
pub struct Offline {
    is_online: RwSignal<bool>,
    newer: RwSignal<Newer>,
    is_following: StoredValue<bool>,
    /// Whether this tab said yes.
    is_updating: StoredValue<bool>,
    waiting: StoredValue<Option<ServiceWorker>, LocalStorage>,
}

impl Offline {
    /// Follows network and versions, and has the files kept that this visit uses.
    pub fn start(page: Page, isolation: KeptIsolation) -> Offline {
        let offline = Offline {
            is_online: RwSignal::new(window().navigator().on_line()),
            newer: RwSignal::new(Newer::None),
            is_following: StoredValue::new(false),
            is_updating: StoredValue::new(false),
            waiting: StoredValue::new_local(None),
        };
        window_event_listener(leptos::ev::online, move |_| offline.is_online.set(true));
        window_event_listener(leptos::ev::offline, move |_| offline.is_online.set(false));
        Effect::new(move |_| {
            let has_service_worker = !matches!(
                isolation.get(),
                Isolation::Unavailable | Isolation::SwitchedOff
            );
            if !has_service_worker {
                offline.is_following.set_value(false);
            }
            let Some(build) = page.worker_build().filter(|_| has_service_worker) else {
                return;
            };
            spawn_local(async move {
                if !offline.is_following.get_value()
                    && let Some(registration) = service_worker::registration().await
                {
                    offline.is_following.set_value(true);
                    offline.follow(&registration);
                }
                if let Some(worker) = service_worker::active().await {
                    service_worker::tell(&worker, &Message::Used(build));
                }
            });
        });
        offline
    }

    /// Whether the browser has a network, as far as it can tell.
    pub fn is_online(self) -> bool {
        self.is_online.get()
    }

    /// Whether there is another version.
    pub fn newer(self) -> Newer {
        self.newer.get()
    }

    /// Leaves the newer version for later: it comes when all of the page's tabs have been closed.
    pub fn put_off(self) {
        self.newer.set(Newer::None);
    }

    /// The visitor's yes: the newer version takes over, and the page comes again.
    pub fn update(self) {
        match self.waiting.get_value() {
            Some(worker) => {
                self.is_updating.set_value(true);
                service_worker::tell(&worker, &Message::Update);
            }
            None => reload(),
        }
    }

    fn follow(self, registration: &ServiceWorkerRegistration) {
        if let Some(worker) = registration.waiting() {
            self.wait_with(worker);
        }
        let found = {
            let registration = registration.clone();
            Closure::<dyn FnMut()>::new(move || {
                if let Some(worker) = registration.installing() {
                    self.follow_install(registration.clone(), worker);
                }
            })
        };
        registration.set_onupdatefound(Some(found.into_js_value().unchecked_ref()));
        // One that was found before this was said.
        if let Some(worker) = registration.installing() {
            self.follow_install(registration.clone(), worker);
        }
        let Some(container) = service_worker::container() else {
            return;
        };
        let changed = Closure::<dyn FnMut()>::new(move || {
            if !self.is_updating.get_value() {
                self.waiting.set_value(None);
                self.newer.set(Newer::InPlace);
            }
        });
        container.set_oncontrollerchange(Some(changed.into_js_value().unchecked_ref()));
    }

    fn follow_install(self, registration: ServiceWorkerRegistration, worker: ServiceWorker) {
        let changed = {
            let worker = worker.clone();
            Closure::<dyn FnMut()>::new(move || {
                // The very first one has nobody to wait for.
                if worker.state() == ServiceWorkerState::Installed
                    && registration.active().is_some()
                {
                    self.wait_with(worker.clone());
                }
            })
        };
        worker.set_onstatechange(Some(changed.into_js_value().unchecked_ref()));
    }

    fn wait_with(self, worker: ServiceWorker) {
        let changed = {
            let worker = worker.clone();
            Closure::<dyn FnMut()>::new(move || {
                if worker.state() == ServiceWorkerState::Activated && self.is_updating.get_value() {
                    reload();
                }
            })
        };
        worker.set_onstatechange(Some(changed.into_js_value().unchecked_ref()));
        self.waiting.set_value(Some(worker));
        self.newer.set(Newer::Waiting);
    }
}

/// Loads the page again. One that cannot be reloaded stays as it is.
pub fn reload() {
    let _ = window().location().reload();
}
