//! `Widget`: the model line, the prompt, the settings and the results of the open bot.

use leptos::prelude::*;

use super::model_line::ModelLine;
use super::model_notices::ModelNotices;
use super::prompt_box::PromptBox;
use super::results::Results;
use super::settings_panel::SettingsPanel;

/// The widget.
#[component]
pub fn Widget() -> impl IntoView {
    view! {
        <section class="widget" aria-labelledby="widget-title">
            <h2 id="widget-title" class="visually-hidden">"Ask the bot"</h2>
            <ModelLine/>
            <ModelNotices/>
            <PromptBox/>
            <SettingsPanel/>
            <Results/>
        </section>
    }
}
