//! `CardBody`: what the bot's card says, in facts first: data, pipeline, training, use, limits, origin.

use leptos::prelude::*;

use crate::bot::HUB_WEIGHTS_MB;
use crate::state::figures::host_of;
use crate::web::page::context::Page;

use super::how_to_use::HowToUse;
use super::icon::{Drawing, Icon};
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
                            {card.links.training.map(|url| view! { <li>{outward(&url, "Settings and curves of the run")}</li> })}
                            {card.links.model.map(|url| view! { <li>{outward(&url, "Files that came out of it")}</li> })}
                            <li>{outward("https://huggingface.co/gpt2", "GPT-2, the base model")}</li>
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
                    <li>"It speaks in the manner of an account. It does not speak for the person, who may never have heard of it."</li>
                    <li>"It was trained on the tweets of one moment, as English, and learned nothing since."</li>
                </ul>
                <ul class="link-list">
                    <li>{outward("https://huggingface.co/gpt2#limitations-and-bias", "More on GPT-2’s limits and bias")}</li>
                </ul>
            </section>
            <section class="card-section" aria-labelledby="about-title">
                <h2 id="about-title">"About this bot"</h2>
                <p>"Made with huggingtweets, a project of Boris Dayma, which turned the tweets of one to three accounts into a bot. Shown here from its published card."</p>
                <ul class="link-list">
                    {move || view! { <li>{outward(&bot.get().hub_url(), "Its page and weights on the Hub")}</li> }}
                    <li>{outward("https://github.com/borisdayma/huggingtweets", "The huggingtweets project")}</li>
                    <li>{outward("https://wandb.ai/wandb/huggingtweets/reports/HuggingTweets-Train-a-Model-to-Generate-Tweets--VmlldzoxMTY5MjI", "How the method was developed")}</li>
                </ul>
            </section>
        </article>
    }
}

/// A link that leaves the page and says whereto.
pub fn outward(url: &str, text: &'static str) -> impl IntoView + use<> {
    let host = host_of(url).to_owned();
    view! {
        <a class="outward" href=url.to_owned() rel="noopener noreferrer">
            <span>{text}</span>
            <span class="outward-host"><Drawing icon=Icon::Leave/>{host}</span>
        </a>
    }
}
