//! `OfferPanel`: a model's costs in each type, and the buttons that download it.

use leptos::prelude::*;

use crate::hub::{Dtype, Offer, Shortage, TypeOffer};
use crate::state::offer_words::OfferWords;
use crate::state::wording;
use crate::web::page::device;

/// The panel.
#[component]
pub fn OfferPanel(
    /// `OWNER/NAME`, or the name of a file.
    name: String,
    /// The costs.
    offer: Offer,
    /// Downloads the model in a type.
    accept: impl Fn(Dtype) + Copy + 'static,
) -> impl IntoView {
    let words = OfferWords::new(&offer);
    let Offer {
        wanted,
        types,
        fallback,
        ..
    } = offer;
    // A download that cannot work is not offered.
    let is_possible = wanted.shortage != Some(Shortage::AddressSpace);
    let has_types = !types.is_empty();
    view! {
        <div class="offer" role="status" data-testid="offer">
            <p><strong><bdi>{name}</bdi></strong>" was found. "{words.cost}</p>
            {words.warning.map(|warning| view! { <p role="alert">{warning}</p> })}
            {device::saves_data().then(|| view! { <p>"You asked your browser to save data."</p> })}
            <div class="button-row">
                {fallback.map(|fallback| view! {
                    <button type="button" class="button is-primary" on:click=move |_| accept(fallback.dtype)>
                        {format!("{} as {}", button_text(fallback), wording::dtype(fallback.dtype.name()))}
                    </button>
                })}
                {is_possible.then(|| view! {
                    <button type="button" class="button" class:is-primary=wanted.shortage.is_none() on:click=move |_| accept(wanted.dtype)>
                        {button_text(wanted)}{wanted.shortage.is_some().then_some(" anyway")}
                    </button>
                })}
            </div>
            {has_types.then(|| view! { <details>
                <summary>"Smaller or more exact: all sizes"</summary>
                <div class="table-scroll" tabindex="0" role="region" aria-label="Sizes and quality of each type">
                    <table>
                        <thead><tr><th>"Type"</th><th>"Download"</th><th>"On this device"</th><th>"Memory"</th><th>"Loss"</th></tr></thead>
                        <tbody>
                            {types.into_iter().map(|row| view! {
                                <tr>
                                    <th scope="row">{wording::dtype(row.dtype.name())}</th>
                                    <td>{size(row.download_bytes)}</td>
                                    <td>{size(row.storage_bytes)}</td>
                                    <td>{size(row.memory_bytes)}</td>
                                    <td>{format!("{:.1} %", row.dtype.loss_percent())}</td>
                                </tr>
                            }).collect_view()}
                        </tbody>
                    </table>
                </div>
                <p class="muted">"A type says how exactly each number of the model is kept: fewer bits make a smaller file that writes a little worse. Memory is for five texts of 160 tokens. Loss is how many more bits a model needs per byte of a fixed text than with 16-bit numbers; it was measured on a GPT-2 of 6.9 million numbers, not on this model."</p>
            </details> })}
        </div>
    }
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not known".to_owned(), wording::bytes)
}

/// `Download 510 MB`.
fn button_text(offer: TypeOffer) -> String {
    match offer.download_bytes {
        Some(bytes) => format!("Download {}", wording::bytes(bytes)),
        None => "Download, size unknown".to_owned(),
    }
}
