//! `PageUpdates`: a newer version of the page, from its download by the service worker to the visitor's consent.

use gloo::events::EventListener;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ServiceWorker, ServiceWorkerRegistration, ServiceWorkerState};

use super::browser_window::reload;
use super::context::Page;
use super::isolation::VisitIsolation;
use super::service_worker::{self, Message};
use super::service_worker_switch::ServiceWorkerSwitch;

/// A version of the page that is newer than the open page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewerVersion {
    /// No newer version is known.
    None,
    /// It is downloaded and waits for the visitor's consent.
    Waiting,
    /// It has taken over, because the visitor agreed in another tab.
    InPlace,
}

/// The versions of the page that the service worker has; a context of every component.
#[derive(Clone, Copy)]
pub struct PageUpdates {
    newer: RwSignal<NewerVersion>,
    is_following: StoredValue<bool>,
    /// Whether the visitor agreed in this tab.
    is_updating: StoredValue<bool>,
    waiting: StoredValue<Option<ServiceWorker>, LocalStorage>,
}

impl PageUpdates {
    /// Follows the versions, and has the service worker save the worker's build that this visit uses.
    pub fn start(page: Page, switch: ServiceWorkerSwitch) -> PageUpdates {
        let updates = PageUpdates {
            newer: RwSignal::new(NewerVersion::None),
            is_following: StoredValue::new(false),
            is_updating: StoredValue::new(false),
            waiting: StoredValue::new_local(None),
        };
        Effect::new(move |_| {
            let has_service_worker = !matches!(
                switch.isolation(),
                VisitIsolation::Unavailable | VisitIsolation::SwitchedOff
            );
            if !has_service_worker {
                updates.is_following.set_value(false);
            }
            let Some(build) = page.worker_build().filter(|_| has_service_worker) else {
                return;
            };
            spawn_local(async move {
                if !updates.is_following.get_value()
                    && let Some(registration) = service_worker::registration().await
                {
                    updates.is_following.set_value(true);
                    updates.follow(&registration);
                }
                if let Some(worker) = service_worker::active().await {
                    service_worker::send(&worker, &Message::Used(build));
                }
            });
        });
        updates
    }

    /// Whether there is another version.
    pub fn newer(self) -> NewerVersion {
        self.newer.get()
    }

    /// Leaves the newer version for later: it comes when all tabs of the page have been closed.
    pub fn put_off(self) {
        self.newer.set(NewerVersion::None);
    }

    /// Takes the visitor's consent: the newer version takes over, and the page reloads.
    pub fn update(self) {
        match self.waiting.get_value() {
            Some(worker) => {
                self.is_updating.set_value(true);
                service_worker::send(&worker, &Message::Update);
            }
            None => reload(),
        }
    }

    // The listeners stay as long as the page.
    fn follow(self, registration: &ServiceWorkerRegistration) {
        if let Some(worker) = registration.waiting() {
            self.wait_with(worker);
        }
        let follow_installing = {
            let registration = registration.clone();
            move || {
                if let Some(worker) = registration.installing() {
                    self.follow_install(registration.clone(), worker);
                }
            }
        };
        // A version may have been found before this listener was added.
        follow_installing();
        EventListener::new(registration, "updatefound", move |_| follow_installing()).forget();
        let Some(container) = service_worker::container() else {
            return;
        };
        EventListener::new(&container, "controllerchange", move |_| {
            if !self.is_updating.get_value() {
                self.waiting.set_value(None);
                self.newer.set(NewerVersion::InPlace);
            }
        })
        .forget();
    }

    fn follow_install(self, registration: ServiceWorkerRegistration, worker: ServiceWorker) {
        let installed = worker.clone();
        EventListener::new(&worker, "statechange", move |_| {
            // The first of all versions replaces no other.
            if installed.state() == ServiceWorkerState::Installed && registration.active().is_some()
            {
                self.wait_with(installed.clone());
            }
        })
        .forget();
    }

    fn wait_with(self, worker: ServiceWorker) {
        let waiting = worker.clone();
        EventListener::new(&worker, "statechange", move |_| {
            if waiting.state() == ServiceWorkerState::Activated && self.is_updating.get_value() {
                reload();
            }
        })
        .forget();
        self.waiting.set_value(Some(worker));
        self.newer.set(NewerVersion::Waiting);
    }
}
