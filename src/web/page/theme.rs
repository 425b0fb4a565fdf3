//! `Theme`: light, dark or as the system, remembered on this device.

use leptos::prelude::*;

use super::local_storage;

/// The colours of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// The system's choice of light or dark.
    Auto,
    /// Dark text on paper.
    Light,
    /// Light text on night.
    Dark,
}

/// Name of the entry in local storage.
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

    /// The next theme of the toggle.
    pub fn next(self) -> Theme {
        match self {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Auto,
        }
    }
}

/// The visitor's theme; a context of every component.
#[derive(Clone, Copy)]
pub struct ThemeChoice(RwSignal<Theme>);

impl ThemeChoice {
    /// Shows the page in the remembered theme.
    pub fn start() -> ThemeChoice {
        let theme = match local_storage::read(STORAGE_KEY).as_deref() {
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
        ThemeChoice(signal)
    }

    /// The theme of the page.
    pub fn get(self) -> Theme {
        self.0.get()
    }

    /// Changes the theme and remembers it; for `Auto` nothing is stored.
    pub fn choose(self, theme: Theme) {
        self.0.set(theme);
        local_storage::write(STORAGE_KEY, (theme != Theme::Auto).then_some(theme.name()));
    }
}
