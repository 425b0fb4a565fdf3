//! `OfferPanel`: what fetching a model costs, and the button that says so.

use leptos::prelude::*;

use crate::state::figures;
use crate::web::lookup::Offer;

/// The panel.
#[component]
pub fn OfferPanel(
    /// `OWNER/NAME`.
    name: String,
    /// The figures.
    offer: Offer,
    /// Fetches it.
    accept: impl Fn() + 'static,
) -> impl IntoView {
    let Offer {
        fetch_bytes,
        keep_bytes,
        free_bytes,
        memory_bytes,
        saves_data,
    } = offer;
    let keep = keep_bytes.map(|bytes| {
        format!(
            " It will take about {} on this device, and as much memory while it is open.",
            figures::bytes(bytes)
        )
    });
    let free = free_bytes
        .map(|bytes| format!(" The browser has room for {} more.", figures::bytes(bytes)));
    // Half of the memory is what a page can hope for.
    let is_tight = keep_bytes
        .zip(memory_bytes)
        .is_some_and(|(keep, memory)| keep > memory / 2);
    let is_too_much = keep_bytes
        .zip(free_bytes)
        .is_some_and(|(keep, free)| keep > free);
    let button = match fetch_bytes {
        Some(bytes) => format!("Fetch {}", figures::bytes(bytes)),
        None => "Fetch it, whatever its size".to_owned(),
    };
    view! {
        <div class="offer" role="status">
            <p><strong>{name}</strong>" is there."{keep}{free}</p>
            {is_tight.then(|| view! { <p>"That is much for the memory of this device. Q4_0 needs about half."</p> })}
            {is_too_much.then(|| view! { <p>"It may not fit what the browser stores for a page. Q4_0 needs about half; or delete models under Storage."</p> })}
            {saves_data.then(|| view! { <p>"You asked your browser to save data."</p> })}
            <button type="button" class="button is-primary" on:click=move |_| accept()>{button}</button>
        </div>
    }
}
