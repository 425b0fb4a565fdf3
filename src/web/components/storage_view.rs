//! `StorageView`: what this page keeps on the device, and a way to be rid of it.

use leptos::prelude::*;

use crate::web::isolation::KeptIsolation;
use crate::web::kept;
use crate::web::one_file;
use crate::web::theme::{self, KeptTheme, Theme};

use super::dialog::{Dialog, View};
use super::kept_page::{self, KeptPage};

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
    let has_page = move || kept_page::is_shown(isolation.get());
    let summary = move || match usize::from(kept_theme().is_some()) + usize::from(has_page()) {
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
            <KeptPage/>
            <Show when=one_file::is_open>
                <p>
                    "This is the whole page in one file, as you saved it: it needs no network. Here it has no service worker, "
                    "computes on one thread, and offers no ES module to other pages."
                </p>
            </Show>
            <p class="muted">
                "Prompts, texts and settings live as long as this tab, and so does an opened model: it is loaded again next time. "
                "Your browser may keep copies of this page's own files, as it does with any page. Nothing is sent anywhere."
            </p>
        </Dialog>
    }
}
