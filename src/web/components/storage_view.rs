//! `StorageView`: what this page keeps on the device, and a way to be rid of it.

use leptos::prelude::*;

use crate::web::isolation::{self, Isolation, KeptIsolation};
use crate::web::kept;
use crate::web::theme::{self, KeptTheme, Theme};

use super::dialog::{Dialog, View};
use super::kept_models::KeptModels;

/// The dialog that says what is kept.
#[component]
pub fn StorageView() -> impl IntoView {
    let theme = expect_context::<KeptTheme>();
    let isolation = expect_context::<KeptIsolation>();
    // Storage tells nobody when it changes; the theme's signal does.
    let kept_theme = move || {
        theme.get();
        kept::read(theme::STORAGE_KEY)
    };
    let service_worker = move || about(isolation.get());
    let summary = move || match kept_theme().into_iter().chain(service_worker()).count() {
        0 => "Nothing.",
        1 => "One thing.",
        _ => "Two things.",
    };
    view! {
        <Dialog view=View::Storage title="Kept on this device" testid="storage">
            <p>{summary}</p>
            <Show when=move || kept_theme().is_some()>
                <p class="storage-row">
                    <span>"The colours you chose: "<code>{format!("{} = ", theme::STORAGE_KEY)}{kept_theme}</code></span>
                    <button type="button" class="button" on:click=move |_| theme.keep(Theme::Auto)>"Delete"</button>
                </p>
            </Show>
            {move || service_worker().map(|sentence| view! {
                <p class="storage-row">
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
            })}
            <KeptModels/>
            <p class="muted">
                "Prompts, texts and settings live as long as this tab, and so does a model opened from a file: it is opened again next time. "
                "Your browser may keep copies of this page's own files, as it does with any page. Nothing is sent anywhere."
            </p>
        </Dialog>
    }
}

/// The service worker in a sentence, where there is something to say about it.
fn about(isolation: Isolation) -> Option<String> {
    let sentence = match isolation {
        Isolation::ServiceWorker => {
            "A service worker, sw.js: it lets this page use several threads and does nothing else."
        }
        Isolation::NextVisit => {
            "A service worker, sw.js: from your next visit on, or when you reload, it lets this page use several threads."
        }
        Isolation::Refused => {
            "A service worker, sw.js: it lets this page use several threads, though not in this window or frame."
        }
        Isolation::SwitchedOff => {
            return Some(format!(
                "Your wish, {} = off: no service worker brings threads to this page, from the next visit on.",
                isolation::STORAGE_KEY
            ));
        }
        Isolation::Host | Isolation::Unavailable => return None,
    };
    Some(sentence.to_owned())
}

fn reload() {
    // A page that cannot be reloaded stays as it is.
    let _ = window().location().reload();
}
