//! The program of the maker: its view, in the element that the page has for it.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::components::avatar::Pictures;
use super::components::maker::MakerView;
use super::lost_focus;
use super::maker::Maker;
use super::maker_door::PLACE;
use super::maker_drop;
use super::trainer::Trainer;

/// Draws the maker, and reads what is dropped on the page while it is open.
pub fn start() {
    let Some(place) = document().get_element_by_id(PLACE) else {
        return;
    };
    // What the page shows there until now.
    place.set_text_content(None);
    let place = place.unchecked_into::<HtmlElement>();
    lost_focus::follow(&place);
    let view = || {
        let maker = Maker::start();
        let trainer = Trainer::start();
        provide_context(maker);
        provide_context(trainer);
        let name = maker.memo(|state| state.name.clone());
        Effect::new(move |_| trainer.follow(name.get()));
        provide_context(Pictures::drawn());
        maker_drop::follow(maker);
        view! { <MakerView/> }
    };
    leptos::mount::mount_to(place, view).forget();
}
