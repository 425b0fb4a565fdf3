//! `MakerDoor`: opens the maker, whose program is loaded when it opens for the first time.

use gloo::events::EventListener;
use leptos::prelude::*;

use super::address;

/// The fragment of the page's address while the maker is open.
pub const FRAGMENT: &str = "#make";
/// The element that the maker's program fills.
pub const PLACE: &str = "maker";
/// What stands there until the maker does.
const MESSAGE: &str = "#maker .message";
/// The script that starts the maker's program, beside the page.
const SCRIPT: &str = "maker_start.js";

/// Whether the maker is open, by the page's address.
#[derive(Clone, Copy)]
pub struct MakerDoor(RwSignal<bool>);

impl MakerDoor {
    /// Follows the address.
    pub fn start() -> Self {
        let is_open = RwSignal::new(is_asked());
        window_event_listener(leptos::ev::hashchange, move |_| is_open.set(is_asked()));
        Effect::new(move |_| {
            if is_open.get() {
                load();
            }
        });
        Self(is_open)
    }

    /// Whether it is open.
    pub fn is_open(self) -> bool {
        self.0.get()
    }
}

/// Whether the address asks for the maker.
pub fn is_asked() -> bool {
    rest_of_fragment().is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// The bot that the address asks for.
pub fn asked_bot() -> Option<String> {
    rest_of_fragment()?.strip_prefix('=').map(str::to_owned)
}

/// The fragment for a bot that is being made.
pub fn fragment_of(bot: &str) -> String {
    format!("{FRAGMENT}={bot}")
}

fn rest_of_fragment() -> Option<String> {
    let fragment = window().location().hash().ok()?;
    fragment.strip_prefix(FRAGMENT).map(str::to_owned)
}

/// Adds the script that starts the program, once.
fn load() {
    const ID: &str = "maker-script";
    if document().get_element_by_id(ID).is_some() {
        return;
    }
    let Some(address) = address::own_file(SCRIPT) else {
        return;
    };
    let Ok(script) = document().create_element("script") else {
        return;
    };
    for (name, value) in [("id", ID), ("type", "module"), ("src", &address)] {
        let _ = script.set_attribute(name, value);
    }
    EventListener::once(&script, "error", |_| {
        if let Ok(Some(message)) = document().query_selector(MESSAGE) {
            // Browsers remember a module that did not come, so another try is for a new page.
            let text = "The maker did not load. Check your connection, then reload the page.";
            message.set_text_content(Some(text));
        }
    })
    .forget();
    if let Some(head) = document().head() {
        let _ = head.append_child(&script);
    }
}
