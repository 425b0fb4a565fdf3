//! `Shared`: files that the share sheet or the page handed over, each of which is read as an account when the visitor says
//! so, and offered until it was read.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use maker::message::MAX_ACCOUNTS;
use posts::archive::ImportOptions;

use super::import;
use crate::state::wording::bytes;
use crate::web::page::browser_window::focus_title;
use crate::web::page::maker::Maker;
use crate::web::page::shared_files::{self, SharedFile};

/// The row of each file that waits.
#[component]
pub fn Shared() -> impl IntoView {
    let maker = Maker::here();
    let files = RwSignal::new_local(Vec::<SharedFile>::new());
    spawn_local(async move {
        let found = shared_files::list().await;
        let _ = files.try_update(|files| files.extend(found));
    });
    let take_handed = move || {
        let handed = shared_files::take_handed();
        if !handed.is_empty() {
            let is_cached = |file: &SharedFile| !file.address.starts_with('#');
            files.update(|files| {
                files.retain(is_cached);
                files.extend(handed);
            });
        }
    };
    take_handed();
    // The page opens the maker by the address.
    let follow = window_event_listener(ev::hashchange, move |_| take_handed());
    on_cleanup(move || follow.remove());
    let forget = move |file: SharedFile| {
        spawn_local(async move {
            file.forget().await;
            let _ = files.try_update(|files| files.retain(|it| it.address != file.address));
        });
    };
    let is_running = maker.memo(|state| state.running.is_some());
    let is_full = maker.memo(|state| state.bot.accounts.len() >= MAX_ACCOUNTS);
    // The file that is read.
    let reading = StoredValue::new_local(None::<SharedFile>);
    let progress = maker.memo(|state| {
        let is_running = state.running.is_some();
        let n_accounts = state.bot.accounts.len();
        (
            state.name.clone(),
            is_running,
            n_accounts,
            state.failure.is_some(),
        )
    });
    Effect::new(move |before: Option<(Option<String>, usize)>| {
        let (name, is_running, n_accounts, has_failed) = progress.get();
        let (bot, n_before) = before.unwrap_or_default();
        // An opened bot has its accounts while it is judged; a further one then is that of the file.
        let is_read = !is_running && n_accounts > n_before;
        if bot.is_some() && bot != name || has_failed {
            reading.set_value(None);
        } else if is_read && let Some(file) = reading.try_update_value(Option::take).flatten() {
            forget(file);
        }
        (name, n_accounts)
    });
    let read = move |file: SharedFile| {
        let import = [(file.name.clone(), file.content.clone())];
        maker.import(&import, ImportOptions::default());
        reading.set_value(Some(file));
        focus_title(import::TITLE);
    };
    view! {
        <Show when=move || !files.with(Vec::is_empty)>
            <div class="notice" data-testid="maker-shared">
                {move || files.get().into_iter().map(|file| { let (read_file, forgotten) = (file.clone(), file.clone()); view! {
                    <p><bdi>{file.name}</bdi>{format!(" ({}) was given to this page.", bytes(file.content.size()))}</p>
                    <p class="maker-picks">
                        <button type="button" class="button is-primary" data-testid="maker-shared-read" disabled=move || is_running.get() || is_full.get() on:click=move |_| read(read_file.clone())>"Read it"</button>
                        <button type="button" class="button" disabled=is_running on:click=move |_| forget(forgotten.clone())>"Discard it"</button>
                    </p>
                }}).collect_view()}
            </div>
        </Show>
    }
}
