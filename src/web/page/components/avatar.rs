//! `Avatar`: a round picture of an account: a drawing, or the original if the visitor allows it.

use leptos::prelude::*;

use crate::bot::{self, Bot};
use crate::state::speaker::Speaker;
use crate::state::wording::host_of;

/// The hosts that original pictures may be fetched from; lasts as long as the page.
#[derive(Clone, Copy)]
pub struct Pictures(RwSignal<Vec<String>>);

impl Pictures {
    /// Drawings, until the visitor allows the originals.
    pub fn drawn() -> Pictures {
        Pictures(RwSignal::new(Vec::new()))
    }

    /// Whether all of `hosts` are allowed; followed.
    pub fn allow_all(self, hosts: &[String]) -> bool {
        self.0
            .with(|allowed| hosts.iter().all(|host| allowed.contains(host)))
    }

    /// Allows `hosts`.
    pub fn allow(self, hosts: Vec<String>) {
        self.0.update(|allowed| allowed.extend(hosts));
    }

    /// Allows no host any more.
    pub fn forbid(self) {
        self.0.set(Vec::new());
    }

    /// Whether a picture may be shown: it is at hand, as that of an export is, or its host is allowed; followed.
    fn may_show(self, original: &str) -> bool {
        original.starts_with("data:")
            || !original.is_empty() && self.allow_all(&[host_of(original).to_owned()])
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

/// The pictures of a bot, in the card's order, or of a model; there is always one.
pub fn portraits(speaker: &Speaker) -> Vec<Portrait> {
    let avatars = speaker.bot().map_or(&[][..], |bot| &bot.card.avatars);
    let names = speaker.names();
    let n = speaker.bot().map_or(0, Bot::n_pictures);
    bot::drawings(speaker.colour_key(), &names, n)
        .enumerate()
        .map(|(i, (hue, initials))| Portrait {
            name: names
                .get(i)
                .cloned()
                .unwrap_or_else(|| speaker.colour_key().to_owned()),
            hue,
            initials,
            original: avatars.get(i).cloned(),
        })
        .collect()
}

/// Drawn pictures of names; `colour_key` decides the colours.
pub fn drawn(colour_key: &str, names: &[String]) -> Vec<Portrait> {
    let drawings = bot::drawings(colour_key, names, names.len());
    let named = names.iter().cloned().zip(drawings);
    named
        .map(|(name, (hue, initials))| Portrait {
            name,
            hue,
            initials,
            original: None,
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
                let original = original.clone().filter(|original| pictures.may_show(original) && !is_broken.get())?;
                Some(view! {
                    <img src=original alt="" referrerpolicy="no-referrer" decoding="async" width="92" height="92"
                        on:error=move |_| is_broken.set(true)/>
                })
            }}
        </span>
    }
}
