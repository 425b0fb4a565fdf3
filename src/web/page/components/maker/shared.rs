//! `Shared`: a file that the share sheet handed over, which is read when the visitor says so.

use gloo::file::Blob;
use leptos::prelude::*;
use leptos::task::spawn_local;
use posts::archive::ImportOptions;

use crate::state::wording::bytes;
use crate::web::page::maker::Maker;
use crate::web::page::shared_files;

/// The row of each file that waits.
#[component]
pub fn Shared() -> impl IntoView {
    let maker = Maker::here();
    let files = RwSignal::new_local(Vec::<(String, Blob)>::new());
    spawn_local(async move {
        let _ = files.try_set(shared_files::list().await);
    });
    let forget = move || {
        files.set(Vec::new());
        spawn_local(shared_files::forget());
    };
    let read = move || {
        maker.import(&files.get_untracked(), ImportOptions::default());
        forget();
    };
    view! {
        <Show when=move || !files.with(Vec::is_empty)>
            <div class="notice" data-testid="maker-shared">
                {move || files.get().iter().map(|(name, file)| view! {
                    <p><bdi>{name.clone()}</bdi>{format!(" ({}) was shared with this page.", bytes(file.size()))}</p>
                }).collect_view()}
                <p class="maker-picks">
                    <button type="button" class="button is-primary" data-testid="maker-shared-read" on:click=move |_| read()>"Read it"</button>
                    <button type="button" class="button" on:click=move |_| forget()>"Discard it"</button>
                </p>
            </div>
        </Show>
    }
}
