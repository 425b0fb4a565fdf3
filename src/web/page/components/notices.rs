//! `Notices`: plain remarks above the results, which can be dismissed.

use leptos::prelude::*;

use crate::state::wording::quoted;
use crate::web::page::context::Page;

use super::icon::{Drawing, Icon};

/// The current remarks, if any.
#[component]
pub fn Notices() -> impl IntoView {
    let page = Page::here();
    let texts = page.memo(|state| {
        let notices = state.notices().iter();
        notices
            .map(|notice| quoted(&notice.text()))
            .collect::<Vec<_>>()
    });
    view! {
        <Show when=move || texts.with(|texts| !texts.is_empty())>
            <div class="notice" role="note">
                <ul>{move || texts.get().into_iter().map(|text| view! { <li>{text}</li> }).collect_view()}</ul>
                <button type="button" class="icon-button" aria-label="Dismiss" on:click=move |_| page.change(|state| state.dismiss_notices())>
                    <Drawing icon=Icon::Close/>
                </button>
            </div>
        </Show>
    }
}
