//! `StoredModels`: a list of the models stored on this device, with their sizes, to open, save as a file or delete.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::protocol::Retention;
use crate::state::model_choice::ModelChoice;
use crate::state::stored_words::StoredWords;
use crate::state::wording;
use crate::web::page::browser_window;
use crate::web::page::context::Page;
use crate::web::page::stored_models::refresh;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage::{ModelStorage, StoredModel, estimate};

use super::dialog::{Overlay, View, focus_heading};

/// The list, as it is when the dialog opens and after each deletion.
#[component]
pub fn StoredModels() -> impl IntoView {
    let page = Page::here();
    let stored = RwSignal::new(None::<Vec<StoredModel>>);
    let quota = RwSignal::new(None::<(u64, u64)>);
    let retention = RwSignal::new(Retention::PrivateFiles);
    let complaint = RwSignal::new(None::<String>);
    let read_list = move || {
        spawn_local(async move {
            let (list, place) = match ModelStorage::open().await {
                Ok(Some(storage)) => (storage.list().await, storage.retention()),
                Ok(None) => (Vec::new(), Retention::Tab),
                Err(error) => {
                    let _ = complaint.try_set(Some(format!(
                        "The saved models cannot be listed: {error}. Close other tabs of this page and reload it."
                    )));
                    (Vec::new(), Retention::PrivateFiles)
                }
            };
            // The dialog may have been closed meanwhile.
            let _ = stored.try_set(Some(list));
            let _ = retention.try_set(place);
            let _ = quota.try_set(estimate().await);
        });
    };
    read_list();
    let delete = move |keys: Vec<String>| {
        focus_heading(View::Storage);
        spawn_local(async move {
            let mut is_in_use = false;
            if let Ok(Some(storage)) = ModelStorage::open().await {
                for key in keys {
                    is_in_use |= storage.delete(&key).await.is_err();
                }
            }
            let _ = complaint.try_set(is_in_use.then(|| {
                "Not everything could be deleted: this tab or another one is using it. Stop its download or close other tabs, then try again.".to_owned()
            }));
            read_list();
            refresh(page);
        });
    };
    let save = move |key: String, name: String| {
        spawn_local(async move {
            let shown = wording::isolated(&name).into_owned();
            let refused = |error: WebError| format!("{shown} could not be saved: {error}.");
            let blob = match ModelStorage::open().await {
                Ok(Some(storage)) => storage.blob(&key).await,
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            let saved = match blob {
                Ok(Some(blob)) => browser_window::save(blob, &name).map_err(refused),
                Ok(None) => Err(format!(
                    "{shown} could not be saved: it is not here any more."
                )),
                Err(error) => Err(refused(error)),
            };
            let _ = complaint.try_set(saved.err());
        });
    };
    let total = move || {
        let sizes = stored.get().unwrap_or_default();
        let sum = wording::bytes(sizes.iter().map(|model| model.size_bytes).sum());
        match quota.get() {
            Some((quota, _)) => format!(
                "Models take {sum}; this browser gives the page up to about {}.",
                wording::bytes(quota)
            ),
            None => format!("Models take {sum}."),
        }
    };
    view! {
        <Show when=move || stored.with(|list| list.as_ref().is_some_and(|list| !list.is_empty()))>
            <ul class="stored-models">
                <For each=move || stored.get().unwrap_or_default() key=|model| (model.key.clone(), model.size_bytes, model.record.is_complete()) let:model>
                    <StoredModelRow model=model save=save delete=move |key| delete(vec![key])/>
                </For>
            </ul>
            <p class="storage-row">
                <span>{total}</span>
                <button type="button" class="button" on:click=move |_| {
                    delete(stored.get_untracked().into_iter().flatten().map(|model| model.key).collect());
                }>"Delete all models"</button>
            </p>
        </Show>
        <p class="setting-error" role="alert">{complaint}</p>
        {move || caution(retention.get()).map(|text| view! { <p class="muted">{text}</p> })}
    }
}

/// A caution about where this browser stores models; `None` for the private file system, the usual place.
fn caution(retention: Retention) -> Option<&'static str> {
    match retention {
        Retention::None | Retention::PrivateFiles => None,
        Retention::Database => Some(
            "Models are saved in this browser’s database (IndexedDB), because it gives the page no files of its own here. \
             If this is a private window, they are gone when you close it.",
        ),
        Retention::Tab => Some(
            "This browser gives the page no storage here: a model you download lasts as long as this tab. \
             Over https, in a window that is not private, it would be saved.",
        ),
    }
}

#[component]
fn StoredModelRow(
    /// The model.
    model: StoredModel,
    /// Saves the model as a file, by its key and under a file name.
    save: impl Fn(String, String) + 'static,
    /// Deletes the model, by its key.
    delete: impl Fn(String) + 'static,
) -> impl IntoView {
    let page = Page::here();
    let overlay = expect_context::<Overlay>();
    let StoredModel {
        key,
        record,
        size_bytes,
    } = model;
    let state = match &record.download {
        None => wording::bytes(size_bytes),
        Some(download) => match download.total {
            Some(total) => format!(
                "not complete yet: {} of {} downloaded",
                wording::bytes(download.loaded),
                wording::bytes(total)
            ),
            None => format!(
                "not complete yet: {} downloaded",
                wording::bytes(download.loaded)
            ),
        },
    };
    let is_whole = record.is_complete();
    let open = if is_whole { "Open" } else { "Go on" };
    let words = StoredWords::new(&record.model);
    let name = words.label();
    let delete_label = format!("Delete {name}");
    let save_label = format!("Save {name} as a file");
    let file_name = words.file_name;
    let key_to_save = key.clone();
    let save_it = move |_| save(key_to_save.clone(), file_name.clone());
    let open_label = format!("{open}: {name}");
    let details = words
        .details
        .into_iter()
        .chain(words.host)
        .map(|detail| view! { " · "<bdi>{detail}</bdi> });
    let details = details.collect_view();
    let choice = ModelChoice::new(record.model);
    let open_it = move |_| {
        overlay.close();
        let choice = choice.clone();
        page.act(|state| state.open_model(choice));
    };
    view! {
        <li class="storage-row">
            <span><strong><bdi>{words.name}</bdi></strong>{details}" · "{state}</span>
            <div class="button-row">
                <button type="button" class="button" aria-label=open_label on:click=open_it>{open}</button>
                {is_whole.then(|| view! {
                    <button type="button" class="button" aria-label=save_label on:click=save_it>"Save"</button>
                })}
                <button type="button" class="button" aria-label=delete_label on:click=move |_| delete(key.clone())>"Delete"</button>
            </div>
        </li>
    }
}
