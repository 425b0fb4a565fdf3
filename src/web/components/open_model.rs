//! `OpenModel`: a GGUF from the visitor's device or from an address.

use leptos::ev::{DragEvent, SubmitEvent};
use leptos::html;
use leptos::prelude::*;

use crate::state::address::is_gguf_address;
use crate::state::model::ModelChoice;
use crate::web::address;
use crate::web::offline::Offline;
use crate::web::page::Page;

use super::dialog::{Dialog, Overlay, View};

/// The dialog with file picker, drop zone and address field.
#[component]
pub fn OpenModel() -> impl IntoView {
    view! {
        <Dialog view=View::OpenModel title="Open a model">
            <OpenModelForm/>
        </Dialog>
    }
}

#[component]
fn OpenModelForm() -> impl IntoView {
    let page = Page::here();
    let overlay = expect_context::<Overlay>();
    let offline = expect_context::<Offline>();
    let picker = NodeRef::<html::Input>::new();
    let field = NodeRef::<html::Input>::new();
    let complaint = RwSignal::new(None::<&'static str>);
    let is_over = RwSignal::new(false);
    let is_bundled = page.memo(|state| state.is_bundled());

    let open = move |file: Option<web_sys::File>| {
        if let Some(file) = file {
            overlay.close();
            page.open_file(file);
        }
    };
    let picked = move |_| {
        open(
            picker
                .get_untracked()
                .and_then(|input| input.files())
                .and_then(|files| files.get(0)),
        )
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        open(
            event
                .data_transfer()
                .and_then(|data| data.files())
                .and_then(|files| files.get(0)),
        );
    };
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = field
            .get_untracked()
            .map(|input| input.value())
            .unwrap_or_default();
        match is_gguf_address(&typed).then(|| address::absolute(&typed)).flatten() {
            Some(url) => {
                overlay.close();
                page.act(|state| state.open_model(ModelChoice::url(&url)));
            }
            None => complaint.set(Some("That is not the address of a GGUF file. It starts with https:// and ends with .gguf.")),
        }
    };
    let over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    view! {
        <p>"Any GPT-2 as a GGUF file, such as those llama.cpp writes. It is read in this tab only and not kept."</p>
        <label class="drop-zone" class:is-over=is_over on:dragover=over on:dragleave=move |_| is_over.set(false) on:drop=dropped>
            <input type="file" accept=".gguf" class="visually-hidden" node_ref=picker on:change=picked/>
            <strong>"Choose a GGUF file"</strong>
            <span class="muted">"or drop one here"</span>
        </label>
        <form class="address-form" on:submit=submitted novalidate>
            <label for="model-address">"Or the address of one"</label>
            <div class="address-row">
                <input id="model-address" class="field" type="url" inputmode="url" placeholder="https://…/model.gguf" autocomplete="off" spellcheck="false"
                    aria-describedby="model-address-note model-address-error" node_ref=field/>
                <button type="submit" class="button is-primary">"Load"</button>
            </div>
            <p class="muted" id="model-address-note">"Your browser fetches it from there, so that host sees the visit. It must allow other pages to read the file (CORS)."</p>
            <Show when=move || !offline.is_online()>
                <p class="muted" role="note">"There is no network now, so an address has to wait; a file opens all the same."</p>
            </Show>
            <p class="setting-error" id="model-address-error" role="alert">{complaint}</p>
        </form>
        <Show when=move || !is_bundled.get()>
            <p>
                <button type="button" class="button" on:click=move |_| {
                    overlay.close();
                    page.act(|state| state.use_bundled());
                }>"Back to the bundled model"</button>
            </p>
        </Show>
    }
}
