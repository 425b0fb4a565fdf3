//! `LoadProgress`: a progress bar for a model that is being loaded or paused, with the time left.

use leptos::prelude::*;

use crate::state::loading::{Loading, Paused};
use crate::web::page::context::Page;

/// The bar; empty without a load.
#[component]
pub fn LoadProgress() -> impl IntoView {
    let page = Page::here();
    let is_paused = page.memo(|state| state.paused().is_some());
    let is_shown = page.memo(|state| state.loading().is_some() || state.paused().is_some());
    let name = page.memo(|state| state.choice().name.clone());
    let text = page.memo(|state| {
        let text = state.loading().map(Loading::text);
        text.or_else(|| state.paused().map(Paused::text))
            .unwrap_or_default()
    });
    let time_left = page.memo(|state| state.loading().and_then(Loading::time_left));
    let fraction = page.memo(|state| match state.loading() {
        Some(loading) => loading.fraction(),
        None => state.paused().and_then(Paused::fraction),
    });
    let percent = move || {
        fraction
            .get()
            .map(|fraction| (fraction * 100.0).round().to_string())
    };
    view! {
        <Show when=move || is_shown.get()>
            <div class="loading">
                <p class="loading-text">
                    <span>{move || if is_paused.get() { "" } else { "Loading " }}<strong><bdi>{name}</bdi></strong></span>
                    <span class="muted">{text}{move || time_left.get().map(|left| format!(" · {left}"))}</span>
                </p>
                <div class="bar" role="progressbar" data-testid="progress" aria-label="Loading the model"
                    aria-valuemin="0" aria-valuemax="100" aria-valuenow=percent aria-valuetext=text
                    class:is-unknown=move || fraction.with(Option::is_none)>
                    <span class="bar-fill" style:inline-size=move || percent().map(|percent| format!("{percent}%"))></span>
                </div>
            </div>
        </Show>
    }
}
