//! `PromptBox`: the prompt with its buttons, and prompts to try.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::state::gallery::EXAMPLE_PROMPTS;
use crate::state::text_direction::text_direction;
use crate::state::{PageState, Phase};
use crate::web::page::context::{Page, fresh_seed};
use crate::web::page::device;

use super::icon::{Drawing, Icon};
use super::load_progress::LoadProgress;
use super::notices::Notices;
use super::problem_box::ProblemBox;

/// The box, its buttons and the prompts to try.
#[component]
pub fn PromptBox() -> impl IntoView {
    let page = Page::here();
    let prompt = page.memo(|state| state.texts().prompt.clone());
    let phase = page.memo(|state| state.phase());
    let status = page.memo(|state| state.status());
    let is_loading = Memo::new(move |_| phase.get() == Phase::Loading);
    let is_writing = Memo::new(move |_| phase.get() == Phase::Generating);
    let is_waiting = page.memo(|state| state.is_text_waiting());
    let is_busy = Memo::new(move |_| is_writing.get() || is_waiting.get());
    // Not `dir="auto"`: with it Chromium lays out a pasted megabyte for a quarter of a minute.
    let direction = page.memo(|state| text_direction(&state.texts().prompt));

    let generate = move || {
        if !is_busy.get_untracked() {
            page.act(|state| state.generate(fresh_seed()));
        }
    };
    let stop = move || page.act(|state| state.stop());
    let is_paused = page.memo(|state| state.paused().is_some());
    let is_pausing = page.memo(|state| state.loading().is_some_and(|loading| loading.is_pausing));
    // One button for Pause and Continue, so that the focus stays on it.
    let has_pause = page.memo(PageState::can_pause);
    let has_pause = move || has_pause.get() || is_pausing.get() || is_paused.get();
    let pause = move |_| {
        page.act(|state| {
            if state.paused().is_some() {
                state.resume()
            } else {
                state.pause()
            }
        })
    };
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && !event.is_composing()
        {
            event.prevent_default();
            generate();
        }
    };
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape"
            && (is_busy.get_untracked() || is_loading.get_untracked() || is_paused.get_untracked())
        {
            stop();
        }
    };
    let chips = EXAMPLE_PROMPTS
        .into_iter()
        .map(|text| {
            let run = move |_| {
                page.act(|state| {
                    state.edit_prompt(text);
                    state.generate(fresh_seed())
                });
            };
            view! { <li><button type="button" class="chip" on:click=run>{text}</button></li> }
        })
        .collect_view();
    let label = move || {
        if is_writing.get() {
            "Writing…"
        } else if is_waiting.get() {
            "Loading…"
        } else {
            "Generate"
        }
    };

    view! {
        // No form: in frames that are sandboxed without `allow-forms`, browsers drop a form's submission.
        <div class="prompt-form" on:keydown=escape>
            <div class="prompt-box">
                <label for="prompt" class="visually-hidden">"Prompt"</label>
                <textarea id="prompt" data-testid="prompt" rows="2" dir=direction spellcheck="false" autocomplete="off"
                    placeholder="Write a beginning, or leave it empty"
                    prop:value=prompt on:keydown=keys
                    on:input:target=move |event| {
                        let text = event.target().value();
                        page.change(|state| state.edit_prompt(&text));
                    }
                ></textarea>
                <LoadProgress/>
                <div class="prompt-foot">
                    <p class="status" data-testid="status" role="status" class:visually-hidden=move || is_loading.get() || is_paused.get()>{status}</p>
                    <Show when=has_pause>
                        <button type="button" class="button" data-testid=move || if is_paused.get() { "resume" } else { "pause" }
                            aria-disabled=move || is_pausing.get().then_some("true") on:click=pause>
                            {move || if is_paused.get() { "Continue" } else { "Pause" }}
                        </button>
                    </Show>
                    <Show when=move || is_writing.get() || is_loading.get() || is_paused.get()>
                        <button type="button" class="button" data-testid="stop" on:click=move |_| stop()>
                            {move || if is_writing.get() {
                                view! { <Drawing icon=Icon::Stop/>"Stop" }
                            } else {
                                view! { <Drawing icon=Icon::Close/>"Cancel" }
                            }}
                        </button>
                    </Show>
                    <kbd class="key-hint" aria-hidden="true">{key_hint()}</kbd>
                    <button type="button" class="button is-primary" data-testid="generate"
                        aria-keyshortcuts="Control+Enter Meta+Enter"
                        aria-disabled=move || is_busy.get().then_some("true")
                        on:click=move |_| generate()>
                        {label}
                    </button>
                </div>
            </div>
            <Notices/>
            <ProblemBox/>
            <ul class="chips" aria-label="Prompts to try">{chips}</ul>
        </div>
    }
}

/// The keys that press Generate, as this system's keyboards show them.
fn key_hint() -> &'static str {
    if device::is_apple() {
        "⌘ ↵"
    } else {
        "Ctrl ↵"
    }
}
