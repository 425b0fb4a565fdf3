//! `Switches`: what the original's cleaning lacked, off by default.

use leptos::prelude::*;
use posts::clean::CleanOptions;

use crate::web::page::maker::Maker;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The section.
#[component]
pub fn Switches() -> impl IntoView {
    let maker = Maker::here();
    let options = maker.memo(|state| state.bot.options.clone());
    let is_busy = maker.memo(|state| state.running.is_some());
    // A disabled control would lose the focus.
    let waits = move || is_busy.get().then_some("true");
    let hold = move |event: web_sys::MouseEvent| {
        if is_busy.get_untracked() {
            event.prevent_default();
        }
    };
    let change = move |change: fn(&mut CleanOptions, bool)| {
        move |event: web_sys::Event| {
            maker.act(|state| state.clean(|options| change(options, event_target_checked(&event))))
        }
    };
    let switch = move |words: &'static str,
                       look: fn(&CleanOptions) -> bool,
                       set: fn(&mut CleanOptions, bool)| {
        view! {
            <label class="check"><input type="checkbox" aria-disabled=waits on:click=hold prop:checked=move || options.with(look) on:change=change(set)/>{words}</label>
        }
    };
    let date = move |id: &'static str,
                     words: &'static str,
                     look: fn(&CleanOptions) -> Option<i64>,
                     set: fn(&mut CleanOptions, Option<i64>)| {
        let shown = move || options.with(look).map(day_of).unwrap_or_default();
        view! {
            <label for=id>{words}</label>
            <input id=id type="date" class="field" readonly=is_busy prop:value=shown
                on:change:target=move |event| { let time = time_of(&event.target().value()); maker.act(|state| state.clean(|options| set(options, time))) }/>
        }
    };
    view! {
        <section class="maker-section" aria-labelledby="switches-title">
            <h2 id="switches-title">"Cleaning"</h2>
            <p>"By the rules of huggingtweets: retweets go, addresses go, and so do posts of fewer than 3 words that are no name, tag or address. It had no other rules; these are off unless you switch them on, and the record says so."</p>
            {switch("Count the words of scripts without spaces, such as Japanese and Chinese", |o| o.segments, |o, on| o.segments = on)}
            {switch("Leave out answers to others", |o| o.no_replies, |o, on| o.no_replies = on)}
            {switch("Leave out posts whose text was there before", |o| o.no_duplicates, |o, on| o.no_duplicates = on)}
            <div class="maker-names">
                {date("maker-from", "From", |o| o.from, |o, time| o.from = time)}
                {date("maker-until", "Before", |o| o.until, |o, time| o.until = time)}
                <label for="maker-lang">"Only the language"</label>
                <input id="maker-lang" class="field" placeholder="such as en; all, if empty" readonly=is_busy prop:value=move || options.with(|o| o.lang.clone().unwrap_or_default())
                    on:change:target=move |event| { let lang = event.target().value().trim().to_owned(); maker.act(|state| state.clean(|options| options.lang = Some(lang).filter(|lang| !lang.is_empty()))) }/>
            </div>
        </section>
    }
}

/// The day of a time in UTC, as a date field has it.
fn day_of(time: i64) -> String {
    let date = js_sys::Date::new(&((time * 1000) as f64).into());
    let text = String::from(date.to_iso_string());
    text.split('T').next().unwrap_or_default().to_owned()
}

/// The first second of a day in UTC.
fn time_of(day: &str) -> Option<i64> {
    let ms = js_sys::Date::parse(day);
    ms.is_finite().then(|| (ms / 1000.0) as i64 / DAY * DAY)
}
