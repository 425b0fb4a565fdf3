//! `Gallery`: a row of links to the bots, and to those that are being made on this device; arrow keys move the focus, the
//! open bot is marked.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use crate::bot::Bot;
use crate::state::speaker::Speaker;
use crate::state::wording::isolated;
use crate::web::page::address;
use crate::web::page::browser_window::scroll_to;
use crate::web::page::context::Page;
use crate::web::page::history;
use crate::web::page::kept_bots::{self, KeptBot};
use crate::web::page::maker_door;

use super::avatar::{Avatar, drawn, portraits};
use super::names::names;

/// The row of bots.
#[component]
pub fn Gallery() -> impl IntoView {
    let page = Page::here();
    let row = NodeRef::<html::Ul>::new();
    let bots = page.with_untracked(|state| state.bots().to_vec());
    // Empty in the drawing that stands in the page before the program.
    let made_here = RwSignal::new(Vec::<KeptBot>::new());
    spawn_local(async move {
        // The visitor may have opened the maker meanwhile.
        let _ = made_here.try_set(kept_bots::list().await);
    });
    let selected = page.memo(|state| state.selected());

    let move_focus = move |event: KeyboardEvent| {
        let is_rtl = document().dir() == "rtl";
        let from = focused_index(&row).unwrap_or(0);
        let n = row
            .get_untracked()
            .map_or(1, |row| row.children().length() as usize);
        let to = match event.key().as_str() {
            "Home" => 0,
            "End" => n - 1,
            "ArrowRight" if is_rtl => (from + n - 1) % n,
            "ArrowLeft" if is_rtl => (from + 1) % n,
            "ArrowRight" => (from + 1) % n,
            "ArrowLeft" => (from + n - 1) % n,
            _ => return,
        };
        event.prevent_default();
        if let Some(link) = link_at(&row, to) {
            let _ = link.focus();
        }
    };

    let items = bots
        .into_iter()
        .enumerate()
        .map(|(index, bot)| {
            let avatars = portraits(&Speaker::Bot(bot.clone())).into_iter().map(|portrait| view! { <Avatar portrait/> }).collect_view();
            let title = bot.card.names.iter().map(|name| isolated(name)).collect::<Vec<_>>().join(" & ");
            let spoken = names(&bot.card.names);
            let handle = format!("@{}", bot.card.handle);
            let is_open = move || selected.get() == Some(index);
            // One link of the row takes part in the order of the keyboard, also while none is open.
            let is_stop = move || selected.get().unwrap_or(0) == index;
            let open = move |event: leptos::ev::MouseEvent| {
                if !has_modifier(&event) {
                    event.prevent_default();
                    history::open_bot(page, index);
                }
            };
            view! {
                <li>
                    <a class="gallery-item" data-testid="gallery-item" href=address::bot_link(&bot.repo)
                        aria-current=move || is_open().then_some("page")
                        tabindex=move || if is_stop() { "0" } else { "-1" }
                        title=title
                        on:click=open>
                        <span class="avatars">{avatars}</span>
                        <span class="gallery-handle" dir="ltr">{handle}</span>
                        <span class="visually-hidden">", "{spoken}</span>
                    </a>
                </li>
            }
        })
        .collect_view();

    Effect::new(move |_| {
        if let Some(link) = selected.get().and_then(|index| link_at(&row, index)) {
            scroll_to(&link);
        }
    });

    view! {
        <nav class="gallery" id="gallery" aria-label="Gallery of bots">
            <ul node_ref=row on:keydown=move_focus>
                {items}
                {move || made_here.get().into_iter().filter(|bot| !bot.handles.is_empty()).map(|bot| made(page, bot)).collect_view()}
            </ul>
        </nav>
    }
}

/// The link to a bot that was made here, or is being made, which leads to the maker.
fn made(page: Page, bot: KeptBot) -> impl IntoView {
    let handles: Vec<String> = bot
        .handles
        .split(kept_bots::BETWEEN_HANDLES)
        .map(str::to_owned)
        .collect();
    let avatars = drawn(&bot.handles, &handles)
        .into_iter()
        .map(|portrait| view! { <Avatar portrait/> })
        .collect_view();
    let repo = Bot::repo_here(&bot.name);
    let href = match bot.is_trained {
        true => address::bot_link(&repo),
        false => maker_door::fragment_of(&bot.name),
    };
    let is_open =
        page.memo(move |state| state.speaker().bot().is_some_and(|open| open.repo == repo));
    let name = bot.name.clone();
    let open = move |event: leptos::ev::MouseEvent| {
        if bot.is_trained && !has_modifier(&event) {
            event.prevent_default();
            history::open_made_bot(page, &name);
        }
    };
    view! {
        <li>
            <a class="gallery-item" data-testid="gallery-made" href=href tabindex="-1"
                aria-current=move || is_open.get().then_some("page") on:click=open>
                <span class="avatars">{avatars}</span>
                <span class="gallery-handle" dir="ltr">{format!("@{}", bot.handles)}</span>
                <span class="badge">{if bot.is_trained { "trained here" } else { "not trained yet" }}</span>
            </a>
        </li>
    }
}

/// Whether a modifier key is held: the press is left to the browser, which opens a new tab or window.
fn has_modifier(event: &leptos::ev::MouseEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()
}

fn link_at(row: &NodeRef<html::Ul>, index: usize) -> Option<web_sys::HtmlElement> {
    let item = row
        .get_untracked()?
        .children()
        .item(u32::try_from(index).ok()?)?;
    item.first_element_child()?.dyn_into().ok()
}

fn focused_index(row: &NodeRef<html::Ul>) -> Option<usize> {
    let items = row.get_untracked()?.children();
    let focused = document().active_element()?;
    (0..items.length())
        .find(|i| {
            items
                .item(*i)
                .is_some_and(|item| item.contains(Some(&focused)))
        })
        .map(|i| i as usize)
}
