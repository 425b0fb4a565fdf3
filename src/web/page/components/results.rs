//! `Results`: the tweets, the figures of the run, and the tweets as JSON.

use leptos::html;
use leptos::prelude::*;

use crate::state::run_figures::RunFigures;
use crate::web::page::browser_window::scroll_to;
use crate::web::page::context::Page;

use super::copy_button::CopyButton;
use super::tweet_card::TweetCard;

/// The results of the last run.
#[component]
pub fn Results() -> impl IntoView {
    let page = Page::here();
    let n = page.memo(|state| state.texts().tweets.len());
    let n_wanted = page.memo(|state| state.n_wanted());
    let figures = page.memo(|state| state.texts().figures.clone());
    let list = NodeRef::<html::Ol>::new();
    let is_writing = page.memo(|state| state.is_generating());
    Effect::new(move |_| {
        if is_writing.get() {
            // On a phone the first tweet may begin below the fold.
            request_animation_frame(move || {
                if let Some(first) = list
                    .get_untracked()
                    .and_then(|list| list.first_element_child())
                {
                    scroll_to(&first);
                }
            });
        }
    });
    let is_json = RwSignal::new(false);
    let json = page.memo(move |state| {
        if is_json.get() {
            state.texts().json()
        } else {
            String::new()
        }
    });
    let line = move || {
        figures.get().map(RunFigures::all).map(|figures| {
            figures
                .into_iter()
                .map(|figure| view! { <li>{figure}</li> })
                .collect_view()
        })
    };
    let promise = move || match n_wanted.get() {
        1 => "A tweet will be written here, on this device.".to_owned(),
        5 => "Five tweets will be written here, all at once, on this device.".to_owned(),
        n => format!("{n} tweets will be written here, all at once, on this device."),
    };
    view! {
        <div class="results">
            <Show
                when=move || { n.get() > 0 }
                fallback=move || view! { <p class="empty">{promise}</p> }
            >
                <ol class="tweets" node_ref=list aria-label="Generated tweets">
                    <For each=move || 0..n.get() key=|place| *place children=|place| view! { <TweetCard place/> }/>
                </ol>
                <div class="run-foot">
                    <ul class="figures" aria-label="Figures of this run">{line}</ul>
                    <button type="button" class="quiet-button" aria-pressed=move || is_json.get().to_string() on:click=move |_| is_json.update(|on| *on = !*on)>
                        {move || if is_json.get() { "Hide JSON" } else { "JSON" }}
                    </button>
                </div>
                <Show when=move || is_json.get()>
                    <div class="code">
                        <CopyButton text=move || page.with_untracked(|state| state.texts().json()) label="Copy the JSON"/>
                        <pre tabindex="0" aria-label="The answer as JSON"><code>{json}</code></pre>
                    </div>
                </Show>
            </Show>
        </div>
    }
}
