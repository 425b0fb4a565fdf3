//! `ShareDialog`: one text on its way out of the page: its link, copies, networks, and a picture of it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::hub::ModelAddress;
use crate::state::share::{MASTODON, SharedText};
use crate::web::page::context::Page;
use crate::web::page::picture::Picture;
use crate::web::page::{address, browser_window, local_storage};

use super::copy_button::CopyButton;
use super::dialog::{Dialog, Overlay, View};
use super::icon::{Drawing, Icon};

/// The name in local storage of the visitor's Mastodon server.
pub const SERVER: &str = "huggingtweets-mastodon";

/// The dialog.
#[component]
pub fn ShareDialog() -> impl IntoView {
    view! {
        <Dialog view=View::Share title="Share this text" testid="share-dialog">
            <ShareBody/>
        </Dialog>
    }
}

#[component]
fn ShareBody() -> impl IntoView {
    let page = Page::here();
    let place = expect_context::<Overlay>().place();
    let shared = page.with_untracked(|state| state.shared(place, &address::without_query()));
    let note = page.with_untracked(|state| {
        let tweet = state.texts().tweets.get(place);
        let is_of_a_file = tweet.is_some_and(|tweet| {
            matches!(tweet.recipe.model.address, ModelAddress::Files { .. })
        });
        if is_of_a_file {
            "A file of yours wrote this text. The link names the file; whoever opens the link needs it as well."
        } else if tweet.is_some_and(|tweet| tweet.own_seed().is_none()) {
            "This text was written in several runs, so the link leads to its beginning, not to its end."
        } else {
            "The link holds bot, prompt, settings and seed: pressing Generate there writes the same text."
        }
    });
    shared.map(|shared| view! { <Ways shared note/> })
}

#[component]
fn Ways(shared: SharedText, note: &'static str) -> impl IntoView {
    let link = shared.link.clone();
    let for_link = link.clone();
    let quotation = shared.quotation();
    let post = shared.post();
    let (x, bluesky) = (shared.x_address(), shared.bluesky_address());
    let server = RwSignal::new(local_storage::read(SERVER).unwrap_or_else(|| MASTODON.to_owned()));
    let picture = Picture::draw(&shared);
    let mastodon = Memo::new(move |_| shared.mastodon_address(&server.get()));
    let name_server = move |text: String| {
        local_storage::write(SERVER, Some(text.trim()));
        server.set(text);
    };
    let (sheet_text, sheet_link) = (post, link.clone());
    let open_sheet = move |_| browser_window::share(&sheet_text, &sheet_link);
    view! {
        <div class="share-row">
            <label for="share-link" class="share-label">"Link"</label>
            <input id="share-link" class="field" data-testid="share-link" readonly value=link/>
            <CopyButton text=move || for_link.clone() label="Copy the link"/>
        </div>
        <p class="muted share-note">{note}</p>
        <div class="share-row">
            <span class="share-label">"Text"</span>
            <p class="share-quotation" dir="auto" tabindex="0">{quotation.clone()}</p>
            <CopyButton text=move || quotation.clone() label="Copy the text with its author and link"/>
        </div>
        <ul class="share-ways" aria-label="Post it">
            <Show when=browser_window::can_share>
                <li><button type="button" class="button" on:click=open_sheet.clone()>"Share with an app"</button></li>
            </Show>
            <li><Post href=Signal::stored(Some(x)) name="X"/></li>
            <li><Post href=Signal::stored(Some(bluesky)) name="Bluesky"/></li>
            <li class="share-mastodon">
                <Post href=mastodon.into() name="Mastodon"/>
                <label for="share-server">"on"</label>
                <input id="share-server" class="field" inputmode="url" autocapitalize="none" spellcheck="false" autocomplete="off"
                    aria-invalid=move || mastodon.with(Option::is_none).then_some("true")
                    prop:value=server on:input:target=move |event| name_server(event.target().value())/>
            </li>
        </ul>
        {picture.map(|picture| view! { <SavePicture picture/> })}
    }
}

/// A link that opens a network with the text in its box; nothing is sent before the visitor posts it there.
#[component]
fn Post(href: Signal<Option<String>>, name: &'static str) -> impl IntoView {
    view! {
        <a class="button" target="_blank" rel="noopener noreferrer" href=href
            aria-disabled=move || href.with(Option::is_none).then_some("true")>
            {format!("Post to {name}")}<Drawing icon=Icon::Leave/>
        </a>
    }
}

#[component]
fn SavePicture(picture: Picture) -> impl IntoView {
    let picture = StoredValue::new(picture);
    let failed = RwSignal::new(false);
    let save_svg = move |_| picture.with_value(Picture::save_svg);
    let save_png = move |_| {
        let picture = picture.get_value();
        spawn_local(async move { failed.set(!picture.save_png().await) });
    };
    view! {
        <figure class="share-figure">
            <img class="share-picture" data-testid="share-picture" width="1200" height="628" src=picture.with_value(|picture| picture.address().to_owned())
                alt="The text as a picture, with the bot’s name and the mark that it is generated"/>
            <figcaption class="button-row">
                <button type="button" class="button" on:click=save_png>"Save as PNG"</button>
                <button type="button" class="button" on:click=save_svg>"Save as SVG"</button>
            </figcaption>
            <Show when=move || failed.get()>
                <p class="setting-error" role="alert">"This browser makes no PNG of it. Save it as SVG."</p>
            </Show>
        </figure>
    }
}
