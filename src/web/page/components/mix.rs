//! `Mix`: the bots of this device that a bot can be mixed with, and for a mixed one the slider of the shares.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{File, HtmlInputElement};

use crate::bot::Bot;
use crate::state::model_choice::BotShare;
use crate::web::page::address;
use crate::web::page::context::Page;
use crate::web::page::mixed_bot::{self, Mixable};

/// The section; empty for a bot that cannot be mixed.
#[component]
pub fn Mix(
    /// The open bot.
    bot: Memo<Bot>,
) -> impl IntoView {
    let page = Page::here();
    let found = RwSignal::new(Vec::<Mixable>::new());
    let folder = Memo::new(move |_| bot.with(|bot| Bot::folder_here(&bot.repo).map(str::to_owned)));
    let base = StoredValue::new_local(None::<File>);
    let has_base = RwSignal::new(false);
    let is_other = RwSignal::new(false);
    Effect::new(move |_| {
        found.set(Vec::new());
        base.set_value(None);
        has_base.set(false);
        is_other.set(false);
        if let Some(folder) = folder.get() {
            spawn_local(async move {
                let mixable = mixed_bot::mixable(&folder).await;
                // Another bot may be open by now.
                if folder_is(bot, &folder) {
                    found.set(mixable);
                }
            });
        }
    });
    let can_mix = page.memo(|state| state.can_mix());
    let shares = page.memo(|state| state.choice().shares.clone());
    let is_mixed = move || bot.with(|bot| Bot::mixed_here(&bot.repo).is_some());
    let needs_base = move || found.with(|found| found.first()?.missing_base.clone());
    let open = move |other: String| {
        let Some(own) = folder.get_untracked() else {
            return;
        };
        let folders = [own, other];
        address::go_to(&Bot::repo_here(&folders.join(Bot::MIXED)));
        spawn_local(mixed_bot::open(
            page,
            folders,
            BotShare::HALF,
            base.get_value(),
        ));
    };
    let picked = move |event: web_sys::Event| {
        let input = event
            .target()
            .and_then(|it| it.dyn_into::<HtmlInputElement>().ok());
        let file = input.and_then(|input| input.files()?.get(0));
        let (Some(file), Some(folder)) = (file, folder.get_untracked()) else {
            return;
        };
        spawn_local(async move {
            let is_base = mixed_bot::is_base_of(&folder, &file).await;
            // Another bot may be open by now.
            if folder_is(bot, &folder) {
                base.set_value(is_base.then_some(file));
                has_base.set(is_base);
                is_other.set(!is_base);
            }
        });
    };
    let percent = move || shares.with(|shares| shares.first().map_or(50, |share| share.percent));
    let names = move || bot.with(|bot| bot.card.handles.clone());
    let slide = move |event: web_sys::Event| {
        let input = event
            .target()
            .and_then(|it| it.dyn_into::<HtmlInputElement>().ok());
        let Some(first) = input.and_then(|input| input.value().parse::<u8>().ok()) else {
            return;
        };
        let folders = bot.with_untracked(|bot| Bot::mixed_here(&bot.repo));
        let Some(folders) = folders else { return };
        page.act(|state| state.mix(BotShare::pair(folders, first)));
    };
    view! {
        {move || is_mixed().then(|| view! {
            <section class="card-section" aria-labelledby="mix-title" data-testid="mix">
                <h2 id="mix-title">"Mixed of two bots"</h2>
                <p>"One base model writes; what each bot learnt is added by its share, from the next text on."</p>
                <p class="mix-share">
                    <label for="mix-share">"Share of the first bot"</label>
                    <input id="mix-share" type="range" min="0" max="100" step="5" data-testid="mix-share" prop:disabled=move || !can_mix.get() prop:value=move || percent().to_string() on:change=slide/>
                    <output for="mix-share" data-testid="mix-words">{move || {
                        let shares = [percent(), 100 - percent()];
                        let words = names().into_iter().zip(shares).map(|(name, share)| format!("{share} % @{name}"));
                        words.collect::<Vec<_>>().join(", ")
                    }}</output>
                </p>
            </section>
        })}
        {move || (!is_mixed() && found.with(|found| !found.is_empty())).then(|| view! {
            <section class="card-section" aria-labelledby="mix-title" data-testid="mix">
                <h2 id="mix-title">"Mix it with another bot"</h2>
                <p>"Both are LoRA adapters of one model, which is loaded once; a slider then sets how much of each writes."</p>
                {move || needs_base().map(|base| view! {
                    <p><label class="button">{format!("Choose their base model, {base}")}
                        <input type="file" accept=".gguf" class="visually-hidden" on:change=picked/>
                    </label></p>
                })}
                <Show when=move || is_other.get()>
                    <p class="notice" role="alert">"That file is not the model that these bots were trained on. Choose the file that they were trained from."</p>
                </Show>
                <p class="maker-picks">{move || found.get().into_iter().map(|other| {
                    let folder = other.folder.clone();
                    view! {
                        <button type="button" class="button" data-testid="mix-with" disabled=move || needs_base().is_some() && !has_base.get()
                            on:click=move |_| open(folder.clone())>{format!("Mix with @{}", other.handles)}</button>
                    }
                }).collect_view()}</p>
            </section>
        })}
    }
}

fn folder_is(bot: Memo<Bot>, folder: &str) -> bool {
    bot.try_with_untracked(|bot| Bot::folder_here(&bot.repo) == Some(folder)) == Some(true)
}
