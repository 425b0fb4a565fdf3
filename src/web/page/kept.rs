//! What this page keeps on the device between visits: a few short entries, each under its own name.

use leptos::prelude::window;

/// The entry of this name, if anything can be kept and it is.
pub fn read(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Keeps an entry, or with `None` forgets it. Storage may be switched off or full: the value then
/// lasts as long as the page.
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
