//! `TrainingData`: how many of each account's tweets were kept and left out, as bars and as a table.

use leptos::prelude::*;

use crate::bot::{AccountData, Bot};
use crate::state::wording::{count, percent, ratio};

use super::outward_link::OutwardLink;

/// The section with one bar per account.
#[component]
pub fn TrainingData(
    /// The open bot.
    bot: Memo<Bot>,
) -> impl IntoView {
    view! {
        <section class="card-section" aria-labelledby="data-title">
            <h2 id="data-title">"Training data"</h2>
            {move || {
                let bot = bot.get();
                let posts = if bot.is_own_work() { "posts" } else { "tweets" };
                let card = bot.card;
                let most = card.table.iter().map(|account| account.downloaded).max().unwrap_or(0);
                let bars = card.table.iter().map(|account| bar(account, most)).collect_view();
                view! {
                    <p>{format!("Retweets and very short {posts} were left out; the bot learned from the rest.")}</p>
                    <div class="accounts">{bars}</div>
                    <details class="as-table">
                        <summary>"The same as a table"</summary>
                        {table(&card.table)}
                    </details>
                    <ul class="link-list">
                        {card.links.data.map(|url| view! { <li><OutwardLink url text="The data, as it was recorded"/></li> })}
                    </ul>
                }
            }}
        </section>
    }
}

/// The parts of a bar: class, name, number.
fn parts(account: &AccountData) -> [(&'static str, &'static str, u32); 3] {
    [
        ("is-kept", "kept", account.kept),
        ("is-short", "too short", account.short),
        ("is-retweets", "retweets", account.retweets),
    ]
}

fn bar(account: &AccountData, most: u32) -> impl IntoView + use<> {
    let width = 100.0 * ratio(account.downloaded.into(), most.into());
    let pieces = parts(account)
        .map(|(class, _, n)| view! { <span class=class style:flex-grow=n.to_string()></span> })
        .collect_view();
    let whole = u64::from(account.downloaded);
    let numbers = parts(account)
        .map(|(class, word, n)| {
            view! {
                <li class=class><strong>{count(n.into())}</strong>" "{word}" "<span class="muted">{percent(n.into(), whole)}</span></li>
            }
        })
        .collect_view();
    view! {
        <figure class="account">
            <figcaption class="account-head">
                <bdi>{account.name.clone()}</bdi>
                <span class="muted">{format!("{} downloaded", count(whole))}</span>
            </figcaption>
            <div class="account-bar" style:inline-size=format!("{width:.1}%") aria-hidden="true">{pieces}</div>
            <ul class="account-parts">{numbers}</ul>
        </figure>
    }
}

fn table(accounts: &[AccountData]) -> impl IntoView + use<> {
    let heads = accounts
        .iter()
        .map(|account| view! { <th scope="col"><bdi>{account.name.clone()}</bdi></th> })
        .collect_view();
    let row = |label: &'static str, look: fn(&AccountData) -> u32| {
        let cells = accounts
            .iter()
            .map(|account| view! { <td>{count(look(account).into())}</td> })
            .collect_view();
        view! { <tr><th scope="row">{label}</th>{cells}</tr> }
    };
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Training data as a table">
            <table>
                <thead><tr><th scope="col">"Tweets"</th>{heads}</tr></thead>
                <tbody>
                    {row("Downloaded", |account| account.downloaded)}
                    {row("Retweets", |account| account.retweets)}
                    {row("Too short", |account| account.short)}
                    {row("Kept", |account| account.kept)}
                </tbody>
            </table>
        </div>
    }
}
