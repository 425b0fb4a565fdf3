//! `TrainingText`: whose posts these are, how the training text is written, and its files.

use leptos::prelude::*;
use maker::message::MadeFile;
use posts::dataset::{DatasetParams, EPOCHS, VALIDATION};
use posts::record::Consent;

use crate::web::page::maker::Maker;

/// The answers to the question whose posts these are.
const ANSWERS: [(Consent, &str); 3] = [
    (Consent::Own, "mine"),
    (Consent::Agreed, "of somebody who agreed to this bot"),
    (Consent::PublicDomain, "in the public domain"),
];

/// Takes a typed number of copies, if the maker makes as many.
fn set_copies(params: &mut DatasetParams, text: &str) {
    let copies = text.parse().ok();
    if let Some(copies) = copies.filter(|copies| EPOCHS.contains(copies)) {
        params.epochs = copies;
    }
}

/// Takes a typed percentage of posts, if the maker keeps as many apart.
fn set_percent(params: &mut DatasetParams, text: &str) {
    let share = text.parse::<u32>().ok().map(|n| f64::from(n) / 100.0);
    if let Some(share) = share.filter(|share| VALIDATION.contains(share)) {
        params.validation = share;
    }
}

/// The section.
#[component]
pub fn TrainingText() -> impl IntoView {
    let maker = Maker::here();
    let consent = maker.memo(|state| state.consent);
    let params = maker.memo(|state| state.params);
    let obstacle = maker.memo(|state| state.obstacle());
    let is_written = maker.memo(|state| state.bot.record.is_some());
    let choose = move |answer: Consent| maker.change(|state| state.consent = Some(answer));
    let number = move |id: &'static str,
                       words: &'static str,
                       value: fn(&DatasetParams) -> String,
                       set: fn(&mut DatasetParams, &str)| {
        view! {
            <label for=id>{words}</label>
            <input id=id class="field" inputmode="numeric" prop:value=move || params.with(value)
                on:change:target=move |event| { let text = event.target().value(); maker.change(|state| set(&mut state.params, text.trim())) }/>
        }
    };
    view! {
        <section class="maker-section" aria-labelledby="text-title">
            <h2 id="text-title">"Training text"</h2>
            <fieldset class="maker-consent">
                <legend>"Whose posts are these?"</legend>
                {ANSWERS.map(|(answer, words)| view! {
                    <label class="check"><input type="radio" name="maker-consent" data-testid="maker-consent" prop:checked=move || consent.get() == Some(answer) on:change=move |_| choose(answer)/>{words}</label>
                })}
            </fieldset>
            <div class="maker-names">
                {number("maker-seed", "Seed", |params| params.seed.to_string(), |params, text| if let Ok(seed) = text.parse::<u32>() { params.seed = seed.into() })}
                {number("maker-epochs", "Copies (epochs)", |params| params.epochs.to_string(), set_copies)}
                {number("maker-validation", "Kept apart, percent", |params| format!("{:.0}", params.validation * 100.0), set_percent)}
            </div>
            <p>
                <button type="button" class="button is-primary" data-testid="maker-write" disabled=move || obstacle.with(Option::is_some) on:click=move |_| maker.write()>"Write the training text"</button>
                " "<span class="muted" role="status">{move || obstacle.get().unwrap_or_default()}</span>
            </p>
            <p class="maker-picks" data-testid="maker-export">
                <Show when=move || is_written.get()>
                    <button type="button" class="button" data-testid="maker-save-text" on:click=move |_| maker.save(MadeFile::Dataset)>"Save the text"</button>
                    <button type="button" class="button" data-testid="maker-save-json" on:click=move |_| maker.save(MadeFile::Json)>"Save the posts as JSON"</button>
                    <button type="button" class="button" data-testid="maker-save-record" on:click=move |_| maker.save(MadeFile::Record)>"Save the record"</button>
                </Show>
                <button type="button" class="button" data-testid="maker-save-bot" on:click=move |_| maker.save(MadeFile::Bot)>"Save the whole bot"</button>
                <span class="muted">"A zip that opens here, or on another device, as a file above."</span>
            </p>
        </section>
    }
}
