//! Gives the focus of an element that vanishes to the title of its section, so that the keyboard goes on where it was.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, FocusOptions, HtmlElement, MutationObserver, MutationObserverInit};

/// An element that has the focus, and what it stands in, from the inside to the outside.
struct Focused {
    element: Element,
    around: Vec<Element>,
}

/// Watches the elements in `place`, which stays on the page.
pub fn follow(place: &HtmlElement) {
    let focused = Rc::new(RefCell::new(None::<Focused>));
    let takes = Rc::clone(&focused);
    let outermost = place.clone();
    EventListener::new(place, "focusin", move |event| {
        let element = event.target().and_then(|it| it.dyn_into::<Element>().ok());
        *takes.borrow_mut() = element.map(|element| Focused {
            around: around(&element, &outermost),
            element,
        });
    })
    .forget();
    let loses = Rc::clone(&focused);
    EventListener::new(place, "focusout", move |_| {
        let loses = Rc::clone(&loses);
        // Some browsers tell it of an element that is about to vanish, and of one whose window is left.
        Timeout::new(0, move || {
            let active = document().active_element();
            loses.borrow_mut().take_if(|focused| {
                focused.element.is_connected() && active.as_ref() != Some(&focused.element)
            });
        })
        .forget();
    })
    .forget();
    let changed = Closure::<dyn FnMut()>::new(move || {
        let vanished = focused
            .borrow_mut()
            .take_if(|focused| !focused.element.is_connected());
        // The focus may have been given to another element.
        if let Some(vanished) = vanished
            && document()
                .active_element()
                .is_none_or(|it| it.tag_name() == "BODY")
        {
            focus_title(&vanished.around);
        }
    });
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    options.set_subtree(true);
    // An observer is made of any function, and observes any element.
    if let Ok(observer) = MutationObserver::new(changed.as_ref().unchecked_ref()) {
        let _ = observer.observe_with_options(place, &options);
    }
    // As long as the page.
    changed.forget();
}

/// The elements around one, up to `outermost`.
fn around(element: &Element, outermost: &Element) -> Vec<Element> {
    let around = std::iter::successors(element.parent_element(), |it| {
        it.parent_element().filter(|_| it != outermost)
    });
    around.collect()
}

/// Gives the focus to the first title in the innermost element that is there, without a jump of the page.
fn focus_title(around: &[Element]) {
    let there = around.iter().filter(|it| it.is_connected());
    let title = there
        .filter_map(|it| it.query_selector("h1, h2").ok()?)
        .next();
    if let Some(title) = title {
        // Titles are no stops of the keyboard otherwise.
        let _ = title.set_attribute("tabindex", "-1");
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        let title = title.unchecked_ref::<HtmlElement>();
        let _ = title.focus_with_options(&options);
    }
}
