//! `KeptBots`: the rows of the dialog of storage for bots that are made here, each with a button that deletes it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::state::wording::bytes;
use crate::web::page::kept_bots::{self, KeptBot};

use super::dialog::{View, focus_heading};

/// The rows, as they are when the dialog opens and after each deletion.
#[component]
pub fn KeptBots() -> impl IntoView {
    let bots = RwSignal::new(Vec::<KeptBot>::new());
    let is_open_elsewhere = RwSignal::new(false);
    let read = move || {
        spawn_local(async move {
            // The dialog may have been closed meanwhile.
            let _ = bots.try_set(kept_bots::list().await);
        });
    };
    read();
    let delete = move |name: String, is_trained: bool| {
        let question = "Delete this bot with its training?";
        if is_trained && window().confirm_with_message(question) != Ok(true) {
            return;
        }
        // The button is that of the next bot once the row has gone.
        focus_heading(View::Storage);
        spawn_local(async move {
            let is_deleted = kept_bots::delete(&name).await;
            let _ = is_open_elsewhere.try_set(!is_deleted);
            read();
        });
    };
    view! {
        {move || bots.get().into_iter().map(|KeptBot { name, handles, size_bytes, is_trained }| {
            let (what, of) = if is_trained { ("A bot you trained: ", "") } else { ("A bot you are making, ", "of ") };
            let whose = if handles.is_empty() { "without posts".to_owned() } else { format!("{of}@{handles}") };
            let label = format!("Delete the bot {whose}");
            view! {
                <p class="storage-row" data-testid="stored-bot">
                    <span>{what}<bdi>{whose}</bdi>{format!(" · {}", bytes(size_bytes))}</span>
                    <button type="button" class="button" aria-label=label data-testid="stored-bot-delete" on:click=move |_| delete(name.clone(), is_trained)>"Delete"</button>
                </p>
            }
        }).collect_view()}
        <Show when=move || is_open_elsewhere.get()>
            <p role="alert">"This bot is open in another tab. Close it there and try again."</p>
        </Show>
    }
}
