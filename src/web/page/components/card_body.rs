//! `CardBody`: the content of the bot's card: data, pipeline, training, use, limits, origin.

use leptos::prelude::*;

use crate::bot::HUB_WEIGHTS_MB;
use crate::web::page::context::Page;

use super::how_to_use::HowToUse;
use super::outward_link::OutwardLink;
use super::pipeline::Pipeline;
use super::training_data::TrainingData;

/// The left column below the header.
#[component]
pub fn CardBody() -> impl IntoView {
    let page = Page::here();
    let bot = page.memo(|state| state.bot().clone());
    view! {
        <article class="card-body">
            <TrainingData bot/>
            <Pipeline bot/>
            <section class="card-section" aria-labelledby="training-title">
                <h2 id="training-title">"Training"</h2>
                {move || {
                    let card = bot.get().card;
                    let whose = format!("@{}", card.handle);
                    view! {
                        <dl class="facts">
                            <div><dt>"Base"</dt><dd>"GPT-2, 124 million weights, pre-trained on web pages"</dd></div>
                            <div><dt>"Fine-tuned on"</dt><dd>"the kept tweets of " <bdi>{whose}</bdi></dd></div>
                            <div><dt>"Published as"</dt><dd>{format!("float weights, {HUB_WEIGHTS_MB} MB")}</dd></div>
                        </dl>
                        <ul class="link-list">
                            {card.links.training.map(|url| view! { <li><OutwardLink url text="Settings and curves of the run"/></li> })}
                            {card.links.model.map(|url| view! { <li><OutwardLink url text="Files that came out of it"/></li> })}
                            <li><OutwardLink url="https://huggingface.co/gpt2" text="GPT-2, the base model"/></li>
                        </ul>
                    }
                }}
            </section>
            <HowToUse bot/>
            <section class="card-section" aria-labelledby="limits-title">
                <h2 id="limits-title">"Limitations"</h2>
                <ul class="prose-list">
                    <li>"It continues text; it does not know what is true. Names, numbers and quotations in it are made up."</li>
                    <li>"What GPT-2 took from the web, prejudice included, is still in it, and the tweets add their own slant."</li>
                    <li>"It imitates the style of an account. It does not speak for the person, who may never have heard of it."</li>
                    <li>"It was trained once, on the tweets of that time. It knows nothing newer, and it expects English."</li>
                </ul>
                <ul class="link-list">
                    <li><OutwardLink url="https://huggingface.co/gpt2#limitations-and-bias" text="More on GPT-2’s limits and bias"/></li>
                </ul>
            </section>
            <section class="card-section" aria-labelledby="about-title">
                <h2 id="about-title">"About this bot"</h2>
                <p>"Made with huggingtweets, a project of Boris Dayma, which turned the tweets of one to three accounts into a bot. Shown here from its published card."</p>
                <ul class="link-list">
                    {move || view! { <li><OutwardLink url=bot.get().hub_url() text="Its page and weights on the Hub"/></li> }}
                    <li><OutwardLink url="https://github.com/borisdayma/huggingtweets" text="The huggingtweets project"/></li>
                    <li><OutwardLink url="https://wandb.ai/wandb/huggingtweets/reports/HuggingTweets-Train-a-Model-to-Generate-Tweets--VmlldzoxMTY5MjI" text="How the method was developed"/></li>
                </ul>
            </section>
        </article>
    }
}
