//! `Theme`: light, dark or as the system has it, remembered on this device where that is allowed.

use leptos::prelude::*;

/// Which colours the page wears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system.
    Auto,
    /// Dark text on paper.
    Light,
    /// Light text on night.
    Dark,
}

/// Name of the one entry this page keeps.
pub const STORAGE_KEY: &str = "huggingtweets-theme";

impl Theme {
    /// Its name in `data-theme` and in storage.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The one that the toggle comes to after this one.
    pub fn next(self) -> Theme {
        match self {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Auto,
        }
    }
}

/// The theme on show; [`keep`](KeptTheme::keep) changes it.
#[derive(Clone, Copy)]
pub struct KeptTheme(RwSignal<Theme>);

impl KeptTheme {
    /// Reads what was kept and dresses the page in it.
    pub fn start() -> KeptTheme {
        let theme = match kept().as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::Auto,
        };
        let signal = RwSignal::new(theme);
        Effect::new(move |_| {
            if let Some(root) = document().document_element() {
                let _ = root.set_attribute("data-theme", signal.get().name());
            }
        });
        KeptTheme(signal)
    }

    /// The theme on show.
    pub fn get(self) -> Theme {
        self.0.get()
    }

    /// Changes it and remembers the choice; `Auto` is remembered by keeping nothing.
    pub fn keep(self, theme: Theme) {
        self.0.set(theme);
        // Storage may be switched off or full; the theme then lasts as long as the page.
        if let Some(storage) = storage() {
            let _ = match theme {
                Theme::Auto => storage.remove_item(STORAGE_KEY),
                _ => storage.set_item(STORAGE_KEY, theme.name()),
            };
        }
    }
}

/// What is kept on this device, if anything can be and is.
pub fn kept() -> Option<String> {
    storage()?.get_item(STORAGE_KEY).ok()?
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}
