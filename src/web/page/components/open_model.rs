//! `OpenModel`: a GGUF from the visitor's device or from an address.

use leptos::ev::{DragEvent, SubmitEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::hub::{Dtype, Endpoint, ModelAddress};
use crate::web::page::address;
use crate::web::page::context::Page;
use crate::web::page::lookup::{Found, look_up};
use crate::web::page::offline::Offline;

use super::dialog::{Dialog, Overlay, View};
use super::offer_panel::OfferPanel;

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
    let complaint = RwSignal::new(None::<String>);
    let dtype = RwSignal::new(Dtype::Auto);
    let found = RwSignal::new(None::<(ModelAddress, Endpoint, Found)>);
    let is_asking = RwSignal::new(false);
    let is_over = RwSignal::new(false);
    let is_bundled = page.memo(|state| state.is_bundled());

    let picked = move |_| {
        let files = picker.get_untracked().and_then(|input| input.files());
        let files: Vec<_> = files
            .iter()
            .flat_map(|files| (0..files.length()).filter_map(|i| files.get(i)))
            .collect();
        if !files.is_empty() {
            overlay.close();
            page.open_files(files);
        }
    };
    let ask = move |typed: &str| {
        found.set(None);
        let endpoint = page.with_untracked(|state| state.endpoint().clone());
        match ModelAddress::parse(typed, &endpoint) {
            Ok(asked) => {
                let dtype = dtype.get_untracked();
                let choice = address::choice(&asked, &endpoint, dtype);
                if page.with_untracked(|state| state.is_kept(&choice)) {
                    overlay.close();
                    page.act(|state| state.open_model(choice));
                    return;
                }
                match asked {
                    ModelAddress::Repository {
                        ref repo,
                        file: None,
                    } => {
                        complaint.set(None);
                        is_asking.set(true);
                        let repo = repo.clone();
                        spawn_local(async move {
                            let answer = look_up(&endpoint, &repo).await;
                            // The dialog may be closed by now.
                            let _ = is_asking.try_set(false);
                            let _ = match answer {
                                Ok(it) => found.try_set(Some((asked, endpoint, it))).is_some(),
                                Err(error) => complaint.try_set(Some(sentence(&error))).is_some(),
                            };
                        });
                    }
                    // Nothing lists what lies anywhere on the web.
                    _ => {
                        overlay.close();
                        page.act(|state| state.open_model(choice));
                    }
                }
            }
            Err(error) => complaint.set(Some(sentence(&error.to_string()))),
        }
    };
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(input) = field.get_untracked() {
            ask(&input.value());
        }
    };
    let wish = overlay.take_wish();
    if let Some(wish) = &wish {
        ask(wish);
    }
    let typed_dtype = move |event| {
        if let Ok(choice) = event_target_value(&event).parse() {
            dtype.set(choice);
        }
    };
    let over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    view! {
        <form class="address-form" on:submit=submitted novalidate>
            <label for="model-address">"Any bot or GPT-2, by name"</label>
            <div class="address-row">
                <input id="model-address" class="field" type="text" inputmode="url" placeholder="@jen_122, OWNER/NAME or https://…" autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="model-address-note model-address-error" value=wish node_ref=field/>
                <select class="field" aria-label="Type of the weights" on:change=typed_dtype>
                    {Dtype::ALL.into_iter().map(|choice| view! {
                        <option value=choice.name() selected=move || dtype.get() == choice>{described(choice)}</option>
                    }).collect_view()}
                </select>
                <button type="submit" class="button is-primary" disabled=is_asking>{move || if is_asking.get() { "Asking …" } else { "Look up" }}</button>
            </div>
            <p class="muted" id="model-address-note">
                "Your browser fetches it from the Hub, or from the host you name, which sees the visit. It is kept on this device, so that it comes once; Storage lists it and deletes it."
            </p>
            <p class="setting-error" id="model-address-error" role="alert">{complaint}</p>
            {move || found.get().map(|(asked, endpoint, found)| {
                let dtype = dtype.get();
                let name = address::choice(&asked, &endpoint, dtype).name;
                let offer = match found.offer(dtype) {
                    Ok(offer) => offer,
                    Err(error) => return view! { <p class="setting-error" role="alert">{sentence(&error)}</p> }.into_any(),
                };
                let source = StoredValue::new((asked, endpoint));
                let accept = move |dtype| {
                    overlay.close();
                    let choice = source.with_value(|(asked, endpoint)| address::choice(asked, endpoint, dtype));
                    page.act(|state| state.open_model(choice));
                };
                view! { <OfferPanel name=name offer=offer saves_data=found.saves_data accept=accept/> }.into_any()
            })}
        </form>
        <label class="drop-zone" class:is-over=is_over on:dragover=over on:dragleave=move |_| is_over.set(false) on:drop=move |_| is_over.set(false)>
            <input type="file" multiple accept=".gguf,.safetensors,.bin,.json,.txt,.md" class="visually-hidden" node_ref=picker on:change=picked/>
            <strong>"Or choose a GGUF file"</strong>
            <span class="muted">"or all files of a model folder (config.json, tokenizer, weights), or drop them or the folder anywhere on the page"</span>
        </label>
        <Show when=move || !offline.is_online()>
            <p class="muted" role="note">"There is no network now: what is kept on this device opens all the same, and so does a file."</p>
        </Show>
        <p class="muted">"A file from your device is read in this tab only and not kept."</p>
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

/// What a type costs and gives, in the words of a menu.
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

/// An error's text as a sentence on the page.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    let text: String = first.chain(chars).collect();
    if text.ends_with('.') {
        text
    } else {
        text + "."
    }
}
