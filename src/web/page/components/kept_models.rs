//! `KeptModels`: the models kept on this device, with their sizes; each can be opened, saved as a file or deleted.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::hub::{Dtype, Endpoint, ModelAddress};
use crate::protocol::Keeping;
use crate::state::figures;
use crate::state::model::ModelChoice;
use crate::store::{KeptModel, Origin};
use crate::web::page::context::Page;
use crate::web::page::saved_file;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage::{ModelStorage, StoredModel, estimate};

use super::dialog::Overlay;

/// The list, as it is when it is shown.
#[component]
pub fn KeptModels() -> impl IntoView {
    let page = Page::here();
    let stored = RwSignal::new(None::<Vec<StoredModel>>);
    let quota = RwSignal::new(None::<(u64, u64)>);
    let keeping = RwSignal::new(Keeping::Device);
    let complaint = RwSignal::new(None::<String>);
    let refresh = move || {
        spawn_local(async move {
            let (list, place) = match ModelStorage::open().await {
                Ok(Some(storage)) => (storage.list().await, storage.keeping()),
                Ok(None) => (Vec::new(), Keeping::Tab),
                Err(error) => {
                    let _ = complaint.try_set(Some(format!(
                        "What is kept cannot be seen: {error}. Close other tabs of this page and reload it."
                    )));
                    (Vec::new(), Keeping::Device)
                }
            };
            // The dialog may be closed by now.
            let _ = stored.try_set(Some(list));
            let _ = keeping.try_set(place);
            let _ = quota.try_set(estimate().await);
        });
    };
    refresh();
    let delete = move |keys: Vec<String>| {
        spawn_local(async move {
            let mut failure = None;
            if let Ok(Some(storage)) = ModelStorage::open().await {
                for key in keys {
                    failure = storage.delete(&key).await.err().or(failure);
                }
            }
            let _ = complaint.try_set(failure.map(|error| {
                format!("Not everything could be deleted: {error}. Close other tabs of this page that use it and try again.")
            }));
            refresh();
            tell(page);
        });
    };
    let save = move |key: String, name: String| {
        spawn_local(async move {
            let complain = |error: WebError| format!("{name} could not be saved: {error}.");
            let saved = match ModelStorage::open().await {
                Ok(Some(storage)) => storage.blob(&key).await,
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            let saved = match saved {
                Ok(Some(blob)) => saved_file::save(&blob, &name).map_err(complain),
                Ok(None) => Err(format!(
                    "{name} could not be saved: it is not here any more."
                )),
                Err(error) => Err(complain(error)),
            };
            let _ = complaint.try_set(saved.err());
        });
    };
    let total = move || {
        let sum: u64 = stored
            .get()
            .iter()
            .flatten()
            .map(|model| model.size_bytes)
            .sum();
        let sum = figures::bytes(sum);
        match quota.get() {
            Some((quota, _)) => format!(
                "Models take {sum}; this browser gives the page up to about {}.",
                figures::bytes(quota)
            ),
            None => format!("Models take {sum}."),
        }
    };
    view! {
        <Show when=move || stored.with(|list| list.as_ref().is_some_and(|list| !list.is_empty()))>
            <ul class="kept-models">
                <For each=move || stored.get().unwrap_or_default() key=|model| (model.key.clone(), model.size_bytes, model.kept.is_whole()) let:model>
                    <KeptModelRow model=model save=save delete=move |key| delete(vec![key])/>
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
        {move || about(keeping.get()).map(|words| view! { <p class="muted">{words}</p> })}
    }
}

/// What a visitor should know of the place where models are kept; of the usual one nothing.
fn about(keeping: Keeping) -> Option<&'static str> {
    match keeping {
        Keeping::Nothing | Keeping::Device => None,
        Keeping::Database => Some(
            "This browser gives the page no private file system here, so models are kept in its database (IndexedDB). \
             If this is a private window, they go when you close it.",
        ),
        Keeping::Tab => Some(
            "This browser gives the page no storage here: a model you fetch lasts as long as this tab. \
             Over https, in a window that is not private, it would be kept.",
        ),
    }
}

