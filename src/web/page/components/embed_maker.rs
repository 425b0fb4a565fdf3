//! `EmbedMaker`: the dialog that writes the code with which other sites show a bot, and shows it at work.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::bot::{self, Bot};
use crate::state::embed_code::{EmbedLoad, EmbedTheme, Embedding, Example, Form};
use crate::web::page::address;
use crate::web::page::context::{Page, today};

use super::copy_button::CopyButton;
use super::dialog::{Dialog, View};

/// Height of the frame, unless changed: at a width of 360, room for the header, the prompt and two texts. A frame without
/// a script does not grow; it scrolls.
const HEIGHT: u32 = 840;

/// The dialog.
#[component]
pub fn EmbedMaker() -> impl IntoView {
    view! {
        <Dialog view=View::Embed title="Embed a bot" testid="embed-maker">
            <EmbedBody/>
        </Dialog>
    }
}

#[component]
fn EmbedBody() -> impl IntoView {
    let page = Page::here();
    // Other sites cannot show the bots of this device.
    let bots = page.with_untracked(|state| {
        let bots = state.bots().iter().enumerate();
        let bots = bots.filter(|(_, bot)| Bot::folder_here(&bot.repo).is_none());
        let named = bots.map(|(index, bot)| (index, format!("@{}", bot.card.handle)));
        named.collect::<Vec<_>>()
    });
    let open = page.with_untracked(|state| state.selected());
    let is_offered = |open: &usize| bots.iter().any(|(index, _)| index == open);
    let first = bots.first().map_or(0, |(index, _)| *index);
    let bot = RwSignal::new(open.filter(is_offered).unwrap_or(first));
    let form = RwSignal::new(Form::Element);
    let prompt = RwSignal::new(page.with_untracked(|state| state.texts().prompt.clone()));
    let width = RwSignal::new(String::new());
    let height = RwSignal::new(HEIGHT.to_string());
    let theme = RwSignal::new(EmbedTheme::default());
    let load = RwSignal::new(EmbedLoad::default());
    let date = today();
    let written = page.memo(move |state| state.examples(bot.get(), &date));
    let chosen = RwSignal::new(Vec::<String>::new());
    let embedding = Memo::new(move |_| Embedding {
        bot: page.with(|state| {
            state
                .bots()
                .get(bot.get())
                .map(|bot| bot.repo.clone())
                .unwrap_or_default()
        }),
        prompt: prompt.get(),
        width: number(&width.get()),
        height: number(&height.get()).unwrap_or(HEIGHT),
        theme: theme.get(),
        load: load.get(),
        examples: written
            .get()
            .into_iter()
            .filter(|example| chosen.with(|chosen| chosen.contains(&example.text)))
            .collect(),
    });
    let base = address::folder().unwrap_or_default();
    let code = Memo::new(move |_| embedding.with(|embedding| embedding.code(form.get(), &base)));
    let is = move |wanted: Form| form.get() == wanted;
    // Only the bots that the page comes with have a page of their own.
    let has_page = Memo::new(move |_| {
        embedding.with(|it| bot::bundled().iter().any(|bot| bot.repo == it.bot))
    });
    Effect::new(move |_| {
        if !has_page.get() && form.get_untracked() == Form::Address {
            form.set(Form::Element);
        }
    });
    view! {
        <div class="embed-choices">
            <Choice id="embed-bot" label="Bot" options=bots chosen=bot/>
            <label for="embed-prompt">"Prompt"</label>
            <input id="embed-prompt" class="field" dir="auto" prop:value=prompt on:input:target=move |event| prompt.set(event.target().value())/>
            <label for="embed-width">"Width"</label>
            <input id="embed-width" class="field" inputmode="numeric" placeholder="as wide as there is room" prop:value=width on:input:target=move |event| width.set(event.target().value())/>
            <Show when=move || is(Form::Frame)>
                <label for="embed-height">"Height"</label>
                <input id="embed-height" class="field" inputmode="numeric" prop:value=height on:input:target=move |event| height.set(event.target().value())/>
            </Show>
            <Choice id="embed-theme" label="Colours" options=EmbedTheme::ALL.into_iter().zip(["as the page around it", "light", "dark"]).map(|(theme, words)| (theme, words.to_owned())).collect() chosen=theme/>
            <Show when=move || is(Form::Element)>
                <Choice id="embed-load" label="Loads" options=EmbedLoad::ALL.into_iter().zip(["when a reader presses its button", "when it is scrolled into view", "with the page around it"]).map(|(load, words)| (load, words.to_owned())).collect() chosen=load/>
            </Show>
        </div>
        <Show when=move || is(Form::Element)>
            <Examples written chosen/>
        </Show>
        <div class="tabs" role="group" aria-label="Form of the code">
            {Form::ALL.map(|this| view! {
                <button type="button" class="tab" disabled=move || this == Form::Address && !has_page.get() aria-pressed=move || (form.get() == this).to_string()
                    on:click=move |_| form.set(this)>{this.name()}</button>
            }).collect_view()}
        </div>
        <p class="muted embed-note">{move || form.get().note()}</p>
        <div class="code">
            <CopyButton text=move || code.get_untracked() label="Copy this code"/>
            <pre tabindex="0"><code data-testid="embed-code">{code}</code></pre>
        </div>
        <Live embedding form/>
    }
}

