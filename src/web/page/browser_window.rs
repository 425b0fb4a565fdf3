//! The browser window: its clipboard, scroll position, downloads and network, and the form in which it holds the page.

use gloo::file::ObjectUrl;
use gloo::timers::callback::Timeout;
use js_sys::Reflect;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Element, HtmlElement, ScrollIntoViewOptions};

use crate::web::shared::js_error::{WebError, reason};

/// How long the browser may take to begin to read a saved file, in milliseconds.
const READ_MS: u32 = 60_000;

/// Copies `text`; `false` where the browser has no clipboard for this page or refuses.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Pages without a secure address have no `navigator.clipboard` at all.
    let has_clipboard =
        Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|value| value.is_object());
    has_clipboard
        && JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok()
}

/// Whether the system has a share sheet that this page may open.
pub fn can_share() -> bool {
    let navigator = window().navigator();
    Reflect::get(&navigator, &"share".into()).is_ok_and(|share| share.is_function())
}

/// Opens the system's share sheet with a text and a link; the visitor may close it.
pub fn share(text: &str, url: &str) {
    let navigator = window().navigator();
    let data = js_sys::Object::new();
    // A fresh plain object always takes a new field.
    let _ = Reflect::set(&data, &"text".into(), &text.into());
    let _ = Reflect::set(&data, &"url".into(), &url.into());
    let share = Reflect::get(&navigator, &"share".into());
    let Ok(share) = share.and_then(|share| share.dyn_into::<js_sys::Function>()) else {
        return;
    };
    let asked = share.call1(&navigator, &data);
    if let Ok(asked) = asked.and_then(|asked| asked.dyn_into::<js_sys::Promise>()) {
        leptos::task::spawn_local(async move {
            // Rejected where the visitor closes it.
            let _ = JsFuture::from(asked).await;
        });
    }
}

/// Scrolls to `place` when something comes to stand there, which on a phone may be below the fold.
pub fn scroll_when(is_there: impl Fn() -> bool + 'static, place: NodeRef<html::Div>) {
    Effect::new(move |_| {
        if is_there() {
            request_animation_frame(move || {
                if let Some(place) = place.get_untracked() {
                    scroll_to(&place);
                }
            });
        }
    });
}

/// Moves the focus to the title with this id, for screen readers too.
pub fn focus_title(id: &str) {
    if let Some(title) = document().get_element_by_id(id) {
        // Titles are no stops of the keyboard otherwise.
        let _ = title.set_attribute("tabindex", "-1");
        let _ = title.unchecked_ref::<HtmlElement>().focus();
    }
}

/// Scrolls until `element` is visible; does nothing if it is visible already.
pub fn scroll_to(element: &Element) {
    let options = ScrollIntoViewOptions::new();
    for axis in ["block", "inline"] {
        // A fresh plain object always takes a new field.
        let _ = Reflect::set(&options, &axis.into(), &"nearest".into());
    }
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Saves `blob` as the file `name`, as a link to it would; some browsers ask the visitor where.
///
/// # Errors
/// [`WebError::Read`] if the browser refuses.
pub fn save(blob: Blob, name: &str) -> Result<(), WebError> {
    let refused = |e: JsValue| WebError::Read { reason: reason(&e) };
    let url = ObjectUrl::from(blob);
    let link = document().create_element("a").map_err(refused)?;
    link.set_attribute("href", &url).map_err(refused)?;
    link.set_attribute("download", name).map_err(refused)?;
    link.unchecked_ref::<HtmlElement>().click();
    // No event tells when the browser has read the file.
    Timeout::new(READ_MS, move || drop(url)).forget();
    Ok(())
}

/// Loads the page again. A page that cannot be reloaded stays as it is.
pub fn reload() {
    let _ = window().location().reload();
}

/// Whether the page is `huggingtweets.html`, which holds all its files and needs no host (www/one_file/page.js).
pub fn is_single_file() -> bool {
    Reflect::has(&window(), &JsValue::from_str("huggingtweetsFiles")).unwrap_or(false)
}

/// Whether the browser has a network; a context of every component.
#[derive(Clone, Copy)]
pub struct Online(ReadSignal<bool>);

impl Online {
    /// Follows the browser's reports.
    pub fn follow() -> Online {
        let (is_online, set_online) = signal(window().navigator().on_line());
        window_event_listener(leptos::ev::online, move |_| set_online.set(true));
        window_event_listener(leptos::ev::offline, move |_| set_online.set(false));
        Online(is_online)
    }

    /// Whether there is a network, as far as the browser can tell.
    pub fn get(self) -> bool {
        self.0.get()
    }
}
