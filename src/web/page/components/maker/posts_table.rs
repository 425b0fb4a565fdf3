//! `PostsTable`: every post, with the rule that put it into its class.

use leptos::prelude::*;
use maker::message::Class;

use crate::state::maker::reason;
use crate::state::wording::count;
use crate::web::page::maker::Maker;

/// The id of its title.
pub const TITLE: &str = "posts-title";

/// The classes to choose from.
const CLASSES: [(Option<Class>, &str); 5] = [
    (None, "All"),
    (Some(Class::Kept), "Kept"),
    (Some(Class::Short), "Too short"),
    (Some(Class::Retweets), "Retweets"),
    (Some(Class::LeftOut), "Left out"),
];

/// The section.
#[component]
pub fn PostsTable() -> impl IntoView {
    let maker = Maker::here();
    let list = maker.memo(|state| state.list.clone());
    let handles = maker.memo(|state| {
        let handles = state
            .bot
            .accounts
            .iter()
            .map(|account| account.handle.clone());
        handles.collect::<Vec<_>>()
    });
    let turn = move |by: i64| {
        maker.act(|state| {
            state.list(|list| {
                let page = i64::from(list.page) + by;
                list.page = u32::try_from(page)
                    .unwrap_or(0)
                    .min(list.n_pages().saturating_sub(1));
            })
        });
    };
    view! {
        <section class="maker-section" aria-labelledby=TITLE>
            <h2 id=TITLE>"Posts"</h2>
            <Show when=move || { handles.with(Vec::len) > 1 }>
                <div class="tabs" role="group" aria-label="Account">
                    {move || handles.get().into_iter().enumerate().map(|(i, handle)| view! {
                        <button type="button" class="tab" aria-pressed=move || list.with(|list| list.account == i).to_string()
                            on:click=move |_| maker.act(|state| state.list(|list| { list.account = i; list.page = 0; }))>{format!("@{handle}")}</button>
                    }).collect_view()}
                </div>
            </Show>
            <div class="tabs" role="group" aria-label="Class of posts">
                {CLASSES.map(|(class, words)| view! {
                    <button type="button" class="tab" aria-pressed=move || list.with(|list| list.class == class).to_string()
                        on:click=move |_| maker.act(|state| state.list(|list| { list.class = class; list.page = 0; }))>{words}</button>
                })}
            </div>
            <label for="maker-search">"Find"</label>
            <input id="maker-search" type="search" class="field" dir="auto" data-testid="maker-search" prop:value=move || list.with(|list| list.search.clone())
                on:input:target=move |event| { let text = event.target().value(); maker.act(|state| state.list(|list| { list.search = text; list.page = 0; })) }/>
            <p class="muted" role="status" data-testid="maker-found">{move || list.with(|list| format!("{} posts", count(u64::from(list.found))))}</p>
            <ol class="maker-posts">
                {move || list.with(|list| list.posts.iter().map(|post| view! {
                    <li data-testid="maker-post">
                        <p dir="auto" class="maker-post-text">{post.text.clone()}</p>
                        {post.cleaned.clone().map(|cleaned| view! { <p dir="auto" class="muted maker-post-text">"→ "{cleaned}</p> })}
                        <p class="muted">{reason(post)}</p>
                    </li>
                }).collect_view())}
            </ol>
            <Show when=move || list.with(|list| list.n_pages() > 1)>
                <p class="maker-pages">
                    <button type="button" class="button" disabled=move || list.with(|list| list.page == 0) on:click=move |_| turn(-1)>"Earlier"</button>
                    <span class="muted">{move || list.with(|list| format!("page {} of {}", list.page + 1, list.n_pages()))}</span>
                    <button type="button" class="button" disabled=move || list.with(|list| list.page + 1 >= list.n_pages()) on:click=move |_| turn(1)>"Later"</button>
                </p>
            </Show>
        </section>
    }
}
