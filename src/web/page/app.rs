//! `App`: the page as a whole.

use leptos::prelude::*;
use web_sys::Event;

use super::browser_window::Online;
use super::components::about::About;
use super::components::avatar::Pictures;
use super::components::bot_header::BotHeader;
use super::components::card_body::CardBody;
use super::components::dialog::Overlay;
use super::components::embed_maker::EmbedMaker;
use super::components::gallery::Gallery;
use super::components::open_model::OpenModel;
use super::components::share_dialog::ShareDialog;
use super::components::storage_view::StorageView;
use super::components::top_bar::TopBar;
use super::components::update_bar::UpdateBar;
use super::components::widget::Widget;
use super::context::Page;
use super::document_state;
use super::dropped_files;
use super::first_state::first_state;
use super::frame::{self, FrameView};
use super::history;
use super::launch_queue;
use super::made_bot;
use super::maker_door::{MakerDoor, PLACE};
use super::page_updates::PageUpdates;
use super::service_worker_switch::ServiceWorkerSwitch;
use super::stored_models;
use super::theme::ThemeChoice;

/// The page: bar, gallery, and the open bot with its widget and card; or the maker.
#[component]
pub fn App() -> impl IntoView {
    let state = first_state();
    let page = Page::start(state);
    provide_context(page);
    provide_context(ThemeChoice::start());
    let switch = ServiceWorkerSwitch::start();
    provide_context(switch);
    provide_context(Online::follow());
    provide_context(PageUpdates::start(page, switch));
    launch_queue::follow(page);
    made_bot::follow(page);
    let overlay = Overlay::closed();
    provide_context(overlay);
    let maker = MakerDoor::start();
    dropped_files::follow(page, overlay);
    provide_context(Pictures::drawn());
    history::follow(page);
    history::keep_recipe(page);
    stored_models::refresh(page);

    document_state::follow(page);

    view! {
        <a class="skip" href="#prompt" hidden=move || maker.is_open()>"Skip to the prompt"</a>
        <TopBar/>
        <Show when=move || !maker.is_open()>
            <Bots/>
        </Show>
        <div id=PLACE hidden=move || !maker.is_open()><p class="message">"The maker is being loaded …"</p></div>
        <OpenModel/>
        <StorageView/>
        <About/>
        <ShareDialog/>
        <EmbedMaker/>
        <UpdateBar/>
    }
}

/// The gallery, and the open bot.
#[component]
fn Bots() -> impl IntoView {
    view! {
        <section class="what-is-this" aria-label="What this is">
            <p>"Bots that imitate Twitter accounts. They write on your own device; nothing you type leaves it."</p>
        </section>
        <Gallery/>
        <main class="bot-page">
            <BotHeader/>
            <Widget/>
            <CardBody/>
        </main>
    }
}

/// Puts the page, or its view in a frame, in place of what index.html shows until then: the page as the build has drawn
/// it, or the skeleton.
pub fn start() {
    let before = ["skeleton", "still"].map(|id| document().get_element_by_id(id));
    if frame::is_asked() {
        leptos::mount::mount_to_body(FrameView);
    } else {
        leptos::mount::mount_to_body(App);
    }
    for element in before.into_iter().flatten() {
        // `start.js` then passes on what the visitor did on the drawn page.
        if let Ok(event) = Event::new("replaced") {
            let _ = element.dispatch_event(&event);
        }
        element.remove();
    }
}
