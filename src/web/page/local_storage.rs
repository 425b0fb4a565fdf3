//! Local storage: a few short entries that stay on the device between visits, each under its own name.
//!
//! `gloo::storage` does not fit: it panics where the browser refuses storage (blocked cookies, sandboxed frames), and
//! writes JSON where index.html reads plain text.

use leptos::prelude::window;

/// The entry of this name; `None` if it is absent or the browser refuses storage.
pub fn read(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Writes an entry, or deletes it for `None`. Where storage is refused or full, the value is lost with the page.
pub fn write(name: &str, value: Option<&str>) {
    if let Some(storage) = storage() {
        let _ = match value {
            Some(value) => storage.set_item(name, value),
            None => storage.remove_item(name),
        };
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}
