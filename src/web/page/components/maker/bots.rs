//! `Bots`: the bots that are being made on this device.

use leptos::html;
use leptos::prelude::*;
use maker::message::KeptBot;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::state::training::Phase;
use crate::web::page::browser_window::scroll_when;
use crate::web::page::maker::Maker;
use crate::web::page::trainer::Trainer;

/// What a bot is called.
fn title(bot: &KeptBot) -> String {
    match bot.handles.is_empty() {
        true => "a bot without posts".to_owned(),
        false => format!("@{}", bot.handles.join(" & @")),
    }
}

/// The bots to go on with, and a button for a new one; nothing while there is one bot alone.
#[component]
pub fn Bots() -> impl IntoView {
    let (maker, trainer) = (Maker::here(), Trainer::here());
    let others = maker.memo(|state| {
        let bots = state.bots.clone().unwrap_or_default();
        let is_other =
            |bot: &KeptBot| state.name.as_ref() != Some(&bot.name) && !bot.handles.is_empty();
        bots.into_iter().filter(is_other).collect::<Vec<_>>()
    });
    // Without posts, and without files that were some.
    let is_new = maker.memo(|state| state.bot.accounts.is_empty() && !state.is_damaged);
    let is_kept = maker.memo(|state| state.name.is_none() || state.is_kept);
    // A second press deletes.
    let is_asked = RwSignal::new(false);
    let delete_button = NodeRef::<html::Button>::new();
    let keep = move |_| {
        is_asked.set(false);
        // The pressed button goes.
        if let Some(button) = delete_button.get_untracked() {
            let _ = button.focus();
        }
    };
    let delete = move || {
        let name = maker.with_untracked(|state| state.name.clone());
        match name {
            Some(name) if is_asked.get_untracked() => {
                // Its files can be deleted once they are closed.
                trainer.close();
                maker.delete(name);
            }
            _ => {}
        }
        is_asked.update(|is_asked| *is_asked = !*is_asked);
    };
    view! {
        <Show when=move || !is_kept.get()>
            <p class="notice">"What you make here is gone when you close the tab: this browser keeps nothing for this page, its storage is full, or another tab has this bot open. Delete something in Storage or close the other tab and reload the page, or save the files below before you leave."</p>
        </Show>
        <Show when=move || !others.with(Vec::is_empty) || !is_new.get()>
            <section class="maker-bots" aria-label="Bots on this device">
                <Show when=move || !is_new.get()>
                    <button type="button" class="button" data-testid="maker-new" on:click=move |_| maker.want(None)>"Begin another bot"</button>
                    <button type="button" class="button" data-testid="maker-delete" node_ref=delete_button on:click=move |_| delete()>
                        {move || if is_asked.get() { "Delete it, with its posts and files" } else { "Delete this bot" }}
                    </button>
                    <Show when=move || is_asked.get()>
                        <button type="button" class="button" on:click=keep>"Keep it"</button>
                    </Show>
                </Show>
                {move || others.get().into_iter().map(|bot| { let name = bot.name.clone(); view! {
                    <button type="button" class="button" data-testid="maker-other" on:click=move |_| maker.want(Some(name.clone()))>{format!("Go on with {}", title(&bot))}</button>
                }}).collect_view()}
            </section>
        </Show>
        <Leave/>
    }
}

/// The question whether the open bot is left for the one that was asked for, where that costs something.
#[component]
fn Leave() -> impl IntoView {
    let (maker, trainer) = (Maker::here(), Trainer::here());
    let leaving = Memo::new(move |_| {
        let is_kept = maker
            .with(|state| state.name.is_none() || state.is_kept || state.bot.accounts.is_empty());
        trainer.with(|state| state.leaving(is_kept))
    });
    // What had the focus when it was asked.
    let asker = StoredValue::new_local(None::<HtmlElement>);
    Effect::new(move |_| {
        if !maker.is_other_wanted() {
            return;
        }
        let active = document().active_element();
        asker.set_value(active.and_then(|it| it.dyn_into().ok()));
        if leaving.with_untracked(Option::is_none) {
            maker.open_wanted();
        }
    });
    // Whether the bot is left once its training is paused.
    let is_pausing = RwSignal::new(false);
    Effect::new(move |_| {
        // The training has ended by itself: nothing is left to ask.
        if leaving.with(Option::is_none) && !is_pausing.get_untracked() {
            maker.stay();
        }
    });
    let end = trainer.memo(|state| {
        let is_kept = state.not_kept.is_none() && state.failure.is_none();
        (state.phase, is_kept)
    });
    Effect::new(move |_| {
        let (phase, is_kept) = end.get();
        if !is_pausing.get() || matches!(phase, Phase::Running | Phase::Pausing) {
            return;
        }
        is_pausing.set(false);
        match phase {
            Phase::Paused | Phase::Idle if is_kept => maker.open_wanted(),
            Phase::Idle => maker.stay(),
            // It is asked anew, for another price.
            _ => {}
        }
    });
    let leave = move |_| match trainer.with_untracked(|state| state.phase) {
        Phase::Running => {
            is_pausing.set(true);
            trainer.pause();
        }
        // The press before is being answered, or that on Pause.
        Phase::Pausing => is_pausing.set(true),
        _ => maker.open_wanted(),
    };
    let stay = move |_| {
        is_pausing.set(false);
        maker.stay();
        // The pressed button goes.
        if let Some(asker) = asker.get_value() {
            let _ = asker.focus();
        }
    };
    let asked = move || leaving.get().filter(|_| maker.is_other_wanted());
    let is_asked = Memo::new(move |_| asked().is_some());
    let place = NodeRef::<html::Div>::new();
    scroll_when(move || is_asked.get(), place);
    view! {
        <Show when=move || is_asked.get()>
            <div class="notice" role="alert" data-testid="maker-leave" node_ref=place>
                <p>{move || asked().map(|it| it.words)}</p>
                <p class="maker-picks">
                    <button type="button" class="button" data-testid="maker-leave-go" aria-disabled=move || is_pausing.get().then_some("true") on:click=leave>
                        {move || match is_pausing.get() {
                            true => Some("Pausing …"),
                            false => asked().map(|it| it.button),
                        }}
                    </button>
                    <button type="button" class="button" data-testid="maker-leave-stay" on:click=stay>"Stay with this bot"</button>
                </p>
            </div>
        </Show>
    }
}
