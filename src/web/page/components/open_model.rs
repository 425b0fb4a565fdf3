//! `OpenModel`: the dialog that opens a model by name, by address or from files.

use gloo::file::FileList;
use leptos::ev::{DragEvent, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;

use crate::hub::{Dtype, ModelAddress, ModelRef};
use crate::state::look_up::LookUp;
use crate::state::model_choice::ModelChoice;
use crate::state::wording::sentence;
use crate::web::page::address;
use crate::web::page::browser_window::Online;
use crate::web::page::context::Page;
use crate::web::page::device;

use super::dialog::{Dialog, Overlay, View};
use super::offer_panel::OfferPanel;

/// The dialog with the field for a name, the file picker and the drop zone.
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
    let online = expect_context::<Online>();
    let picker = NodeRef::<html::Input>::new();
    let field = NodeRef::<html::Input>::new();
    // An error of the typed name; the answer to a look-up is in the page's state.
    let complaint = RwSignal::new(None::<String>);
    let dtype = RwSignal::new(Dtype::Auto);
    let is_over = RwSignal::new(false);
    let is_bundled = page.memo(|state| state.is_bundled());
    let is_asking = page.memo(|state| {
        state
            .current_look_up()
            .is_some_and(|look_up| look_up.is_asking)
    });
    let progress = page.memo(|state| state.current_look_up().and_then(LookUp::progress_text));
    let answer = page.memo(|state| {
        let look_up = state.current_look_up()?;
        Some((look_up.model.clone(), look_up.answer.clone()?))
    });
    on_cleanup(move || page.act(|state| state.close_look_up()));

    let picked = move |_| {
        let files = picker.get_untracked().and_then(|input| input.files());
        let files = files.map(|files| FileList::from(files).to_vec());
        if let Some(files) = files.filter(|files| !files.is_empty()) {
            overlay.close();
            page.open_files(None, files);
        }
    };
    let open = move |model: ModelRef| {
        overlay.close();
        page.act(|state| state.open_model(ModelChoice::new(model)));
    };
    let look_up =
        move |model: ModelRef| page.act(|state| state.look_up(model, device::memory_bytes()));
    let ask = move |typed: &str| {
        let endpoint = page.with_untracked(|state| state.endpoint().clone());
        match ModelRef::parse(typed, &endpoint, dtype.get_untracked()) {
            Ok(model) => {
                complaint.set(None);
                let model = address::absolute_model(model);
                // Only a repository lists its files.
                let has_listing =
                    matches!(model.address, ModelAddress::Repository { file: None, .. });
                if has_listing && !page.with_untracked(|state| state.is_stored(&model)) {
                    look_up(model);
                } else {
                    open(model);
                }
            }
            Err(error) => {
                page.act(|state| state.close_look_up());
                complaint.set(Some(two_sentences(&error.to_string(), error.hint())));
            }
        }
    };
    let ask_typed = move || {
        if let Some(input) = field.get_untracked() {
            ask(&input.value());
        }
    };
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            ask_typed();
        }
    };
    let name = overlay.take_name();
    if let Some(name) = &name {
        ask(name);
    }
    let choose_dtype = move |event| {
        let Ok(chosen) = event_target_value(&event).parse() else {
            return;
        };
        dtype.set(chosen);
        let asked = page
            .with_untracked(|state| state.current_look_up().map(|look_up| look_up.model.clone()));
        if let Some(model) = asked {
            look_up(ModelRef {
                dtype: chosen,
                ..model
            });
        }
    };
    let over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    view! {
        <div class="address-form">
            <label for="model-address">"Any bot or GPT-2, by name"</label>
            <div class="address-row">
                <input id="model-address" class="field" type="text" inputmode="url" placeholder="@jen_122, OWNER/NAME or https://…" autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="model-address-note model-address-error" value=name node_ref=field on:keydown=keys/>
                <select class="field" aria-label="Type: how exactly the model’s numbers are kept" on:change=choose_dtype>
                    {Dtype::ALL.into_iter().map(|choice| view! {
                        <option value=choice.name() selected=move || dtype.get() == choice>{described(choice)}</option>
                    }).collect_view()}
                </select>
                <button type="button" class="button is-primary" data-testid="look-up" disabled=is_asking on:click=move |_| ask_typed()>{move || if is_asking.get() { "Asking …" } else { "Look up" }}</button>
            </div>
            <p class="muted" id="model-address-note">
                "An @ and a handle name a bot; OWNER/NAME is any model on the Hub (huggingface.co), and so is gpt2. "
                "Your browser downloads it from there, or from the server you name, which sees your network address. "
                "It is saved on this device, so you download it only once; you can delete it under Storage."
            </p>
            <p class="setting-error" id="model-address-error" role="alert">{complaint}</p>
            {move || progress.get().map(|text| view! { <p class="muted" role="status">{text}</p> })}
            {move || answer.get().map(|(model, answer)| match answer {
                Ok(offer) => {
                    let name = model.name();
                    let model = StoredValue::new(model);
                    let accept = move |dtype| {
                        open(ModelRef { dtype, ..model.get_value() });
                    };
                    view! { <OfferPanel name offer accept/> }.into_any()
                }
                Err(report) => view! {
                    <p class="setting-error" role="alert">{two_sentences(&report.message, &report.hint)}</p>
                }.into_any(),
            })}
        </div>
        <label class="drop-zone" class:is-over=is_over on:dragover=over on:dragleave=move |_| is_over.set(false) on:drop=move |_| is_over.set(false)>
            <input type="file" multiple accept=".gguf,.safetensors,.bin,.json,.txt,.md" class="visually-hidden" node_ref=picker on:change=picked/>
            <strong>"Or choose a GGUF file"</strong>
            <span class="muted">"or all files of a model’s folder (its config.json, tokenizer and weights). You can also drop the files or the folder anywhere on the page."</span>
        </label>
        <Show when=move || !online.get()>
            <p class="muted" role="note">"You are offline. Saved models and files still open."</p>
        </Show>
        <p class="muted">"A file from your device is read in this tab only and not saved."</p>
        <Show when=move || !is_bundled.get()>
            <p>
                <button type="button" class="button" on:click=move |_| {
                    overlay.close();
                    page.act(|state| state.use_bundled());
                }>"Back to the small model"</button>
            </p>
        </Show>
    }
}

/// A type of weights with its bits per weight.
fn described(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Auto => "Best fit",
        Dtype::Q8_0 => "Q8_0, 8.5 bits",
        Dtype::Q4_0 => "Q4_0, 4.5 bits",
        Dtype::Q4K => "Q4_K, 4.5 bits",
        Dtype::Q6K => "Q6_K, 6.6 bits",
        Dtype::F16 => "F16, 16 bits",
        Dtype::F32 => "F32, 32 bits",
    }
}

fn two_sentences(message: &str, hint: &str) -> String {
    format!("{} {}", sentence(message), sentence(hint))
}
