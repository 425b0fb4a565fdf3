//! `App`: the page as a whole.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::bot;
use crate::state::PageState;

use super::address;
use super::browser_window::Online;
use super::components::about::About;
use super::components::avatar::Pictures;
use super::components::bot_header::BotHeader;
use super::components::card_body::CardBody;
use super::components::dialog::Overlay;
use super::components::gallery::Gallery;
use super::components::open_model::OpenModel;
use super::components::storage_view::StorageView;
use super::components::top_bar::TopBar;
use super::components::update_bar::UpdateBar;
use super::components::widget::Widget;
use super::context::Page;
use super::dropped_files;
use super::history;
use super::launch_queue;
use super::page_updates::PageUpdates;
use super::service_worker_switch::ServiceWorkerSwitch;
use super::stored_models;
use super::theme::ThemeChoice;

/// The page: bar, gallery, and the open bot with its widget and card.
#[component]
pub fn App() -> impl IntoView {
    let (asked, model) = address::read();
    let state = PageState::new(
        bot::bundled().to_vec(),
        address::bundled_model(),
        &asked,
        model,
    );
    let page = Page::start(state);
    provide_context(page);
    provide_context(ThemeChoice::start());
    let switch = ServiceWorkerSwitch::start();
    provide_context(switch);
    provide_context(Online::follow());
    provide_context(PageUpdates::start(page, switch));
    launch_queue::follow(page);
    let overlay = Overlay::closed();
    provide_context(overlay);
    dropped_files::follow(page, overlay);
    provide_context(Pictures::drawn());
    history::follow(page);
    stored_models::refresh(page);

    let hue = page.memo(|state| bot::hue(state.speaker().colour_key()));
    let title = page.memo(|state| state.speaker().title());
    let phase = page.memo(|state| state.phase().name());
    Effect::new(move |_| document().set_title(&title.get()));
    Effect::new(move |_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-state", phase.get());
            // Not by the attribute, which a strict security policy forbids.
            let root: HtmlElement = root.unchecked_into();
            let _ = root.style().set_property("--hue", &hue.get().to_string());
        }
    });

    view! {
        <a class="skip" href="#prompt">"Skip to the prompt"</a>
        <TopBar/>
        <p class="what-is-this">"Bots that imitate Twitter accounts. They write on your own device; nothing you type leaves it."</p>
        <Gallery/>
        <main class="bot-page">
            <BotHeader/>
            <Widget/>
            <CardBody/>
        </main>
        <OpenModel/>
        <StorageView/>
        <About/>
        <UpdateBar/>
    }
}

/// Puts the page in place of the skeleton in index.html.
pub fn start() {
    if let Some(skeleton) = document().get_element_by_id("skeleton") {
        skeleton.remove();
    }
    leptos::mount::mount_to_body(App);
}
