//! `Account`: one account of the bot: its name, its counts, what its posts look like.

use leptos::prelude::*;
use maker::message::{AccountView, Request};

use super::charts::{Lengths, Months, Words};
use crate::state::maker::volume_words;
use crate::state::wording::count;
use crate::web::page::maker::Maker;

/// The account at a place.
#[component]
pub fn Account(place: usize) -> impl IntoView {
    let maker = Maker::here();
    let account = maker.memo(move |state| state.bot.accounts.get(place).cloned());
    let picture = Memo::new(move |_| account.with(|it| it.as_ref()?.picture.clone()));
    let handle = Memo::new(move |_| {
        account.with(|it| it.as_ref().map_or_else(String::new, |it| it.handle.clone()))
    });
    let source = Memo::new(move |_| account.with(|it| Some(it.as_ref()?.source.clone())));
    let volume = Memo::new(move |_| account.with(|it| it.as_ref().map(volume_words)));
    // Its names aside, which are typed here.
    let shown = Memo::new(move |_| {
        account.get().map(|account| AccountView {
            name: String::new(),
            handle: String::new(),
            ..account
        })
    });
    view! {
        <article class="maker-section" data-testid="maker-account" aria-label=move || format!("@{}", handle.get())>
            <h2>
                {move || picture.get().map(|picture| view! { <img class="maker-picture" src=picture alt="" width="40" height="40"/> })}
                <bdi>{move || format!("@{}", handle.get())}</bdi>" "
                <span class="muted">{move || source.get().map(|source| format!("from {source}"))}</span>
            </h2>
            <Names place/>
            {move || shown.get().map(|account| view! { <Posts account volume/> })}
            <p><button type="button" class="button" data-testid="maker-remove" on:click=move |_| maker.send(&Request::Remove { account: place })>"Take this account out"</button></p>
        </article>
    }
}

/// Its name and handle, to be changed. Each field is drawn once, so that what is typed in one stays while the worker
/// answers about the other.
#[component]
fn Names(place: usize) -> impl IntoView {
    let maker = Maker::here();
    let field = move |of: fn(&AccountView) -> &str| {
        let held =
            maker.memo(move |state| state.bot.accounts.get(place).map(|it| of(it).to_owned()));
        let typed = RwSignal::new(String::new());
        Effect::new(move |_| typed.set(held.get().unwrap_or_default()));
        typed
    };
    let (name, handle) = (field(|it| &it.name), field(|it| &it.handle));
    let rename = move |_| {
        maker.send(&Request::Rename {
            account: place,
            name: name.get_untracked(),
            handle: handle.get_untracked(),
        });
    };
    let (name_id, handle_id) = (
        format!("maker-name-{place}"),
        format!("maker-handle-{place}"),
    );
    view! {
        <div class="maker-names">
            <label for=name_id.clone()>"Name"</label>
            <input id=name_id class="field" dir="auto" prop:value=name on:input:target=move |event| name.set(event.target().value()) on:change=rename/>
            <label for=handle_id.clone()>"Handle"</label>
            <input id=handle_id class="field" dir="ltr" prop:value=handle on:input:target=move |event| handle.set(event.target().value()) on:change=rename/>
        </div>
    }
}

/// What its posts are like.
#[component]
fn Posts(account: AccountView, volume: Memo<Option<String>>) -> impl IntoView {
    let counts = account.counts;
    let left_out = counts.left_out.total();
    let number = |testid: &'static str, label: &'static str, n: u64| {
        view! { <div><dt>{label}</dt><dd data-testid=testid>{count(n)}</dd></div> }
    };
    let notices = account.notices.clone();
    let survey = account.survey.clone();
    view! {
        <dl class="maker-counts">
            {number("maker-count-downloaded", "Downloaded", counts.downloaded)}
            {number("maker-count-retweets", "Retweets", counts.retweets)}
            {number("maker-count-short", "Too short", counts.short)}
            {(left_out > 0).then(|| number("maker-count-left-out", "Left out", left_out))}
            {number("maker-count-kept", "Kept", counts.kept)}
        </dl>
        <p data-testid="maker-volume">{volume}</p>
        {account.is_cut.then(|| view! { <p class="notice">"The export was not read to its end."</p> })}
        {notices.into_iter().map(|notice| view! { <p class="notice">{crate::state::wording::sentence(&notice)}</p> }).collect_view()}
        {(!account.community_files.is_empty()).then(|| view! {
            <p class="notice">"This archive also has posts in communities. To read them, take the account out, tick the box above and choose the archive again."</p>
        })}
        <Months months=survey.months/>
        <Lengths lengths=survey.lengths/>
        <Words words=survey.words/>
        <details>
            <summary>{format!("Files that were opened ({})", account.opened.len())}</summary>
            <ul class="maker-files">{account.opened.iter().map(|name| view! { <li><code>{name.clone()}</code></li> }).collect_view()}</ul>
        </details>
    }
}
