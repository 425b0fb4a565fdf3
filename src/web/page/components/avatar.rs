//! `Avatar`: a round picture of an account: a drawing, or the original if the visitor allows it.

use leptos::prelude::*;

use crate::bot;
use crate::state::speaker::Speaker;

/// Whether original pictures may be fetched; lasts as long as the page.
#[derive(Clone, Copy)]
pub struct Pictures(pub RwSignal<bool>);

impl Pictures {
    /// Drawings, until the visitor allows the originals.
    pub fn drawn() -> Pictures {
        Pictures(RwSignal::new(false))
    }
}

/// The data for the picture of one account.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// Display name.
    pub name: String,
    hue: u16,
    initials: String,
    original: Option<String>,
}

/// Turn of the colour circle between the accounts of one cyborg.
const HUE_STEP: u16 = 55;

/// The pictures of a bot, in the card's order, or of a model; there is always one.
pub fn portraits(speaker: &Speaker) -> Vec<Portrait> {
    let hue = bot::hue(speaker.colour_key());
    let avatars = speaker.bot().map_or(&[][..], |bot| &bot.card.avatars);
    let names = speaker.names();
    (0..avatars.len().max(1))
        .map(|i| {
            let name = names.get(i).cloned();
            let name = name.unwrap_or_else(|| speaker.colour_key().to_owned());
            Portrait {
                initials: bot::initials(&name),
                name,
                hue: (hue + HUE_STEP * i as u16) % 360,
                original: avatars.get(i).cloned(),
            }
        })
        .collect()
}

/// The picture. Screen readers skip it: the name is beside it in words.
#[component]
pub fn Avatar(
    /// The account.
    portrait: Portrait,
) -> impl IntoView {
    let pictures = expect_context::<Pictures>();
    let is_broken = RwSignal::new(false);
    let Portrait {
        hue,
        initials,
        original,
        ..
    } = portrait;
    let letters = if initials.chars().count() > 1 {
        "avatar-letters is-two"
    } else {
        "avatar-letters"
    };
    view! {
        <span class="avatar" style=("--avatar-hue", hue.to_string()) aria-hidden="true">
            <svg viewBox="0 0 92 92" focusable="false">
                <circle class="avatar-ground" cx="46" cy="46" r="46"/>
                <circle class="avatar-ring" cx="46" cy="46" r="38"/>
                <text class=letters x="46" y="46" text-anchor="middle" dominant-baseline="central">{initials}</text>
            </svg>
            {move || {
                let original = original.clone().filter(|_| pictures.0.get() && !is_broken.get())?;
                Some(view! {
                    <img src=original alt="" referrerpolicy="no-referrer" decoding="async" width="92" height="92"
                        on:error=move |_| is_broken.set(true)/>
                })
            }}
        </span>
    }
}
