//! `Limitations`: what no GPT-2 can do.

use leptos::prelude::*;

use super::outward_link::OutwardLink;

/// The section.
#[component]
pub fn Limitations(
    /// Further points, such as those of a bot that imitates an account.
    #[prop(optional)]
    points: &'static [&'static str],
) -> impl IntoView {
    view! {
        <section class="card-section" aria-labelledby="limits-title">
            <h2 id="limits-title">"Limitations"</h2>
            <ul class="prose-list">
                <li>"It continues text; it does not know what is true. Names, numbers and quotations in it are made up."</li>
                {points.iter().map(|point| view! { <li>{*point}</li> }).collect_view()}
            </ul>
            <ul class="link-list">
                <li><OutwardLink url="https://huggingface.co/gpt2#limitations-and-bias" text="More on GPT-2’s limits and bias"/></li>
            </ul>
        </section>
    }
}
