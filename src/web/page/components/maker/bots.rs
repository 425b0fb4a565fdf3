//! `Bots`: the bots that are being made on this device.

use leptos::prelude::*;
use maker::message::KeptBot;

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
    let is_new = maker.memo(|state| state.bot.accounts.is_empty());
    let is_kept = maker.memo(|state| state.name.is_none() || state.is_kept);
    // A second press deletes.
    let is_asked = RwSignal::new(false);
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
                    <button type="button" class="button" data-testid="maker-new" on:click=move |_| maker.open(None)>"Begin another bot"</button>
                    <button type="button" class="button" data-testid="maker-delete" on:click=move |_| delete()>
                        {move || if is_asked.get() { "Delete it, with its posts and files" } else { "Delete this bot" }}
                    </button>
                    <Show when=move || is_asked.get()>
                        <button type="button" class="button" on:click=move |_| is_asked.set(false)>"Keep it"</button>
                    </Show>
                </Show>
                {move || others.get().into_iter().map(|bot| { let name = bot.name.clone(); view! {
                    <button type="button" class="button" on:click=move |_| maker.open(Some(name.clone()))>{format!("Go on with {}", title(&bot))}</button>
                }}).collect_view()}
            </section>
        </Show>
    }
}
