//! `UpdateBar`: a newer version of the page is there, and comes when the visitor says so.

use leptos::prelude::*;

use crate::state::Phase;
use crate::web::page::context::Page;
use crate::web::page::offline::{Newer, Offline};

/// The bar above everything, while there is another version.
#[component]
pub fn UpdateBar() -> impl IntoView {
    let page = Page::here();
    let offline = expect_context::<Offline>();
    let is_busy = page.memo(|state| matches!(state.phase(), Phase::Generating | Phase::Loading));
    let update = move |_| {
        if !is_busy.get_untracked() {
            offline.update();
        }
    };
    let words = move || match (offline.newer(), is_busy.get()) {
        (Newer::None, _) => "",
        (_, true) => "A new version of this page is ready. It can come when this is done.",
        (Newer::Waiting, false) => {
            "A new version of this page is ready. Updating loads it anew; the texts you see now will go."
        }
        (Newer::InPlace, false) => {
            "This page was updated in another tab. Reloading brings it here too; the texts you see now will go."
        }
    };
    let yes = move || match offline.newer() {
        Newer::InPlace => "Reload",
        _ => "Update",
    };
    view! {
        <div class="update-place" role="status">
            <Show when=move || offline.newer() != Newer::None>
                <div class="update-bar" data-testid="update">
                    <p>{words}</p>
                    <button type="button" class="button is-primary" on:click=update
                        aria-disabled=move || is_busy.get().then_some("true")>{yes}</button>
                    <button type="button" class="quiet-button" on:click=move |_| offline.put_off()>"Later"</button>
                </div>
            </Show>
        </div>
    }
}
