//! `Theme`: light, dark or as the system has it, remembered on this device where that is allowed.

use leptos::prelude::*;

use super::kept;

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

/// Name of the entry that keeps it.
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
        let theme = match kept::read(STORAGE_KEY).as_deref() {
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
        kept::write(STORAGE_KEY, (theme != Theme::Auto).then_some(theme.name()));
    }
}
