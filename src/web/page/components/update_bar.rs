//! `UpdateBar`: offers a newer version of the page, which takes over when the visitor agrees.

use leptos::prelude::*;

use crate::state::Phase;
use crate::web::page::context::Page;
use crate::web::page::page_updates::{NewerVersion, PageUpdates};

/// The bar at the top of the page, shown while there is another version.
#[component]
pub fn UpdateBar() -> impl IntoView {
    let page = Page::here();
    let updates = expect_context::<PageUpdates>();
    let is_busy = page.memo(|state| matches!(state.phase(), Phase::Generating | Phase::Loading));
    let update = move |_| {
        if !is_busy.get_untracked() {
            updates.update();
        }
    };
    let words = move || match (updates.newer(), is_busy.get()) {
        (NewerVersion::None, _) => "",
        (_, true) => "A new version of this page is ready. You can update when this is done.",
        (NewerVersion::Waiting, false) => {
            "A new version of this page is ready. Updating reloads the page; the texts you see now will be gone."
        }
        (NewerVersion::InPlace, false) => {
            "This page was updated in another tab. Reload to update it here too; the texts you see now will be gone."
        }
    };
    let yes = move || match updates.newer() {
        NewerVersion::InPlace => "Reload",
        _ => "Update",
    };
    view! {
        <div class="update-place" role="status">
            <Show when=move || updates.newer() != NewerVersion::None>
                <div class="update-bar" data-testid="update">
                    <p>{words}</p>
                    <button type="button" class="button is-primary" on:click=update
                        aria-disabled=move || is_busy.get().then_some("true")>{yes}</button>
                    <button type="button" class="quiet-button" on:click=move |_| updates.put_off()>"Later"</button>
                </div>
            </Show>
        </div>
    }
}