#[component]
fn KeptModelRow(
    /// The model.
    model: StoredModel,
    /// Saves it as a file, by its key and under this name.
    save: impl Fn(String, String) + 'static,
    /// Deletes it, by its key.
    delete: impl Fn(String) + 'static,
) -> impl IntoView {
    let page = Page::here();
    let overlay = expect_context::<Overlay>();
    let choice = choice(&model.kept.origin);
    let StoredModel {
        key,
        kept,
        size_bytes,
    } = model;
    let state = match &kept.part {
        None => figures::bytes(size_bytes),
        Some(part) => match part.total {
            Some(total) => format!(
                "not whole yet: {} of {} fetched",
                figures::bytes(part.loaded),
                figures::bytes(total)
            ),
            None => format!("not whole yet: {} fetched", figures::bytes(part.loaded)),
        },
    };
    let is_whole = kept.is_whole();
    let open = if is_whole { "Open" } else { "Go on" };
    let name = kept.name.clone();
    let delete_label = format!("Delete {name}");
    let save_label = format!("Save {name} as a file");
    let file_name = file_name(&kept.origin);
    let key_to_save = key.clone();
    let save_it = move |_| save(key_to_save.clone(), file_name.clone());
    let open_label = format!("{open}: {name}");
    let dtype = match kept.origin.dtype.as_str() {
        "auto" => String::new(),
        dtype => format!(" as {}", figures::dtype(dtype)),
    };
    view! {
        <li class="storage-row">
            <span><strong>{kept.name}</strong>{dtype}" · "{state}</span>
            <div class="button-row">
                {choice.map(|choice| view! {
                    <button type="button" class="button" aria-label=open_label on:click=move |_| {
                        overlay.close();
                        let choice = choice.clone();
                        page.act(|state| state.open_model(choice));
                    }>{open}</button>
                })}
                {is_whole.then(|| view! {
                    <button type="button" class="button" aria-label=save_label on:click=save_it>"Save"</button>
                })}
                <button type="button" class="button" aria-label=delete_label on:click=move |_| delete(key.clone())>"Delete"</button>
            </div>
        </li>
    }
}

/// What a file with the model is called: `NAME.gguf`, with the type where it was chosen.
fn file_name(origin: &Origin) -> String {
    let place = origin.file.as_deref().unwrap_or(&origin.model);
    let name = place
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let name = name.strip_suffix(".gguf").unwrap_or(name);
    match origin.dtype.as_str() {
        "auto" => format!("{name}.gguf"),
        dtype => format!("{name}.{dtype}.gguf"),
    }
}

/// Tells the page what is kept, so that bots speak with their own weights.
pub fn tell(page: Page) {
    spawn_local(async move {
        let list = match ModelStorage::open().await {
            Ok(Some(storage)) => storage.list().await,
            _ => Vec::new(),
        };
        let whole = list.into_iter().map(|model| model.kept);
        let known = whole
            .filter(KeptModel::is_whole)
            .filter_map(|kept| Some((choice(&kept.origin)?, kept.card)))
            .collect();
        page.change(|state| state.know_kept(known));
    });
}

/// What asks for the same model again; `None` if its record makes no sense.
fn choice(origin: &Origin) -> Option<ModelChoice> {
    let endpoint: Endpoint = match &origin.endpoint {
        Some(endpoint) => endpoint.parse().ok()?,
        None => Endpoint::default(),
    };
    let dtype: Dtype = origin.dtype.parse().ok()?;
    let address = match &origin.file {
        Some(file) => ModelAddress::Repository {
            repo: origin.model.parse().ok()?,
            file: Some(file.clone()),
        },
        None => ModelAddress::parse(&origin.model, &endpoint).ok()?,
    };
    Some(ModelChoice::at(&address, &endpoint, dtype))
}
