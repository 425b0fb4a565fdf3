//! `ModelLine`: the chosen model's name, size and origin, and whether it is the bot's own.

use leptos::prelude::*;

use crate::bot::{Bot, HUB_WEIGHTS_MB};
use crate::protocol::Retention;
use crate::state::model::ModelStatus;
use crate::state::wording;
use crate::web::page::context::Page;
use crate::web::page::history;

use super::dialog::{Overlay, View};

/// The line above the prompt.
#[component]
pub fn ModelLine() -> impl IntoView {
    let page = Page::here();
    // In a frame there are no dialogs.
    let overlay = use_context::<Overlay>();
    let name = page.memo(|state| state.choice().name.clone());
    let facts = page.memo(|state| {
        let choice = state.choice();
        let mut facts = Vec::new();
        if let Some(info) = state.model_info() {
            if !choice.is_bundled() {
                facts.push(wording::dtype(&info.dtype));
            }
            facts.push(wording::bytes(info.size_bytes));
        } else if let Some(size) = choice.size_bytes {
            facts.push(wording::bytes(size));
        }
        facts.push(choice.origin_text());
        facts.extend(
            state
                .model_info()
                .and_then(|info| retention_text(info.retention)),
        );
        facts
    });
    let dot = page.memo(|state| match state.model_status() {
        ModelStatus::Ready(_) => "model-dot is-ready",
        ModelStatus::Loading(_) => "model-dot is-loading",
        ModelStatus::Failed(_) => "model-dot is-failed",
        ModelStatus::Absent | ModelStatus::Paused(_) => "model-dot",
    });
    let is_bundled = page.memo(|state| state.is_bundled());
    let is_own = page.memo(|state| state.is_own());
    let has_card = page.memo(|state| state.selected().is_some());
    let is_one_person = page.memo(|state| state.bot().card.names.len() == 1);
    let own_work = page.memo(|state| {
        let bot = state.speaker().bot().cloned();
        bot.filter(Bot::is_own_work).map(|bot| bot.repo)
    });
    let open_own = move |_| {
        let repo = own_work.get_untracked().unwrap_or_default();
        match Bot::folder_here(&repo) {
            Some(folder) => history::open_here(page, folder),
            None => page.act(|state| state.use_site_model()),
        }
    };
    let is_idle = page.memo(|state| state.loading().is_none());
    let truth = move || {
        let whose = if is_one_person.get() {
            "this person’s"
        } else {
            "these people’s"
        };
        if !has_card.get() {
            "This model speaks under its own name: it has no card of a bot. No person wrote its texts; a machine makes them up."
                .to_owned()
        } else if own_work.with(Option::is_some) && !is_own.get() {
            format!("Another model writes here; it never saw {whose} posts.")
        } else if is_own.get() {
            "The real bot writes here. No person wrote these texts; a machine made them up."
                .to_owned()
        } else if is_bundled.get() {
            format!(
                "A small model trained on old books writes here; it never saw {whose} tweets. The real bot is a download of {HUB_WEIGHTS_MB} MB."
            )
        } else {
            format!(
                "Another model writes here until the one of this bot is open. This page cannot tell whether it ever saw {whose} tweets."
            )
        }
    };
    view! {
        <div class="model-line">
            <p class="model-facts">
                <span class=dot aria-hidden="true"></span>
                <span class="visually-hidden">"Model: "</span>
                <strong data-testid="model-name"><bdi>{name}</bdi></strong>
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
                    <button type="button" class="quiet-button" on:click=move |_| page.act(|state| state.use_bundled())>"Use the small model"</button>
                }
            >
                {overlay.map(|overlay| view! {
                    <button type="button" class="quiet-button" on:click=move |_| overlay.open(View::OpenModel)>"Change"</button>
                })}
            </Show>
            <p class="model-truth">
                {truth}
                <Show when=move || own_work.with(Option::is_some) && !is_own.get() && is_idle.get()>
                    " "
                    <button type="button" class="quiet-button" on:click=open_own>"Let the real bot write"</button>
                </Show>
                <Show when=move || is_bundled.get() && is_idle.get() && own_work.with(Option::is_none)>
                    " "
                    {overlay.map(|overlay| view! {
                        <button type="button" class="quiet-button" on:click=move |_| overlay.look_up(page.with_untracked(|state| state.bot().repo.clone()))>
                            "Download the real bot"
                        </button>
                    })}
                </Show>
            </p>
        </div>
    }
}

/// Where the model is saved, in words; `None` for the bundled model and for a picked file.
fn retention_text(retention: Retention) -> Option<String> {
    match retention {
        Retention::None => None,
        Retention::Tab => Some("in this tab only".to_owned()),
        Retention::Database => Some("saved here, in the browser’s database".to_owned()),
        Retention::PrivateFiles => Some("saved here".to_owned()),
    }
}
