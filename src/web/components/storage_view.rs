//! `StorageView`: what this page keeps on the device, and a way to be rid of it.

use leptos::prelude::*;

use crate::web::theme::{KeptTheme, STORAGE_KEY, Theme, kept};

use super::dialog::{Dialog, View};

/// The dialog that says what is kept.
#[component]
pub fn StorageView() -> impl IntoView {
    let theme = expect_context::<KeptTheme>();
    // Storage tells nobody when it changes; the theme's signal does.
    let kept_now = move || {
        theme.get();
        kept()
    };
    view! {
        <Dialog view=View::Storage title="Kept on this device" testid="storage">
            <p>{move || match kept_now() {
                Some(_) => "One thing: the colours you chose.",
                None => "Nothing.",
            }}</p>
            <Show when=move || kept_now().is_some()>
                <p class="storage-row">
                    <code>{format!("{STORAGE_KEY} = ")}{move || kept_now()}</code>
                    <button type="button" class="button" on:click=move |_| theme.keep(Theme::Auto)>"Delete"</button>
                </p>
            </Show>
            <p class="muted">
                "Prompts, texts and settings live as long as this tab, and so does an opened model: it is loaded again next time. "
                "Your browser may keep copies of this page's own files, as it does with any page. Nothing is sent anywhere."
            </p>
        </Dialog>
    }
}
