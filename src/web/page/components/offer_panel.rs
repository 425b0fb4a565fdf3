//! `OfferPanel`: what fetching a model costs in each type, and the button that says so.

use leptos::prelude::*;

use crate::hub::{Choice, Dtype, Lack, Offer};
use crate::state::figures;
use crate::state::offer_words::OfferWords;

/// The panel.
#[component]
pub fn OfferPanel(
    /// `OWNER/NAME`.
    name: String,
    /// The figures.
    offer: Offer,
    /// Whether the visitor asked to save data.
    saves_data: bool,
    /// Fetches it in a type.
    accept: impl Fn(Dtype) + Copy + 'static,
) -> impl IntoView {
    let words = OfferWords::new(&offer);
    let wanted = offer.wanted;
    // What cannot work is not offered.
    let is_possible = wanted.lack != Some(Lack::Address);
    let rows = offer.choices.clone();
    let has_choices = !rows.is_empty();
    view! {
        <div class="offer" role="status" data-testid="offer">
            <p><strong>{name}</strong>" is there. "{words.cost}</p>
            {words.warning.map(|warning| view! { <p role="alert">{warning}</p> })}
            {saves_data.then(|| view! { <p>"You asked your browser to save data."</p> })}
            <div class="button-row">
                {offer.instead.map(|choice| view! {
                    <button type="button" class="button is-primary" on:click=move |_| accept(choice.dtype)>{format!("{} as {}", fetch(choice), figures::dtype(choice.dtype.name()))}</button>
                })}
                {is_possible.then(|| view! {
                    <button type="button" class="button" class:is-primary=wanted.lack.is_none() on:click=move |_| accept(wanted.dtype)>
                        {fetch(wanted)}{wanted.lack.is_some().then_some(" all the same")}
                    </button>
                })}
            </div>
            {has_choices.then(|| view! { <details>
                <summary>"Sizes and quality of the types"</summary>
                <div class="table-scroll" tabindex="0" role="region" aria-label="Sizes and quality of the types">
                    <table>
                        <thead><tr><th>"Type"</th><th>"Fetch"</th><th>"On this device"</th><th>"Memory"</th><th>"Loss"</th></tr></thead>
                        <tbody>
                            {rows.into_iter().map(|row| view! {
                                <tr>
                                    <th scope="row">{figures::dtype(row.dtype.name())}</th>
                                    <td>{size(row.fetch)}</td>
                                    <td>{size(row.keep)}</td>
                                    <td>{size(row.memory)}</td>
                                    <td>{format!("{:.1} %", row.dtype.loss_percent())}</td>
                                </tr>
                            }).collect_view()}
                        </tbody>
                    </table>
                </div>
                <p class="muted">"Memory is for five texts of 160 tokens. Loss is how many more bits per byte of a fixed text a GPT-2 of 6.9 million parameters needs than before it was quantized; it was not measured on this one."</p>
            </details> })}
        </div>
    }
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not known".to_owned(), figures::bytes)
}

/// `Fetch 510 MB`.
fn fetch(choice: Choice) -> String {
    match choice.fetch {
        Some(bytes) => format!("Fetch {}", figures::bytes(bytes)),
        None => "Fetch it, whatever its size".to_owned(),
    }
}
