//! `CardBody`: the content of the bot's card: data, pipeline, training, use, limits, origin.

use leptos::prelude::*;

use crate::bot::{Bot, HUB_WEIGHTS_MB};
use crate::state::speaker::Speaker;
use crate::web::page::context::Page;
use crate::web::page::maker_door;

use super::dialog::{Overlay, View};
use super::how_to_use::HowToUse;
use super::limitations::Limitations;
use super::mix::Mix;
use super::model_body::ModelBody;
use super::outward_link::OutwardLink;
use super::pipeline::Pipeline;
use super::training_data::TrainingData;

/// Limits of a bot that was made of tweets, beside those of GPT-2.
const BOT_LIMITS: [&str; 3] = [
    "What GPT-2 took from the web, prejudice included, is still in it, and the tweets add their own slant.",
    "It imitates the style of an account. It does not speak for the person, who may never have heard of it.",
    "It was trained once, on the tweets of that time. It knows nothing newer, and it expects English.",
];

/// The same of a bot that was made here.
const MADE_LIMITS: [&str; 3] = [
    "What its base model took from its texts, prejudice included, is still in it, and the posts add their own slant.",
    "It imitates the style of an account. It does not speak for the person.",
    "It was trained once, on the posts of one export. It knows nothing newer.",
];

/// The left column below the header: the bot's card, or what is known of a model without one.
#[component]
pub fn CardBody() -> impl IntoView {
    let page = Page::here();
    let model = page.memo(|state| match state.speaker() {
        Speaker::Bot(_) => None,
        Speaker::Model(model) => Some(model),
    });
    let is_own_work = page.memo(|state| state.bot().is_own_work());
    move || match model.get() {
        Some(model) => view! { <ModelBody model/> }.into_any(),
        None if is_own_work.get() => view! { <MadeBody/> }.into_any(),
        None => view! { <BotBody/> }.into_any(),
    }
}

/// The card of a bot that was made here, or that this site was made for: no host of models has it.
#[component]
fn MadeBody() -> impl IntoView {
    let page = Page::here();
    let bot = page.memo(|state| state.bot().clone());
    let maker = Memo::new(move |_| {
        bot.with(|bot| {
            let folder = Bot::folder_here(&bot.repo)?;
            // A mixed bot has no place of its own in the maker.
            (!folder.contains(Bot::MIXED)).then(|| maker_door::fragment_of(folder))
        })
    });
    let is_here = move || bot.with(|bot| Bot::folder_here(&bot.repo).is_some());
    let place = move || match is_here() {
        true => "in this browser; posts, weights and runs are on this device alone",
        false => "in the browser of who made this site",
    };
    view! {
        <article class="card-body" data-testid="made-body">
            <TrainingData bot/>
            <Mix bot/>
            <Pipeline bot/>
            <section class="card-section" aria-labelledby="training-title">
                <h2 id="training-title">"Training"</h2>
                <dl class="facts">
                    <div><dt>"Fine-tuned on"</dt><dd>"the kept posts of " <bdi>{move || bot.with(|bot| format!("@{}", bot.card.handle))}</bdi></dd></div>
                    <div><dt>"Where"</dt><dd>{place}</dd></div>
                </dl>
                {move || maker.get().map(|maker| view! {
                    <ul class="link-list">
                        <li><a href=maker.clone()>"Explore the data"</a></li>
                        <li><a href=maker>"The training run, and the bot’s files"</a></li>
                    </ul>
                })}
            </section>
            <Limitations points=&MADE_LIMITS/>
        </article>
    }
}

#[component]
fn BotBody() -> impl IntoView {
    let page = Page::here();
    let bot = page.memo(|state| state.bot().clone());
    let overlay = expect_context::<Overlay>();
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
                            <div><dt>"Base"</dt><dd>"GPT-2, a language model of 124 million numbers (weights), trained on web pages before"</dd></div>
                            <div><dt>"Fine-tuned on"</dt><dd>"the kept tweets of " <bdi>{whose}</bdi></dd></div>
                            <div><dt>"Published as"</dt><dd>{format!("a file of {HUB_WEIGHTS_MB} MB on the Hub (huggingface.co)")}</dd></div>
                        </dl>
                        <ul class="link-list">
                            {card.links.training.map(|url| view! { <li><OutwardLink url text="Settings and curves of the run"/></li> })}
                            {card.links.model.map(|url| view! { <li><OutwardLink url text="Files that came out of it"/></li> })}
                            <li><OutwardLink url="https://huggingface.co/gpt2" text="GPT-2, the base model"/></li>
                        </ul>
                    }
                }}
            </section>
            <HowToUse repo=Signal::derive(move || bot.with(|bot| bot.repo.clone()))/>
            <section class="card-section" aria-labelledby="embed-title">
                <h2 id="embed-title">"In your own page"</h2>
                <p>"This bot can write in a blog, a site or a wiki of yours, on your readers’ devices."</p>
                <p><button type="button" class="button" data-testid="embed-open" on:click=move |_| overlay.open(View::Embed)>"Embed this bot"</button></p>
            </section>
            <Limitations points=&BOT_LIMITS/>
            <section class="card-section" aria-labelledby="about-title">
                <h2 id="about-title">"About this bot"</h2>
                <p>"Made with huggingtweets, a project of Boris Dayma, which turned the tweets of one to three accounts into a bot. Shown here from its published card."</p>
                <ul class="link-list">
                    {move || view! { <li><OutwardLink url=bot.get().hub_url() text="Its page and files on the Hub"/></li> }}
                    <li><OutwardLink url="https://github.com/borisdayma/huggingtweets" text="The huggingtweets project"/></li>
                    <li><OutwardLink url="https://wandb.ai/wandb/huggingtweets/reports/HuggingTweets-Train-a-Model-to-Generate-Tweets--VmlldzoxMTY5MjI" text="How the method was developed"/></li>
                </ul>
            </section>
        </article>
    }
}
