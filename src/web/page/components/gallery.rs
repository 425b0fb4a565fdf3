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
use super::dialog::{Overlay, View};
use super::names::names;

/// The row of bots.
#[component]
pub fn Gallery() -> impl IntoView {
    let page = Page::here();
    let row = NodeRef::<html::Ul>::new();
    // Bots of this device stand at the end, whether they were opened or not.
    let bots = page.memo(|state| {
        let bots = state.bots().iter().cloned().enumerate();
        let bots = bots.filter(|(_, bot)| Bot::folder_here(&bot.repo).is_none());
        bots.collect::<Vec<_>>()
    });
    // Empty in the drawing that stands in the page before the program.
    let made_here = RwSignal::new(Vec::<KeptBot>::new());
    let overlay = expect_context::<Overlay>();
    Effect::new(move |_| {
        // Storage deletes bots.
        if overlay.shows(View::Storage) {
            return;
        }
        spawn_local(async move {
            let mut bots = kept_bots::list().await;
            bots.retain(|bot| !bot.handles.is_empty());
            // The visitor may have opened the maker meanwhile.
            if made_here.try_with_untracked(|made| *made != bots) == Some(true) {
                made_here.set(bots);
            }
        });
    });
    let open_repo = page.memo(|state| state.speaker().bot().map(|bot| bot.repo.clone()));
    // The place of the open bot in the row.
    let open_place = Memo::new(move |_| {
        let open = open_repo.get()?;
        let of_page = bots.with(|bots| {
            bots.iter()
                .map(|(_, bot)| bot.repo.clone())
                .collect::<Vec<_>>()
        });
        let of_device = made_here.with(|made| {
            made.iter()
                .map(|bot| Bot::repo_here(&bot.name))
                .collect::<Vec<_>>()
        });
        of_page
            .iter()
            .chain(&of_device)
            .position(|repo| *repo == open)
    });
    let row_place = RowPlace { open: open_place };

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

    let item = move |place: usize, index: usize, bot: Bot| {
        let avatars = portraits(&Speaker::Bot(bot.clone()))
            .into_iter()
            .map(|portrait| view! { <Avatar portrait/> })
            .collect_view();
        let title = bot
            .card
            .names
            .iter()
            .map(|name| isolated(name))
            .collect::<Vec<_>>()
            .join(" & ");
        let spoken = names(&bot.card.names);
        let handle = format!("@{}", bot.card.handle);
        let open = move |event: leptos::ev::MouseEvent| {
            if !has_modifier(&event) {
                event.prevent_default();
                history::open_bot(page, index);
            }
        };
        view! {
            <li>
                <a class="gallery-item" data-testid="gallery-item" href=address::bot_link(&bot.repo)
                    aria-current=move || row_place.current(place)
                    tabindex=move || row_place.tabindex(place)
                    title=title
                    on:click=open>
                    <span class="avatars">{avatars}</span>
                    <span class="gallery-handle" dir="ltr">{handle}</span>
                    <span class="visually-hidden">", "{spoken}</span>
                </a>
            </li>
        }
    };
    let items = move || {
        let bots = bots.get().into_iter().enumerate();
        bots.map(|(place, (index, bot))| item(place, index, bot))
            .collect_view()
    };
    let made_items = move || {
        let n_before = bots.with(Vec::len);
        let made_here = made_here.get().into_iter().enumerate();
        made_here
            .map(|(n, bot)| made(page, bot, n_before + n, row_place))
            .collect_view()
    };

    Effect::new(move |_| {
        if let Some(link) = open_place.get().and_then(|place| link_at(&row, place)) {
            scroll_to(&link);
        }
    });

    view! {
        <nav class="gallery" id="gallery" aria-label="Gallery of bots">
            <ul node_ref=row on:keydown=move_focus>
                {items}
                {made_items}
            </ul>
        </nav>
    }
}

/// Which link of the row is that of the open bot, and which takes part in the order of the keyboard.
#[derive(Clone, Copy)]
struct RowPlace {
    open: Memo<Option<usize>>,
}

impl RowPlace {
    fn current(self, place: usize) -> Option<&'static str> {
        (self.open.get() == Some(place)).then_some("page")
    }

    /// One link of the row takes part, also while none is open.
    fn tabindex(self, place: usize) -> &'static str {
        match self.open.get().unwrap_or(0) == place {
            true => "0",
            false => "-1",
        }
    }
}

/// The link to a bot that was made here, or is being made, which leads to the maker.
fn made(page: Page, bot: KeptBot, place: usize, row_place: RowPlace) -> impl IntoView {
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
    let name = bot.name.clone();
    let open = move |event: leptos::ev::MouseEvent| {
        if bot.is_trained && !has_modifier(&event) {
            event.prevent_default();
            history::open_made_bot(page, &name);
        }
    };
    view! {
        <li>
            <a class="gallery-item" data-testid="gallery-made" href=href
                tabindex=move || row_place.tabindex(place) aria-current=move || row_place.current(place) on:click=open>
                <span class="avatars">{avatars}</span>
                <span class="gallery-line">
                    <span class="gallery-handle" dir="ltr">{format!("@{}", bot.handles)}</span>
                    <span class="badge">{if bot.is_trained { "trained here" } else { "not trained yet" }}</span>
                </span>
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
