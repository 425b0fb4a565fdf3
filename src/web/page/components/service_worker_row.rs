//! `ServiceWorkerRow`: the row of the Storage dialog about the page's own files, saved by its service worker.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::state::wording;
use crate::web::page::browser_window::reload;
use crate::web::page::isolation::VisitIsolation;
use crate::web::page::service_worker;
use crate::web::page::service_worker_switch::{STORAGE_KEY, ServiceWorkerSwitch};

/// The row; empty where the browser gives no service worker.
#[component]
pub fn ServiceWorkerRow() -> impl IntoView {
    let switch = expect_context::<ServiceWorkerSwitch>();
    let bytes = RwSignal::new(0);
    Effect::new(move |_| {
        switch.isolation();
        spawn_local(async move {
            let registration = service_worker::registration().await;
            let Some(worker) = registration.and_then(|found| found.active()) else {
                return;
            };
            if let Some(saved) = service_worker::saved_bytes(&worker).await {
                // The dialog may have been closed meanwhile.
                bytes.try_set(saved);
            }
        });
    });
    move || {
        description(switch.isolation(), bytes.get()).map(|text| {
            view! {
                <p class="storage-row" data-testid="kept-page">
                    <span>{text}</span>
                    {(switch.isolation() == VisitIsolation::NextVisit).then(|| view! {
                        <button type="button" class="button" on:click=move |_| reload()>"Reload"</button>
                    })}
                    {if switch.isolation() == VisitIsolation::SwitchedOff {
                        view! { <button type="button" class="button" on:click=move |_| switch.switch_on()>"Switch on"</button> }.into_any()
                    } else {
                        view! { <button type="button" class="button" on:click=move |_| switch.switch_off()>"Switch off"</button> }.into_any()
                    }}
                </p>
            }
        })
    }
}

fn description(isolation: VisitIsolation, bytes: u64) -> Option<String> {
    let threads = match isolation {
        VisitIsolation::Unavailable => return None,
        VisitIsolation::SwitchedOff => {
            return Some(format!(
                "Offline use is switched off, as you chose ({STORAGE_KEY} = off). From your next visit on, the page needs a network and may be slower."
            ));
        }
        VisitIsolation::Host | VisitIsolation::ServiceWorker => {
            "It may also make the page faster, with several threads."
        }
        VisitIsolation::NextVisit => {
            "From your next visit on, or when you reload, it may also make the page faster, with several threads."
        }
        VisitIsolation::Refused => {
            "It could also make the page faster, with several threads, though not in this window or frame."
        }
    };
    let saved = match bytes {
        0 => "This page is not saved for offline use yet; its service worker will save it."
            .to_owned(),
        _ => format!(
            "This page is saved for offline use ({}), by its service worker.",
            wording::bytes(bytes)
        ),
    };
    Some(format!("{saved} {threads}"))
}
