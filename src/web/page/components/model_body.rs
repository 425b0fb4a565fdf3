//! `ModelBody`: what the page can say about a model without a card.

use leptos::prelude::*;

use crate::hub::HUB;
use crate::state::model_choice::ModelChoice;
use crate::state::wording;
use crate::web::page::context::Page;

use super::how_to_use::HowToUse;
use super::limitations::Limitations;
use super::outward_link::OutwardLink;

/// The left column below the header, in place of a bot's card.
#[component]
pub fn ModelBody(
    /// The open model.
    model: ModelChoice,
) -> impl IntoView {
    let page = Page::here();
    let shape = page.memo(|state| {
        state.model_info().map(|info| {
            let config = &info.config;
            [
                (
                    "Weights",
                    format!(
                        "{}, numbers learned in training",
                        wording::weights(info.n_params)
                    ),
                ),
                ("Layers", wording::count(config.n_layer as u64)),
                (
                    "Vocabulary",
                    wording::plural(config.vocab_size, "token", "tokens"),
                ),
                (
                    "Longest text",
                    wording::plural(config.n_ctx, "token", "tokens"),
                ),
                ("Download", wording::bytes(info.size_bytes)),
            ]
        })
    });
    let repo = model.repo().map(str::to_owned);
    let hub_page = repo.clone().map(|repo| format!("{HUB}/{repo}"));
    let origin = model.origin_text();
    view! {
        <article class="card-body">
            <section class="card-section" aria-labelledby="model-title">
                <h2 id="model-title">"About this model"</h2>
                <p>
                    "This model has no card of a huggingtweets bot, so this page does not know who made it or which texts it learned from. It is a GPT-2: it continues the text you give it."
                </p>
                <dl class="facts">
                    <div><dt>"Name"</dt><dd><bdi>{model.name.clone()}</bdi></dd></div>
                    <div><dt>"Opened"</dt><dd>{origin}</dd></div>
                    {move || shape.get().map(|facts| facts.map(|(what, fact)| view! { <div><dt>{what}</dt><dd>{fact}</dd></div> }).collect_view())}
                </dl>
                {hub_page.filter(|_| model.is_from_hub()).map(|url| view! {
                    <ul class="link-list"><li><OutwardLink url text="Its page on the Hub"/></li></ul>
                })}
            </section>
            {repo.map(|repo| view! { <HowToUse repo=Signal::derive(move || repo.clone())/> })}
            <Limitations/>
        </article>
    }
}
