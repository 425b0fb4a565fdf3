//! `CopyButton`: copies a text and says for a moment that it did.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::web::page::clipboard;

use super::icon::{Drawing, Icon};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyStatus {
    Waiting,
    Copied,
    Refused,
}

/// A button that copies.
#[component]
pub fn CopyButton(
    /// What is copied; asked for when pressed.
    text: impl Fn() -> String + Send + Sync + 'static,
    /// What a screen reader says, such as "Copy this tweet".
    label: &'static str,
) -> impl IntoView {
    let status = RwSignal::new(CopyStatus::Waiting);
    let press = move |_| {
        let text = text();
        spawn_local(async move {
            let copied = clipboard::copy(&text).await;
            status.set(if copied {
                CopyStatus::Copied
            } else {
                CopyStatus::Refused
            });
            set_timeout(
                move || {
                    status.try_set(CopyStatus::Waiting);
                },
                Duration::from_millis(1600),
            );
        });
    };
    view! {
        <button type="button" class="tool-button" aria-label=label on:click=press>
            {move || match status.get() {
                CopyStatus::Waiting => view! { <Drawing icon=Icon::Copy/><span>"Copy"</span> }.into_any(),
                CopyStatus::Copied => view! { <Drawing icon=Icon::Check/><span>"Copied"</span> }.into_any(),
                CopyStatus::Refused => view! { <Drawing icon=Icon::Warning/><span>"Select it by hand"</span> }.into_any(),
            }}
        </button>
    }
}