/// A list to choose from.
#[component]
fn Choice<T: Copy + PartialEq + Send + Sync + 'static>(
    id: &'static str,
    label: &'static str,
    options: Vec<(T, String)>,
    chosen: RwSignal<T>,
) -> impl IntoView {
    let values: Vec<T> = options.iter().map(|(value, _)| *value).collect();
    let choose = move |event| {
        let index: Option<usize> = event_target_value(&event).parse().ok();
        if let Some(value) = index.and_then(|index| values.get(index)) {
            chosen.set(*value);
        }
    };
    view! {
        <label for=id>{label}</label>
        <select id=id class="field" on:change=choose>
            {options.into_iter().enumerate().map(|(i, (value, words))| view! {
                <option value=i.to_string() selected=move || chosen.get() == value>{words}</option>
            }).collect_view()}
        </select>
    }
}

/// The texts of this page that readers can see before anything runs.
#[component]
fn Examples(written: Memo<Vec<Example>>, chosen: RwSignal<Vec<String>>) -> impl IntoView {
    let choose = move |text: &str, is_on: bool| {
        chosen.update(|chosen| {
            chosen.retain(|known| known != text);
            if is_on {
                chosen.push(text.to_owned());
            }
        });
    };
    view! {
        <fieldset class="embed-examples">
            <legend>"Example texts"</legend>
            <Show when=move || written.with(|written| !written.is_empty())
                fallback=|| view! { <p class="muted">"Let this bot write first: only texts from this page can be examples."</p> }>
                {move || written.get().into_iter().map(|example| {
                    let (text, shown) = (example.text.clone(), example.text.clone());
                    let known = example.text;
                    view! {
                        <label class="embed-example">
                            <input type="checkbox" prop:checked=move || chosen.with(|chosen| chosen.contains(&known))
                                on:change:target=move |event| choose(&text, event.target().checked())/>
                            <span dir="auto">{shown}</span>
                        </label>
                    }
                }).collect_view()}
            </Show>
        </fieldset>
    }
}

/// The embedding at work, once the visitor asks for it.
#[component]
fn Live(embedding: Memo<Embedding>, form: RwSignal<Form>) -> impl IntoView {
    let is_on = RwSignal::new(false);
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let (embedding, form) = (embedding.get(), form.get());
        let Some(place) = place.get().filter(|_| is_on.get()) else {
            return;
        };
        place.set_text_content(None);
        let drawn = match form {
            Form::Element => element(&embedding),
            Form::Frame => frame(&embedding),
            Form::Address => None,
        };
        if let Some(drawn) = drawn {
            let _ = place.append_child(&drawn);
        }
    });
    view! {
        <Show when=move || form.get() != Form::Address>
            <p><button type="button" class="button" aria-pressed=move || is_on.get().to_string() on:click=move |_| is_on.update(|on| *on = !*on)>
                {move || if is_on.get() { "Hide it" } else { "See it live" }}
            </button></p>
            <Show when=move || is_on.get()>
                <div class="embed-live" data-testid="embed-live" node_ref=place></div>
            </Show>
        </Show>
    }
}

/// The element with its attributes and examples. Its script comes once.
fn element(embedding: &Embedding) -> Option<HtmlElement> {
    const SCRIPT: &str = "embed-script";
    if document().get_element_by_id(SCRIPT).is_none() {
        let script = made("script", &[("id", SCRIPT), ("type", "module")])?;
        script
            .set_attribute("src", &address::own_file("embed.js")?)
            .ok()?;
        document().head()?.append_child(&script).ok()?;
    }
    let mut attributes = vec![("bot", embedding.bot.as_str())];
    if !embedding.prompt.is_empty() {
        attributes.push(("text", &embedding.prompt));
    }
    attributes.push(("theme", embedding.theme.name()));
    attributes.push(("load", embedding.load.name()));
    let element = made("huggingtweets-bot", &attributes)?;
    if let Some(width) = embedding.width {
        let _ = element
            .style()
            .set_property("max-width", &format!("{width}px"));
    }
    for example in &embedding.examples {
        let quote = made("blockquote", &[])?;
        let text = made("p", &[("dir", "auto")])?;
        text.set_text_content(Some(&example.text));
        let foot = made("footer", &[])?;
        foot.set_text_content(Some(&example.mark()));
        quote.append_child(&text).ok()?;
        quote.append_child(&foot).ok()?;
        element.append_child(&quote).ok()?;
    }
    Some(element)
}

fn frame(embedding: &Embedding) -> Option<HtmlElement> {
    let src = embedding.frame_address(&address::folder()?);
    let height = embedding.height.to_string();
    let width = embedding
        .width
        .map_or("100%".to_owned(), |width| width.to_string());
    made(
        "iframe",
        &[
            ("src", &src),
            ("title", "The bot in a frame"),
            ("width", &width),
            ("height", &height),
        ],
    )
}

fn made(name: &str, attributes: &[(&str, &str)]) -> Option<HtmlElement> {
    let element = document().create_element(name).ok()?;
    for (name, value) in attributes {
        element.set_attribute(name, value).ok()?;
    }
    Some(element.unchecked_into())
}

/// A number of pixels between those of a watch and of a wall.
fn number(text: &str) -> Option<u32> {
    text.trim()
        .parse()
        .ok()
        .filter(|n| (100..=4000).contains(n))
}
