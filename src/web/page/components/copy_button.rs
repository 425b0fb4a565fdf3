//! `CopyButton`: copies a text, and confirms it for a moment.

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::web::page::browser_window;

use super::icon::{Drawing, Icon};

/// How long the confirmation stays, in milliseconds.
const CONFIRMATION_MS: u32 = 1600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyStatus {
    Waiting,
    Copied,
    Refused,
}

/// The button.
#[component]
pub fn CopyButton(
    /// Gives the text, when the button is pressed.
    text: impl Fn() -> String + Send + Sync + 'static,
    /// The button's name for screen readers, such as "Copy this tweet".
    label: &'static str,
) -> impl IntoView {
    let status = RwSignal::new(CopyStatus::Waiting);
    let press = move |_| {
        let text = text();
        spawn_local(async move {
            let copied = browser_window::copy(&text).await;
            status.set(if copied {
                CopyStatus::Copied
            } else {
                CopyStatus::Refused
            });
            // The button may have been removed by then.
            Timeout::new(CONFIRMATION_MS, move || {
                status.try_set(CopyStatus::Waiting);
            })
            .forget();
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
