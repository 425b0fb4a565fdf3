//! `ModelLine`: which model speaks, how large it is, where it is, and what it has to do with the bot.

use leptos::prelude::*;

use crate::bot::HUB_WEIGHTS_MB;
use crate::protocol::Keeping;
use crate::state::figures;
use crate::state::model::ModelStatus;
use crate::web::page::context::Page;

use super::dialog::{Overlay, View};

/// The line above the prompt.
#[component]
pub fn ModelLine() -> impl IntoView {
    let page = Page::here();
    let overlay = expect_context::<Overlay>();
    let name = page.memo(|state| state.choice().name.clone());
    let facts = page.memo(|state| {
        let choice = state.choice();
        let mut facts = Vec::new();
        if let Some(info) = state.model_info() {
            facts.push(format!("{} weights", figures::weights(info.n_params)));
            facts.push(figures::dtype(&info.dtype));
            facts.push(figures::bytes(info.size_bytes));
        } else if let Some(size) = choice.size_bytes {
            facts.push(figures::bytes(size));
        }
        facts.extend(choice.place());
        facts.extend(state.model_info().and_then(|info| kept(info.keeping)));
        facts
    });
    let dot = page.memo(|state| match state.model() {
        ModelStatus::Ready(_) => "model-dot is-ready",
        ModelStatus::Loading(_) => "model-dot is-loading",
        ModelStatus::Failed(_) => "model-dot is-failed",
        ModelStatus::Absent | ModelStatus::Paused(_) => "model-dot",
    });
    let is_bundled = page.memo(|state| state.is_bundled());
    let is_own = page.memo(|state| state.is_own());
    let is_one = page.memo(|state| state.bot().card.names.len() == 1);
    let is_idle = page.memo(|state| state.loading().is_none());
    let truth = move || {
        let (whose, these) = if is_one.get() {
            ("this person’s", "This bot’s")
        } else {
            ("these people’s", "This cyborg’s")
        };
        if is_own.get() {
            format!(
                "{these} own weights. Nobody in particular wrote these texts: a machine made them up."
            )
        } else if is_bundled.get() {
            format!(
                "{these} real weights are {HUB_WEIGHTS_MB} MB on the Hub. This text comes from a small stand-in that never saw {whose} tweets."
            )
        } else {
            format!(
                "You opened this model yourself; whether it ever saw {whose} tweets, this page cannot tell."
            )
        }
    };
    view! {
        <div class="model-line">
            <p class="model-facts">
                <span class=dot aria-hidden="true"></span>
                <span class="visually-hidden">"Model: "</span>
                <strong data-testid="model-name">{name}</strong>
                " "
                <span class="model-about">
                    {move || facts
                        .get()
                        .into_iter()
                        .map(|fact| view! { <span class="model-fact">{fact}</span>" " })
                        .collect_view()}
                </span>
            </p>
            <Show
                when=move || is_bundled.get()
                fallback=move || view! {
                    <button type="button" class="quiet-button" on:click=move |_| page.act(|state| state.use_bundled())>"Use the bundled one"</button>
                }
            >
                <button type="button" class="quiet-button" on:click=move |_| overlay.open(View::OpenModel)>"Change"</button>
            </Show>
            <p class="model-truth">
                {truth}
                <Show when=move || is_bundled.get() && is_idle.get()>
                    " "
                    <button type="button" class="quiet-button" on:click=move |_| overlay.look_up(page.with_untracked(|state| state.bot().repo.clone()))>
                        {format!("Fetch the real ones ({HUB_WEIGHTS_MB} MB)")}
                    </button>
                </Show>
            </p>
        </div>
    }
}

/// Where a model is found on the next visit; of one that comes with the page or lies in a file nothing need be said.
fn kept(keeping: Keeping) -> Option<String> {
    match keeping {
        Keeping::Nothing => None,
        Keeping::Tab => Some("in this tab only".to_owned()),
        Keeping::Database => Some("kept here, in the browser’s database".to_owned()),
        Keeping::Device => Some("kept here".to_owned()),
    }
}
