//! `TweetCard`: one generated text, drawn like a tweet and marked as generated.

use leptos::prelude::*;

use crate::bot::Bot;
use crate::generate::parameter::Parameter;
use crate::protocol::StopReason;
use crate::state::speaker::Speaker;
use crate::state::tweet::{Tweet, TweetStatus};
use crate::web::page::address;
use crate::web::page::context::{Page, fresh_seed};
use crate::web::page::made_bot;

use super::avatar::{Avatar, portraits};
use super::copy_button::CopyButton;
use super::dialog::Overlay;
use super::icon::{Drawing, Icon};
use super::names::names;

/// The card; it stays while the tweet is written anew.
#[component]
pub fn TweetCard(
    /// The tweet's place among the results, from 0.
    place: usize,
) -> impl IntoView {
    let page = Page::here();
    let speaker = page.memo(|state| state.speaker());
    let part = move |look: fn(&Tweet) -> String| {
        page.memo(move |state| {
            state
                .texts()
                .tweets
                .get(place)
                .map(look)
                .unwrap_or_default()
        })
    };
    let prompt = part(|tweet| tweet.prompt.clone());
    let earlier = part(|tweet| tweet.earlier.clone());
    let fresh = part(|tweet| tweet.fresh.clone());
    let seed = part(|tweet| tweet.seed.to_string());
    let status = page.memo(move |state| {
        state
            .texts()
            .tweets
            .get(place)
            .map_or(TweetStatus::Waiting, |tweet| tweet.status)
    });
    let is_open =
        Memo::new(move |_| matches!(status.get(), TweetStatus::Waiting | TweetStatus::Writing));
    let is_busy = page.memo(|state| state.is_generating());
    let can_continue = page.memo(move |state| state.can_continue(place));
    let has_seed = page.memo(move |state| {
        let tweet = state.texts().tweets.get(place);
        tweet.and_then(Tweet::own_seed).is_some()
    });
    let is_pinned = page.memo(move |state| {
        let pinned = state.settings().text(Parameter::Seed, &state.defaults());
        state
            .texts()
            .tweets
            .get(place)
            .is_some_and(|tweet| tweet.seed.to_string() == pinned)
    });
    let status_name = move || match status.get() {
        TweetStatus::Waiting => "waiting",
        TweetStatus::Writing => "writing",
        TweetStatus::Done(_) => "done",
        TweetStatus::Broken => "broken",
    };
    let ending = move || match status.get() {
        TweetStatus::Done(StopReason::Stopped) => Some("stopped"),
        TweetStatus::Broken => Some("broken off"),
        _ => None,
    };
    let quotation = move || {
        let shared = page.with_untracked(|state| state.shared(place, &address::without_query()));
        shared.map(|shared| shared.quotation()).unwrap_or_default()
    };
    // A frame in another page has no room for dialogs.
    let share = use_context::<Overlay>().map(|overlay| view! {
        <button type="button" class="tool-button" data-testid="share" aria-label="Share this tweet" title="Link, picture, networks"
            prop:disabled=is_open on:click=move |_| overlay.share(place)>
            <Drawing icon=Icon::Share/><span>"Share"</span>
        </button>
    });
    // Where the bot was made on this device, its posts are here too.
    let made = move || {
        let folder =
            speaker.with(|speaker| Bot::folder_here(&speaker.bot()?.repo).map(str::to_owned));
        // The maker has one bot open at a time.
        folder.filter(|folder| !folder.contains(Bot::MIXED))
    };
    let copied = RwSignal::new(String::new());
    Effect::new(move |_| {
        is_open.track();
        copied.set(String::new());
    });
    let compare = move |bot: &str| {
        let parts = [prompt, earlier, fresh].map(|part| part.get_untracked());
        made_bot::ask_copied(bot, &parts.concat(), move |words| copied.set(words));
    };
    let continue_title = move || {
        if can_continue.get() {
            "Write more after this"
        } else {
            "The text has reached the model’s limit; it cannot write more"
        }
    };
    view! {
        <li class="tweet" data-testid="result" data-status=status_name aria-label=format!("Generated tweet {}", place + 1)>
            <span class="tweet-avatars avatars">
                {move || portraits(&speaker.get()).into_iter().map(|portrait| view! { <Avatar portrait/> }).collect_view()}
            </span>
            <div class="tweet-body">
                <p class="tweet-head">
                    <bdi class="tweet-name">{move || speaker.with(|speaker| names(&speaker.names()))}</bdi>
                    <span class="tweet-handle" dir="ltr">{move || speaker.with(Speaker::handle)}</span>
                    <span class="tweet-mark">"generated"</span>
                </p>
                <p class="tweet-text" dir="auto">
                    <span class="tweet-prompt">{prompt}</span>
                    <span class="tweet-continuation" data-testid="continuation">
                        <span>{earlier}</span>
                        <span class="tweet-fresh">{fresh}</span>
                    </span>
                    <Show when=move || is_open.get()><span class="caret" aria-hidden="true"></span></Show>
                </p>
                <p class="tweet-tools">
                    <CopyButton text=quotation label="Copy this tweet"/>
                    {share}
                    <button type="button" class="tool-button" aria-label="Again: write this tweet anew" title="Write this one anew"
                        prop:disabled=is_busy
                        on:click=move |_| page.act(|state| state.regenerate(place, fresh_seed()))>
                        <Drawing icon=Icon::Again/><span>"Again"</span>
                    </button>
                    <button type="button" class="tool-button" aria-label="Continue this tweet" title=continue_title
                        prop:disabled=move || is_busy.get() || !can_continue.get()
                        on:click=move |_| page.act(|state| state.continue_tweet(place, fresh_seed()))>
                        <Drawing icon=Icon::Continue/><span>"Continue"</span>
                    </button>
                    {move || made().map(|bot| view! {
                        <button type="button" class="tool-button" data-testid="copied-check" title="What it shares with the posts of the training"
                            prop:disabled=is_open on:click=move |_| compare(&bot)><span>"Copied?"</span></button>
                    })}
                    <span class="tweet-ending">{ending}</span>
                    <Show when=move || has_seed.get()>
                        <button type="button" class="tool-button tweet-seed" class:is-pinned=is_pinned
                            title="Use this seed for the next run"
                            aria-label=move || format!("Use seed {} again", seed.get())
                            on:click=move |_| page.change(|state| state.pin_seed(place))>
                            <Drawing icon=Icon::Pin/><span>{move || format!("seed {}", seed.get())}</span>
                        </button>
                    </Show>
                </p>
                <p class="muted" role="status" data-testid="copied" dir="auto">{move || copied.get()}</p>
            </div>
        </li>
    }
}
