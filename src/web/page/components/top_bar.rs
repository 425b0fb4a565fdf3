//! `TopBar`: the page's name, the buttons of its dialogs, and the theme toggle.

use leptos::prelude::*;

use crate::web::page::address;
use crate::web::page::browser_window;
use crate::web::page::maker_door;
use crate::web::page::theme::{Theme, ThemeChoice};

use super::dialog::{Overlay, View};
use super::icon::{Drawing, Icon};

/// The line at the top.
#[component]
pub fn TopBar() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    let theme = expect_context::<ThemeChoice>();
    let theme_label = move || match theme.get() {
        Theme::Auto => "Colours: follow the system. Change to light",
        Theme::Light => "Colours: light. Change to dark",
        Theme::Dark => "Colours: dark. Change to follow the system",
    };
    let theme_icon = move || match theme.get() {
        Theme::Auto => Icon::Auto,
        Theme::Light => Icon::Light,
        Theme::Dark => Icon::Dark,
    };
    view! {
        <header class="top-bar">
            <a class="brand" href=address::home_link()><span aria-hidden="true">"🤖"</span><span>"huggingtweets"<span class="brand-end">"-web"</span></span></a>
            <nav class="top-actions" aria-label="Page">
                <a class="top-action is-wide-only" href="#gallery">"Gallery"</a>
                <Show when=|| !browser_window::is_single_file()>
                    <a class="top-action" data-testid="open-maker" href=maker_door::FRAGMENT>
                        <Drawing icon=Icon::Make/><span>"Make"<span class="is-wide-only">" a bot"</span></span>
                    </a>
                </Show>
                <button type="button" class="top-action" on:click=move |_| overlay.open(View::OpenModel)>
                    <Drawing icon=Icon::Open/><span>"Open"<span class="is-wide-only">" a model"</span></span>
                </button>
                <button type="button" class="top-action" on:click=move |_| overlay.open(View::Storage)>
                    <Drawing icon=Icon::Storage/><span>"Storage"</span>
                </button>
                <button type="button" class="top-action" data-testid="open-about" on:click=move |_| overlay.open(View::About)>
                    <Drawing icon=Icon::About/><span>"About"</span>
                </button>
                <button type="button" class="top-action is-icon" aria-label=theme_label title=theme_label
                    on:click=move |_| theme.choose(theme.get().next())>
                    {move || view! { <Drawing icon=theme_icon()/> }}
                    <span class="is-narrow-only" aria-hidden="true">"Colours"</span>
                </button>
            </nav>
        </header>
    }
}
