//! `MeasureDevice`: measures how fast this device runs the model; a section of the About dialog.

use leptos::html;
use leptos::prelude::*;

use crate::state::measured::{Bar, Measured};
use crate::state::measuring::Measuring;
use crate::state::wording::{bytes, sentence};
use crate::web::page::browser_window::scroll_to;
use crate::web::page::context::{Page, today};
use crate::web::page::device::user_agent;

use super::copy_button::CopyButton;
use super::icon::{Drawing, Icon};

/// The button, the progress bar, and the result.
#[component]
pub fn MeasureDevice() -> impl IntoView {
    let page = Page::here();
    let measuring = page.memo(|state| state.measuring());
    let is_busy = Memo::new(move |_| measuring.with(Measuring::is_busy));
    let measured = page.memo(|state| state.measured().cloned());
    let model = page.memo(|state| {
        let choice = state.choice();
        let size = choice.size_bytes.map(|size| format!(" ({})", bytes(size)));
        format!("{}{}", choice.name, size.unwrap_or_default())
    });
    // Other problems are shown on the page.
    let was_pressed = RwSignal::new(false);
    let problem = page.memo(move |state| {
        state
            .problem()
            .filter(|_| was_pressed.get())
            .map(|problem| problem.report.clone())
    });
    // One button, so that the focus stays on it.
    let press = move |_| {
        was_pressed.set(true);
        if is_busy.get_untracked() {
            page.act(|state| state.stop_measuring());
        } else {
            page.act(|state| state.measure());
        }
    };
    let results = NodeRef::<html::Div>::new();
    Effect::new(move |before: Option<bool>| {
        let is_busy = is_busy.get();
        if before == Some(true) && !is_busy {
            // On a phone the results may be below the fold.
            request_animation_frame(move || {
                if let Some(results) = results.get_untracked() {
                    scroll_to(&results);
                }
            });
        }
        is_busy
    });
    view! {
        <section class="measure" aria-labelledby="measure-title" data-testid="measure">
            <h3 id="measure-title">"How fast is this device?"</h3>
            <p class="muted">
                "This lets the model "
                <strong><bdi>{model}</bdi></strong>
                " read a prompt, write one text and then five at once, and compares the speed with just adding up all the model’s numbers, its weights. It takes about ten seconds; nothing is sent anywhere."
            </p>
            <div class="measure-action">
                <button type="button" class="button" class:is-primary=move || !is_busy.get() data-testid="measure-button" on:click=press>
                    {move || match (is_busy.get(), measured.with(Option::is_some)) {
                        (true, _) => view! { <Drawing icon=Icon::Stop/>"Stop" }.into_any(),
                        (false, true) => "Measure again".into_any(),
                        (false, false) => "Measure this device".into_any(),
                    }}
                </button>
                <Show when=move || is_busy.get()>
                    <Progress measuring/>
                </Show>
            </div>
            <div class="measure-outcome" node_ref=results>
                <div role="alert">
                    {move || problem.get().map(|report| view! {
                        <p class="measure-problem"><strong>{sentence(&report.message)}</strong>" "{sentence(&report.hint)}</p>
                    })}
                </div>
                <p class="visually-hidden" role="status">
                    {move || match (is_busy.get(), measured.with(Option::is_some)) {
                        (true, _) => "Measuring.",
                        (false, true) => "Measured. The figures follow.",
                        (false, false) => "",
                    }}
                </p>
                {move || measured.get().filter(|_| !is_busy.get()).map(|measured| view! { <Results measured/> })}
            </div>
        </section>
    }
}

/// The progress bar with its words.
#[component]
fn Progress(
    /// How far the measurement is.
    measuring: Memo<Measuring>,
) -> impl IntoView {
    let fraction = Memo::new(move |_| measuring.with(Measuring::fraction));
    let text = Memo::new(move |_| measuring.with(Measuring::text));
    let percent = move || fraction.get().map(|f| (f * 100.0).round().to_string());
    view! {
        <div class="measure-progress">
            <div class="bar" role="progressbar" data-testid="measure-progress" aria-label="Measuring this device"
                aria-valuemin="0" aria-valuemax="100" aria-valuenow=percent aria-valuetext=text
                class:is-unknown=move || fraction.with(Option::is_none)>
                <span class="bar-fill" style:inline-size=move || percent().map(|percent| format!("{percent}%"))></span>
            </div>
            <p class="muted">{text}</p>
        </div>
    }
}

/// The result: bars with their numbers, and a button to copy them.
#[component]
fn Results(
    /// The result.
    measured: Measured,
) -> impl IntoView {
    let tokens = measured.token_bars().map(bar).collect_view();
    let memory = measured.memory_bars().map(bar).collect_view();
    let share = measured.memory_share();
    let note = measured.note();
    let conditions = measured.conditions();
    let text = move || measured.to_text(&user_agent(), &today());
    view! {
        <div class="measured" data-testid="measured">
            <h4>"Tokens per second"</h4>
            <ul class="measured-bars">{tokens}</ul>
            <h4>"Memory"</h4>
            <ul class="measured-bars">{memory}</ul>
            <p class="muted">
                "For each token, a word or part of one, the device reads all of the model’s weights once. Adding them up shows how fast it can read; writing one text reaches "
                <strong>{share}</strong>
                " of that speed. "
                {note}
            </p>
            <div class="measured-foot">
                <p class="muted">{conditions}</p>
                <CopyButton text label="Copy the figures as text"/>
            </div>
        </div>
    }
}

fn bar(bar: Bar) -> impl IntoView {
    view! {
        <li>
            <span>{bar.label}</span>
            <strong class="measured-value">{bar.value}</strong>
            <span class="measured-meaning muted">{bar.meaning}</span>
            <span class="measured-bar" aria-hidden="true"><span style:inline-size=format!("{:.1}%", 100.0 * bar.share)></span></span>
        </li>
    }
}
