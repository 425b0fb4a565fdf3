//! `KeptPage`: the row of the Storage view about the page's own files and the service worker that keeps them.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::state::figures;
use crate::web::page::isolation::{self, Isolation, KeptIsolation};
use crate::web::page::offline::reload;
use crate::web::page::service_worker;

/// The row, where there is something to say.
#[component]
pub fn KeptPage() -> impl IntoView {
    let isolation = expect_context::<KeptIsolation>();
    let bytes = RwSignal::new(0);
    Effect::new(move |_| {
        isolation.get();
        spawn_local(async move {
            let registration = service_worker::registration().await;
            let Some(worker) = registration.and_then(|found| found.active()) else {
                return;
            };
            if let Some(kept) = service_worker::kept_bytes(&worker).await {
                bytes.try_set(kept);
            }
        });
    });
    move || {
        about(isolation.get(), bytes.get()).map(|sentence| {
            view! {
                <p class="storage-row" data-testid="kept-page">
                    <span>{sentence}</span>
                    {(isolation.get() == Isolation::NextVisit).then(|| view! {
                        <button type="button" class="button" on:click=move |_| reload()>"Reload"</button>
                    })}
                    {if isolation.get() == Isolation::SwitchedOff {
                        view! { <button type="button" class="button" on:click=move |_| isolation.switch_on()>"Switch on"</button> }.into_any()
                    } else {
                        view! { <button type="button" class="button" on:click=move |_| isolation.switch_off()>"Switch off"</button> }.into_any()
                    }}
                </p>
            }
        })
    }
}

fn about(isolation: Isolation, bytes: u64) -> Option<String> {
    let threads = match isolation {
        Isolation::Unavailable => return None,
        Isolation::SwitchedOff => {
            return Some(format!(
                "Your wish, {} = off: no service worker keeps this page or brings it threads, from the next visit on.",
                isolation::STORAGE_KEY
            ));
        }
        Isolation::Host | Isolation::ServiceWorker => {
            "Where the host does not, it also lets the page use several threads."
        }
        Isolation::NextVisit => {
            "From your next visit on, or when you reload, it also lets the page use several threads."
        }
        Isolation::Refused => {
            "It also lets the page use several threads, though not in this window or frame."
        }
    };
    let kept = if bytes > 0 {
        format!(
            "This page itself, {}, kept by its service worker, sw.js: it opens without a network.",
            figures::bytes(bytes)
        )
    } else {
        "A service worker, sw.js: it keeps this page, which then opens without a network."
            .to_owned()
    };
    Some(format!("{kept} {threads}"))
}
