//! `TopBar`: the name and the few things that concern the whole page.

use leptos::prelude::*;

use crate::web::page::theme::{KeptTheme, Theme};

use super::card_body::outward;
use super::dialog::{Dialog, Overlay, View};
use super::icon::{Drawing, Icon};
use super::measure_device::MeasureDevice;

/// The line at the top.
#[component]
pub fn TopBar() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    let theme = expect_context::<KeptTheme>();
    let theme_label = move || match theme.get() {
        Theme::Auto => "Colours: as the system. Change to light",
        Theme::Light => "Colours: light. Change to dark",
        Theme::Dark => "Colours: dark. Change to as the system",
    };
    let theme_icon = move || match theme.get() {
        Theme::Auto => Icon::Auto,
        Theme::Light => Icon::Light,
        Theme::Dark => Icon::Dark,
    };
    view! {
        <header class="top-bar">
            <a class="brand" href="./"><span aria-hidden="true">"🤖"</span><span>"huggingtweets"<span class="brand-end">"-web"</span></span></a>
            <nav class="top-actions" aria-label="Page">
                <a class="top-action is-wide-only" href="#gallery">"Gallery"</a>
                <button type="button" class="top-action" on:click=move |_| overlay.open(View::OpenModel)>
                    <Drawing icon=Icon::Open/><span>"Open a model"</span>
                </button>
                <button type="button" class="top-action" on:click=move |_| overlay.open(View::Storage)>
                    <Drawing icon=Icon::Storage/><span>"Storage"</span>
                </button>
                <button type="button" class="top-action" data-testid="open-about" on:click=move |_| overlay.open(View::About)>
                    <Drawing icon=Icon::About/><span>"About"</span>
                </button>
                <button type="button" class="top-action is-icon" aria-label=theme_label title=theme_label
                    on:click=move |_| theme.keep(theme.get().next())>
                    {move || view! { <Drawing icon=theme_icon()/> }}
                </button>
            </nav>
        </header>
    }
}

/// What this page is and is not.
#[component]
pub fn About() -> impl IntoView {
    view! {
        <Dialog view=View::About title="About this page" testid="about">
            <p>
                "From 2020 to 2023 people fine-tuned thousands of small GPT-2 models on somebody's tweets, with a notebook called huggingtweets. "
                "Their pages on the Hub remain, but nothing answers there any more. This page brings them back: GPT-2 runs in your browser, with no server behind it."
            </p>
            <p>
                "What you type stays on this device. The text is made by a language model one token at a time; "
                "nobody said it, and it is often wrong, unkind or plain nonsense. Mark it as generated where you show it."
            </p>
            <p>
                "huggingtweets was built by Boris Dayma. huggingtweets-web is free software under the MIT licence, written in Rust: "
                "Leptos draws the page, candle carries the model."
            </p>
            <ul class="link-list">
                <li>{outward("https://github.com/borisdayma/huggingtweets", "The original huggingtweets")}</li>
                <li>{outward("https://huggingface.co/huggingtweets", "All published bots")}</li>
            </ul>
            <MeasureDevice/>
        </Dialog>
    }
}
