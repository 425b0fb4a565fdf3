//! `ModelNotices`: what there is to know about the open model's files, such as values that are passed over.

use leptos::prelude::*;

use crate::state::wording::quoted;
use crate::web::page::context::Page;

/// A quiet list under the model's line; nothing if there is nothing to know.
#[component]
pub fn ModelNotices() -> impl IntoView {
    let page = Page::here();
    let notices = page.memo(|state| {
        let notices = state.model_notices().iter();
        notices
            .map(|notice| quoted(&notice.to_string()))
            .collect::<Vec<_>>()
    });
    let lines = move || {
        let line = |text| view! { <li><bdi>{text}</bdi></li> };
        notices.get().into_iter().map(line).collect_view()
    };
    view! {
        <Show when=move || notices.with(|notices| !notices.is_empty())>
            <ul class="model-notices muted" data-testid="model-notices">{lines}</ul>
        </Show>
    }
}
