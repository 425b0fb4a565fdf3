//! `OutwardLink`: a link that leaves the page, with the host that it leads to.

use leptos::prelude::*;

use crate::state::wording::host_of;

use super::icon::{Drawing, Icon};

/// The link.
#[component]
pub fn OutwardLink(
    /// Absolute address.
    #[prop(into)]
    url: String,
    /// Its text.
    text: &'static str,
) -> impl IntoView {
    let host = host_of(&url).to_owned();
    view! {
        <a class="outward" href=url rel="noopener noreferrer">
            <span>{text}</span>
            <span class="outward-host"><Drawing icon=Icon::Leave/>{host}</span>
        </a>
    }
}
