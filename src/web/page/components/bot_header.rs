//! `BotHeader`: the header of the bot's card: pictures, label, names, handle.

use leptos::prelude::*;

use crate::bot::Bot;
use crate::state::model_choice::ModelChoice;
use crate::state::speaker::Speaker;
use crate::state::wording::host_of;
use crate::web::page::context::Page;

use super::avatar::{Avatar, Pictures, portraits};
use super::dialog::{Dialog, Overlay, View};
use super::names::names;

/// Last header generation with one large picture, and name and label in one line.
const OLD_HEADER: u8 = 3;

/// The header of the open bot.
#[component]
pub fn BotHeader() -> impl IntoView {
    let page = Page::here();
    let speaker = page.memo(|state| state.speaker());
    view! {
        <header class="bot-header">
            {move || {
                let speaker = speaker.get();
                match &speaker {
                    Speaker::Bot(bot) if bot.card.generation <= OLD_HEADER => old_header(&speaker, bot).into_any(),
                    _ => header(&speaker).into_any(),
                }
            }}
            <PictureSwitch speaker/>
        </header>
    }
}

/// The header in a frame, the same for cards of every generation, with drawn pictures alone.
#[component]
pub fn FrameHeader() -> impl IntoView {
    let page = Page::here();
    let speaker = page.memo(|state| state.speaker());
    view! { <header class="bot-header">{move || header(&speaker.get())}</header> }
}

fn header(speaker: &Speaker) -> impl IntoView + use<> {
    match speaker {
        Speaker::Bot(bot) => bot_header(speaker, bot).into_any(),
        Speaker::Model(model) => model_header(speaker, model).into_any(),
    }
}

/// What a bot is, on its label.
pub fn label_text(bot: &Bot) -> &'static str {
    bot.card.label.text()
}

/// The pictures of a bot, side by side.
pub fn pictures(speaker: &Speaker) -> impl IntoView + use<> {
    portraits(speaker)
        .into_iter()
        .map(|portrait| {
            let name = portrait.name.clone();
            view! { <span class="bot-avatar" data-testid="avatar" title=name><Avatar portrait/></span> }
        })
        .collect_view()
}

/// The header of a model without a card: neutral, under its own name.
fn model_header(speaker: &Speaker, model: &ModelChoice) -> impl IntoView + use<> {
    view! {
        <div class="bot-avatars">{pictures(speaker)}</div>
        <p class="bot-label" data-testid="bot-label">"🤖 GPT-2 🤖"</p>
        <h1 class="bot-name" data-testid="bot-name" dir="auto">{names(&speaker.names())}</h1>
        <p class="bot-handle" data-testid="bot-handle">{model.origin_text()}</p>
    }
}

fn bot_header(speaker: &Speaker, bot: &Bot) -> impl IntoView + use<> {
    view! {
        <div class="bot-avatars">{pictures(speaker)}</div>
        <p class="bot-label" data-testid="bot-label">{format!("🤖 {} 🤖", label_text(bot))}</p>
        <h1 class="bot-name" data-testid="bot-name" dir="auto">{names(&bot.card.names)}</h1>
        <p class="bot-handle" data-testid="bot-handle" dir="ltr">{format!("@{}", bot.card.handle)}</p>
    }
}

fn old_header(speaker: &Speaker, bot: &Bot) -> impl IntoView + use<> {
    view! {
        <div class="bot-avatars is-old">{pictures(speaker)}</div>
        <h1 class="bot-name is-old">
            <bdi data-testid="bot-name">{names(&bot.card.names)}</bdi>
            " "
            <span data-testid="bot-label">"🤖 AI Bot"</span>
        </h1>
        <p class="bot-handle is-old" data-testid="bot-handle" dir="ltr">{format!("@{} bot", bot.card.handle)}</p>
    }
}

/// The button that shows or hides the original pictures, and the dialog that asks before any of them is fetched.
#[component]
fn PictureSwitch(
    /// Whose pictures they are.
    speaker: Memo<Speaker>,
) -> impl IntoView {
    let pictures = expect_context::<Pictures>();
    let overlay = expect_context::<Overlay>();
    let hosts = Memo::new(move |_| {
        let urls = speaker.with(|speaker| speaker.bot().map(|bot| bot.card.avatars.clone()));
        let urls = urls.unwrap_or_default();
        let urls = urls
            .iter()
            .filter(|url| !url.is_empty() && !url.starts_with("data:"));
        let mut hosts: Vec<String> = urls.map(|url| host_of(url).to_owned()).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    });
    let are_shown = move || hosts.with(|hosts| pictures.allow_all(hosts));
    let press = move |_| {
        if are_shown() {
            pictures.forbid();
        } else {
            overlay.open(View::Pictures)
        }
    };
    let allow = move |_| {
        pictures.allow(hosts.get());
        overlay.close();
    };
    let host_names = move || hosts.with(|hosts| hosts.join(" and "));
    view! {
        <Show when=move || hosts.with(|hosts| !hosts.is_empty())>
            <button type="button" class="quiet-button picture-switch" on:click=press>
                {move || if are_shown() { "Show drawn pictures" } else { "Show original pictures" }}
            </button>
        </Show>
        <Dialog view=View::Pictures title="Show original pictures?">
            <p>
                "The pictures of the original card are on the server " <strong>{host_names}</strong>
                ". If you show them, your browser downloads those that every bot on this page has there. "
                "That server then learns your network address and that you look at these bots, but not on which page. "
                "If you keep the drawings, it learns nothing."
            </p>
            <p class="dialog-buttons">
                <button type="button" class="button" on:click=move |_| overlay.close()>"Keep the drawings"</button>
                <button type="button" class="button is-primary" on:click=allow>"Show them"</button>
            </p>
        </Dialog>
    }
}
