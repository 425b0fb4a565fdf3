//! `BotHeader`: the bot as its card draws it: round pictures, what it is, whose tweets, which handle.

use leptos::prelude::*;

use crate::bot::{self, Bot};
use crate::state::figures::host_of;
use crate::web::page::context::Page;

use super::avatar::{Avatar, Pictures, portraits};
use super::dialog::{Dialog, Overlay, View};

/// Header generation that has one large picture and a single line of name and label.
const OLD_HEADER: u8 = 3;

/// The header of the open bot.
#[component]
pub fn BotHeader() -> impl IntoView {
    let page = Page::here();
    let bot = page.memo(|state| state.bot().clone());
    view! {
        <header class="bot-header">
            {move || {
                let bot = bot.get();
                if bot.card.generation <= OLD_HEADER { old_header(&bot).into_any() } else { header(&bot).into_any() }
            }}
            <PictureSwitch bot/>
        </header>
    }
}

fn label_text(bot: &Bot) -> &'static str {
    match bot.card.label {
        bot::Label::Bot => "AI BOT",
        bot::Label::Cyborg => "AI CYBORG",
    }
}

fn pictures(bot: &Bot) -> impl IntoView + use<> {
    portraits(bot)
        .into_iter()
        .map(|portrait| {
            let name = portrait.name.clone();
            view! { <span class="bot-avatar" data-testid="avatar" title=name><Avatar portrait/></span> }
        })
        .collect_view()
}

fn header(bot: &Bot) -> impl IntoView + use<> {
    view! {
        <div class="bot-avatars">{pictures(bot)}</div>
        <p class="bot-label" data-testid="bot-label">{format!("🤖 {} 🤖", label_text(bot))}</p>
        <h1 class="bot-name" data-testid="bot-name" dir="auto">{bot.card.names.join(" & ")}</h1>
        <p class="bot-handle" data-testid="bot-handle" dir="ltr">{format!("@{}", bot.card.handle)}</p>
    }
}

fn old_header(bot: &Bot) -> impl IntoView + use<> {
    view! {
        <div class="bot-avatars is-old">{pictures(bot)}</div>
        <h1 class="bot-name is-old">
            <span data-testid="bot-name" dir="auto">{bot.card.names.join(" & ")}</span>
            " "
            <span data-testid="bot-label">"🤖 AI Bot"</span>
        </h1>
        <p class="bot-handle is-old" data-testid="bot-handle" dir="ltr">{format!("@{} bot", bot.card.handle)}</p>
    }
}

/// Asks before any picture comes from elsewhere, and takes the permission back.
#[component]
fn PictureSwitch(
    /// The open bot.
    bot: Memo<Bot>,
) -> impl IntoView {
    let allowed = expect_context::<Pictures>().0;
    let overlay = expect_context::<Overlay>();
    let host = Memo::new(move |_| {
        bot.with(|bot| bot.card.avatars.first().map(|url| host_of(url).to_owned()))
    });
    let press = move |_| {
        if allowed.get() {
            allowed.set(false)
        } else {
            overlay.open(View::Pictures)
        }
    };
    let allow = move |_| {
        allowed.set(true);
        overlay.close();
    };
    let host_name = move || host.get().unwrap_or_default();
    view! {
        <Show when=move || host.with(Option::is_some)>
            <button type="button" class="quiet-button picture-switch" on:click=press>
                {move || if allowed.get() { "Show drawn pictures" } else { "Show original pictures" }}
            </button>
        </Show>
        <Dialog view=View::Pictures title="Show original pictures?">
            <p>
                "The pictures on the original card lie at " <strong>{host_name}</strong>
                ". To show them, your browser asks that host for those of every bot on this page, so it learns your network address and that somebody looks at these bots. "
                "It is not told which page asks. Without it, this page asks nobody for anything."
            </p>
            <p class="dialog-buttons">
                <button type="button" class="button" on:click=move |_| overlay.close()>"Keep the drawings"</button>
                <button type="button" class="button is-primary" on:click=allow>"Show them"</button>
            </p>
        </Dialog>
    }
}
