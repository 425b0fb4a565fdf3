//! `StorageView`: the dialog that lists everything this page saves on the device, with buttons to delete it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::state::wording::plural;

use crate::web::page::browser_window;
use crate::web::page::local_storage;
use crate::web::page::shared_files;
use crate::web::page::theme::{self, Theme, ThemeChoice};

use super::dialog::{Dialog, Overlay, View};
use super::kept_bots::KeptBots;
use super::service_worker_row::ServiceWorkerRow;
use super::share_dialog;
use super::stored_models::StoredModels;

/// The dialog.
#[component]
pub fn StorageView() -> impl IntoView {
    let theme = expect_context::<ThemeChoice>();
    // Local storage has no signal of its own; the stored theme changes with the signal of the theme.
    let stored_theme = move || {
        theme.get();
        local_storage::read(theme::STORAGE_KEY)
    };
    let server = RwSignal::new(None::<String>);
    let n_shared = RwSignal::new(0);
    // Both may have changed since the dialog was last open.
    let overlay = expect_context::<Overlay>();
    Effect::new(move |_| {
        if overlay.shows(View::Storage) {
            server.set(local_storage::read(share_dialog::SERVER));
            spawn_local(async move {
                let n_files = shared_files::list().await.len();
                let _ = n_shared.try_set(n_files);
            });
        }
    });
    view! {
        <Dialog view=View::Storage title="Saved on this device" testid="storage">
            <Show when=move || stored_theme().is_some()>
                <p class="storage-row">
                    <span>"The colours you chose: "<code>{format!("{} = ", theme::STORAGE_KEY)}{stored_theme}</code></span>
                    <button type="button" class="button" on:click=move |_| theme.choose(Theme::Auto)>"Delete"</button>
                </p>
            </Show>
            {move || server.get().map(|name| view! {
                <p class="storage-row">
                    <span>"The Mastodon server you share to: "<bdi>{name}</bdi></span>
                    <button type="button" class="button" on:click=move |_| {
                        local_storage::write(share_dialog::SERVER, None);
                        server.set(None);
                    }>"Delete"</button>
                </p>
            })}
            <Show when=move || n_shared.get() != 0>
                <p class="storage-row">
                    <span>{move || format!("{} that your system handed to the maker", plural(n_shared.get(), "file", "files"))}</span>
                    <button type="button" class="button" on:click=move |_| spawn_local(async move {
                        shared_files::forget().await;
                        let _ = n_shared.try_set(0);
                    })>"Delete"</button>
                </p>
            </Show>
            <ServiceWorkerRow/>
            <Show when=browser_window::is_single_file>
                <p>
                    "This is the whole page in one file, as you saved it: it needs no network. In this form it has no service worker, "
                    "computes on one thread, and offers no ES module to other pages."
                </p>
            </Show>
            <StoredModels/>
            <KeptBots/>
            <p class="muted">
                "Models you download and bots you make are saved here. Prompts, texts and settings are gone when you close this tab. "
                "So is a model from a file: choose the file again next time. "
                "Your browser may keep copies of this page’s own files, as with any page. Nothing is sent anywhere."
            </p>
        </Dialog>
    }
}
