//! `SettingsPanel`: the generation parameters that most people need, with its meaning, its default and a reset.

use leptos::prelude::*;

use crate::generate::parameter::{Parameter, Range};
use crate::web::page::context::Page;

use super::icon::{Drawing, Icon};

/// The panel; it opens in place.
#[component]
pub fn SettingsPanel() -> impl IntoView {
    let page = Page::here();
    let n_changed = page.memo(|state| state.settings().n_changed());
    let rows = Parameter::ON_PANEL
        .into_iter()
        .map(|parameter| view! { <Setting parameter/> })
        .collect_view();
    view! {
        <details class="settings" data-testid="settings">
            <summary>
                <Drawing icon=Icon::Settings/>
                <span>"Settings"</span>
                <span class="changed-count">{move || match n_changed.get() {
                    0 => None,
                    n => Some(format!("{n} changed")),
                }}</span>
                <Drawing icon=Icon::Down/>
            </summary>
            <div class="settings-body">
                <div class="setting-rows">{rows}</div>
                <p class="settings-foot">
                    <button type="button" class="button" prop:disabled=move || n_changed.get() == 0
                        on:click=move |_| page.change(|state| state.reset_settings())>"Reset all"</button>
                    <span class="muted">"Defaults are the open model’s own."</span>
                </p>
            </div>
        </details>
    }
}

/// One parameter.
#[component]
fn Setting(
    /// The parameter.
    parameter: Parameter,
) -> impl IntoView {
    let page = Page::here();
    let text = page.memo(move |state| state.settings().text(parameter, &state.defaults()));
    let default = page.memo(move |state| parameter.text_of(&state.defaults()));
    let is_changed = page.memo(move |state| state.settings().is_changed(parameter));
    let error = page.memo(move |state| {
        let error = state.setting_error(parameter)?;
        Some(error.to_string())
    });
    let id = format!("setting-{}", parameter.name());
    let meaning_id = format!("{id}-meaning");
    let error_id = format!("{id}-error");
    let described_by = format!("{meaning_id} {error_id}");
    let type_in = move |text: String| page.change(|state| state.set_parameter(parameter, &text));
    let default_words = move || match (parameter.range(), default.get()) {
        (Range::Switch, text) => {
            if text == "true" {
                "on".to_owned()
            } else {
                "off".to_owned()
            }
        }
        (_, text) if text.is_empty() => match parameter {
            Parameter::Seed => "a new one".to_owned(),
            _ => "not set".to_owned(),
        },
        (_, text) => text,
    };
    let control = match parameter.range() {
        Range::Switch => view! {
            <input type="checkbox" role="switch" class="switch" id=id.clone() aria-describedby=described_by
                prop:checked=move || text.get() == "true"
                on:change:target=move |event| type_in(event.target().checked().to_string())/>
        }
        .into_any(),
        range => {
            let mode = match range {
                Range::Whole { .. } => "numeric",
                Range::Decimal { .. } => "decimal",
                _ => "text",
            };
            let placeholder = match parameter {
                Parameter::Seed => "random",
                Parameter::MaxNewTokens | Parameter::Prefix => "none",
                _ => "",
            };
            view! {
                <input type="text" inputmode=mode class="field" id=id.clone() aria-describedby=described_by
                    placeholder=placeholder spellcheck="false" autocomplete="off"
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    prop:value=text
                    on:input:target=move |event| type_in(event.target().value())/>
            }
            .into_any()
        }
    };
    view! {
        <div class="setting" class:is-changed=is_changed>
            <label class="setting-label" for=id>{parameter.label()}" "<code>{parameter.name()}</code></label>
            <div class="setting-control">{control}
            <p class="setting-default">
                <span>"Default "{default_words}</span>
                <Show when=move || is_changed.get()>
                    <button type="button" class="quiet-button" aria-label=format!("Reset {}", parameter.label())
                        on:click=move |_| page.change(|state| state.reset_parameter(parameter))>"Reset"</button>
                </Show>
            </p>
            </div>
            <p class="setting-meaning" id=meaning_id>{parameter.meaning()}</p>
            <p class="setting-error" id=error_id role="status">{error}</p>
        </div>
    }
}
