//! `MakerView`: the maker as a whole: posts in, clean, look, training text, card.

use leptos::html;
use leptos::prelude::*;

use super::account::Account;
use super::bots::Bots;
use super::import::Import;
use super::posts_table::{self, PostsTable};
use super::record::{self, RecordView};
use super::shared::Shared;
use super::switches::Switches;
use super::training::TrainingView;
use super::training_text::TrainingText;
use crate::state::speaker::Speaker;
use crate::state::wording::sentence;
use crate::web::page::browser_window::{focus_title, scroll_when};
use crate::web::page::components::bot_header::{label_text, pictures};
use crate::web::page::components::copy_button::CopyButton;
use crate::web::page::components::names::names;
use crate::web::page::components::pipeline::Pipeline;
use crate::web::page::components::training_data::TrainingData;
use crate::web::page::context::today;
use crate::web::page::maker::Maker;
use crate::web::page::trainer::Trainer;

/// The maker.
#[component]
pub fn MakerView() -> impl IntoView {
    let maker = Maker::here();
    let n_accounts = maker.memo(|state| state.bot.accounts.len());
    let has_accounts = move || n_accounts.get() > 0;
    let failure = maker.memo(|state| state.failure.clone());
    let place = NodeRef::<html::Div>::new();
    scroll_when(move || failure.with(Option::is_some), place);
    view! {
        <main class="maker" data-testid="maker">
            <header class="maker-head">
                <h1>"Make a bot"</h1>
                <p>"From an export of your posts to the data and the card of a bot. Everything stays on this device."</p>
                <p><a href="#" class="button" on:click=move |event| { event.prevent_default(); maker.close(); }>"Back to the bots"</a></p>
            </header>
            <Bots/>
            <Shared/>
            <Import/>
            {move || failure.get().map(|failure| view! {
                <div class="problem" role="alert" data-testid="error" node_ref=place>
                    <p><strong>{sentence(&failure.message)}</strong></p>
                    <p>{sentence(&failure.hint)}</p>
                    <Show when=move || { failure.posts > 0 }>
                        <p>"What was read before is kept; take the account out if you do not want it."</p>
                    </Show>
                </div>
            })}
            <section class="maker-accounts" aria-label="Accounts">
                <For each=move || 0..n_accounts.get() key=|i| *i let:i>
                    <Account place=i/>
                </For>
            </section>
            <Show when=has_accounts>
                <Switches/>
                <PostsTable/>
                <TrainingText/>
                <TrainingView/>
                <Card/>
                <RecordView/>
            </Show>
        </main>
    }
}

/// The bot's page as it will be, and its card.
#[component]
fn Card() -> impl IntoView {
    let maker = Maker::here();
    let bot = maker.memo(|state| state.card_bot());
    let text = maker.memo(|state| state.card_text(&today()));
    let is_trained = Trainer::here().memo(|state| state.trained.is_some());
    let has_record = maker.memo(|state| state.bot.record.is_some());
    move || {
        bot.get().map(|shown| {
            let bot = Memo::new(move |_| shown.clone());
            view! {
                <section class="maker-card" data-testid="maker-card" aria-label="The bot’s page">
                    <h2>"The bot’s page"</h2>
                    <p class="badge">{move || if is_trained.get() { "trained here" } else { "not trained yet" }}</p>
                    {move || { let bot = bot.get(); view! {
                        <div class="bot-header">
                            <div class="bot-avatars">{pictures(&Speaker::Bot(bot.clone()))}</div>
                            <p class="bot-label">{format!("🤖 {} 🤖", label_text(&bot))}</p>
                            <p class="bot-name" dir="auto">{names(&bot.card.names)}</p>
                            <p class="bot-handle" dir="ltr">{format!("@{}", bot.card.handle)}</p>
                        </div>
                    }}}
                    <TrainingData bot/>
                    <p><button type="button" class="button" data-testid="maker-explore" on:click=move |_| focus_title(posts_table::TITLE)>"Explore the data"</button></p>
                    <Pipeline bot/>
                    <Show when=move || has_record.get()>
                        <p><button type="button" class="button" data-testid="maker-run" on:click=move |_| focus_title(record::TITLE)>"See the run"</button></p>
                    </Show>
                    <details>
                        <summary>"Its card, README.md"</summary>
                        {move || match text.get() {
                            Ok(text) => { let copied = text.clone(); view! {
                                <div class="code">
                                    <CopyButton text=move || copied.clone() label="Copy the card"/>
                                    <pre tabindex="0"><code data-testid="maker-card-text">{text}</code></pre>
                                </div>
                            }.into_any() }
                            Err(reason) => view! { <p>{sentence(&reason)}</p> }.into_any(),
                        }}
                    </details>
                </section>
            }
        })
    }
}
