//! `StorageView`: what this page keeps on the device, and a way to be rid of it.

use leptos::prelude::*;

use crate::web::page::kept;
use crate::web::page::one_file;
use crate::web::page::theme::{self, KeptTheme, Theme};

use super::dialog::{Dialog, View};
use super::kept_models::KeptModels;
use super::kept_page::KeptPage;

/// The dialog that says what is kept.
#[component]
pub fn StorageView() -> impl IntoView {
    let theme = expect_context::<KeptTheme>();
    // Storage tells nobody when it changes; the theme's signal does.
    let kept_theme = move || {
        theme.get();
        kept::read(theme::STORAGE_KEY)
    };
    view! {
        <Dialog view=View::Storage title="Kept on this device" testid="storage">
            <Show when=move || kept_theme().is_some()>
                <p class="storage-row">
                    <span>"The colours you chose: "<code>{format!("{} = ", theme::STORAGE_KEY)}{kept_theme}</code></span>
                    <button type="button" class="button" on:click=move |_| theme.keep(Theme::Auto)>"Delete"</button>
                </p>
            </Show>
            <KeptPage/>
            <Show when=one_file::is_open>
                <p>
                    "This is the whole page in one file, as you saved it: it needs no network. Here it has no service worker, "
                    "computes on one thread, and offers no ES module to other pages."
                </p>
            </Show>
            <KeptModels/>
            <p class="muted">
                "Models you fetch are kept here. Prompts, texts and settings live as long as this tab, and so does a model opened from a file: it is opened again next time. "
                "Your browser may keep copies of this page's own files, as it does with any page. Nothing is sent anywhere."
            </p>
        </Dialog>
    }
}
