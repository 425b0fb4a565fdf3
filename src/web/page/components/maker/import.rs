//! `Import`: the ways posts come in, and the progress of reading them.

use gloo::file::{Blob, File};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use maker::message::{LongTask, MAX_ACCOUNTS};
use posts::archive::ImportOptions;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use crate::state::wording::{bytes, count};
use crate::web::page::browser_window::focus_title;
use crate::web::page::community_archive;
use crate::web::page::maker::Maker;

/// The id of its title, which takes the focus of a button that goes.
pub(super) const TITLE: &str = "import-title";

/// The section.
#[component]
pub fn Import() -> impl IntoView {
    let maker = Maker::here();
    let running = maker.memo(|state| state.running);
    let is_full = maker.memo(|state| state.bot.accounts.len() >= MAX_ACCOUNTS);
    let n_accounts = maker.memo(|state| state.bot.accounts.len());
    let has_community = RwSignal::new(false);
    let pasted = RwSignal::new(String::new());
    let archived = RwSignal::new(String::new());
    let folder = NodeRef::<html::Input>::new();
    // Not an attribute that leptos knows.
    Effect::new(move |_| {
        if let Some(folder) = folder.get() {
            let _ = folder.set_attribute("webkitdirectory", "");
        }
    });
    let options = move || ImportOptions {
        community_posts: has_community.get_untracked(),
    };
    let picked = move |event: web_sys::Event| {
        let Some(input) = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
        else {
            return;
        };
        maker.import(&files_of(&input), options());
        // The same file can be chosen again.
        input.set_value("");
    };
    view! {
        <section class="maker-section" aria-labelledby=TITLE>
            <h2 id=TITLE>{move || match n_accounts.get() { 0 => "Posts", _ => "One account more" }}</h2>
            <Show when=move || running.get().is_none() && !is_full.get()>
                <p>
                    "The archive of X or Twitter (the zip as you downloaded it), of Mastodon (zip or tar.gz), of Bluesky (repo.car), tweets in JSON, a table, or a text with a post per line. "
                    "One to three accounts make a bot or a cyborg."
                </p>
                <div class="maker-picks">
                    <label class="button is-primary">"Choose a file"
                        <input type="file" class="visually-hidden" data-testid="maker-import" on:change=picked/>
                    </label>
                    <label class="button">"Choose a folder"
                        <input type="file" class="visually-hidden" node_ref=folder on:change=picked/>
                    </label>
                    <span class="muted">"or drop it anywhere on this page"</span>
                </div>
                <label class="check"><input type="checkbox" prop:checked=has_community on:change:target=move |event| has_community.set(event.target().checked())/>"Also read posts in communities of X"</label>
                // A handle that was not found can be typed anew.
                <details open=!archived.with_untracked(String::is_empty)>
                    <summary>"By handle, from the Community Archive"</summary>
                    <p>"People have given their X archives to the public Community Archive. A press asks " <strong>{community_archive::host()}</strong> " for the one of this handle."</p>
                    <label for="maker-archive">"Handle"</label>
                    <form class="maker-picks" on:submit=move |event| {
                        event.prevent_default();
                        spawn_local(community_archive::import(maker, archived.get_untracked()));
                        focus_title(TITLE);
                    }>
                        <input id="maker-archive" class="field" dir="ltr" data-testid="maker-archive" prop:value=archived on:input:target=move |event| archived.set(event.target().value())/>
                        <button type="submit" class="button" data-testid="maker-archive-fetch">{format!("Fetch it from {}", community_archive::host())}</button>
                    </form>
                </details>
                <details>
                    <summary>"Paste text"</summary>
                    <label for="maker-paste">"A post per line"</label>
                    <textarea id="maker-paste" class="field" rows="5" dir="auto" data-testid="maker-paste" prop:value=pasted on:input:target=move |event| pasted.set(event.target().value())></textarea>
                    <button type="button" class="button" data-testid="maker-paste-read" on:click=move |_| {
                        let text = pasted.get_untracked();
                        if !text.trim().is_empty() {
                            maker.paste(text);
                            pasted.set(String::new());
                            focus_title(TITLE);
                        }
                    }>"Read it"</button>
                </details>
                <p class="muted">"Only the posts, the name and the picture are read; messages, e-mail addresses and likes are not. Below each account stands which files were opened."</p>
            </Show>
            <Show when=move || running.get().is_none() && is_full.get()>
                <p>"A bot has three accounts at most. Take one out to read another."</p>
            </Show>
            {move || running.get().map(|running| {
                let percent = 100.0 * crate::state::wording::ratio(running.done, running.total);
                let words = match running.task {
                    LongTask::Fetch if running.total == 0 => format!("Fetching from {}: {}", community_archive::host(), bytes(running.done)),
                    LongTask::Fetch => format!("Fetching from {}: {} of {}", community_archive::host(), bytes(running.done), bytes(running.total)),
                    LongTask::Read if running.total == 0 => "Opening the export …".to_owned(),
                    LongTask::Read => format!("Reading: {} of {}", bytes(running.done), bytes(running.total)),
                    LongTask::Judge => format!("Cleaning: {} of {} posts", count(running.done), count(running.total)),
                    LongTask::Write => "Writing the training text …".to_owned(),
                };
                let counts = running.counts;
                view! {
                    <div class="maker-running">
                        <p role="status">{words}</p>
                        <progress max="100" value=format!("{percent:.1}") data-testid="progress"></progress>
                        {(counts.downloaded > 0).then(|| view! {
                            <p class="muted">{format!("{} posts so far: {} kept, {} retweets, {} too short", count(counts.downloaded), count(counts.kept), count(counts.retweets), count(counts.short))}</p>
                        })}
                        <button type="button" class="button" data-testid="maker-cancel" on:click=move |_| { maker.stop(); focus_title(TITLE); }>{match running.task {
                            LongTask::Fetch => "Cancel the download",
                            _ => "Stop and keep what was read",
                        }}</button>
                    </div>
                }
            })}
        </section>
    }
}

/// The picked files by their paths in the picked folder.
fn files_of(input: &HtmlInputElement) -> Vec<(String, Blob)> {
    let Some(list) = input.files() else {
        return Vec::new();
    };
    let files = (0..list.length()).filter_map(|i| list.get(i));
    let path_of = |file: &web_sys::File| {
        let path = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok();
        let path = path.and_then(|path| path.as_string());
        path.filter(|path| !path.is_empty())
            .unwrap_or_else(|| file.name())
    };
    files
        .map(|file| (path_of(&file), Blob::from(File::from(file))))
        .collect()
}
