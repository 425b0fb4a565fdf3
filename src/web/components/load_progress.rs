//! `LoadProgress`: one bar while a model is on its way: what, how far, how long still, cancel.

use leptos::prelude::*;

use crate::state::model::Loading;
use crate::web::page::Page;

/// The bar; nothing while nothing loads.
#[component]
pub fn LoadProgress() -> impl IntoView {
    let page = Page::here();
    let is_loading = page.memo(|state| state.loading().is_some());
    let name = page.memo(|state| state.choice().name.clone());
    let text = page.memo(|state| state.loading().map(Loading::text).unwrap_or_default());
    let time_left = page.memo(|state| state.loading().and_then(Loading::time_left));
    let fraction = page.memo(|state| state.loading().and_then(Loading::fraction));
    let percent = move || {
        fraction
            .get()
            .map(|fraction| (fraction * 100.0).round().to_string())
    };
    view! {
        <Show when=move || is_loading.get()>
            <div class="loading">
                <p class="loading-text">
                    <span>"Loading "<strong>{name}</strong></span>
                    <span class="muted">{text}{move || time_left.get().map(|left| format!(" · {left}"))}</span>
                </p>
                <div class="bar" role="progressbar" data-testid="progress" aria-label="Loading the model"
                    aria-valuemin="0" aria-valuemax="100" aria-valuenow=percent aria-valuetext=text
                    class:is-unknown=move || fraction.with(Option::is_none)>
                    <span class="bar-fill" style=move || percent().map(|percent| format!("inline-size: {percent}%"))></span>
                </div>
            </div>
        </Show>
    }
}
