//! `HowToUse`: code that runs the bot from JavaScript and from Python, ready to copy.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

use super::copy_button::CopyButton;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    JavaScript,
    Python,
}

const WAYS: [Way; 2] = [Way::JavaScript, Way::Python];

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::JavaScript => "JavaScript",
            Way::Python => "Python",
        }
    }

    fn note(self) -> &'static str {
        match self {
            Way::JavaScript => {
                "For web pages: this site’s module, used like transformers.js. It downloads the model once and saves it in the browser."
            }
            Way::Python => {
                "With the transformers library. The first time, it downloads the original files; a bot’s have about 510 MB."
            }
        }
    }

    fn sample(self, repo: &str) -> String {
        match self {
            Way::JavaScript => format!(
                "import {{ pipeline }} from './huggingtweets.js';\n\n\
                 const generator = await pipeline('text-generation', '{repo}');\n\
                 const out = await generator('My dream is', {{\n  num_return_sequences: 5,\n}});"
            ),
            Way::Python => format!(
                "from transformers import pipeline\n\n\
                 generator = pipeline('text-generation', model='{repo}')\n\
                 generator('My dream is', num_return_sequences=5)"
            ),
        }
    }
}

/// The section with a tab per language.
#[component]
pub fn HowToUse(
    /// `OWNER/NAME` of the open bot or model.
    repo: Signal<String>,
) -> impl IntoView {
    let way = RwSignal::new(WAYS[0]);
    let tabs = NodeRef::<html::Div>::new();
    let sample = move || repo.with(|repo| way.get().sample(repo));
    let turn = move |event: KeyboardEvent| {
        let at = WAYS
            .iter()
            .position(|known| *known == way.get_untracked())
            .unwrap_or(0);
        let n = WAYS.len();
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1) % n,
            "ArrowLeft" => (at + n - 1) % n,
            "Home" => 0,
            "End" => n - 1,
            _ => return,
        };
        event.prevent_default();
        way.set(WAYS[to]);
        let tab = tabs
            .get_untracked()
            .and_then(|tabs| tabs.children().item(to as u32));
        if let Some(tab) =
            tab.and_then(|tab| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(tab).ok())
        {
            let _ = tab.focus();
        }
    };
    let heads = WAYS
        .map(|this| {
            let is_on = move || way.get() == this;
            view! {
                <button type="button" role="tab" class="tab" id=format!("use-tab-{}", this.name()) aria-controls="use-panel"
                    aria-selected=move || is_on().to_string() tabindex=move || if is_on() { "0" } else { "-1" }
                    on:click=move |_| way.set(this)>{this.name()}</button>
            }
        })
        .collect_view();
    view! {
        <section class="card-section" aria-labelledby="use-title">
            <h2 id="use-title">"How to use"</h2>
            <div class="tabs" role="tablist" aria-label="Language" node_ref=tabs on:keydown=turn>{heads}</div>
            <div class="code" id="use-panel" role="tabpanel" aria-labelledby=move || format!("use-tab-{}", way.get().name())>
                <CopyButton text=sample label="Copy this code"/>
                <pre tabindex="0"><code>{sample}</code></pre>
            </div>
            <p class="muted">{move || way.get().note()}</p>
        </section>
    }
}
