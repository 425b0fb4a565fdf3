//! `ProblemBox` and `Notices`: what went wrong, what to do, and the button that does it.

use leptos::html;
use leptos::prelude::*;

use crate::state::Remedy;
use crate::state::figures::sentence;
use crate::web::page::context::{Page, fresh_seed};
use crate::web::page::scroll::scroll_near;

use super::icon::{Drawing, Icon};

/// The failure on show, if there is one.
#[component]
pub fn ProblemBox() -> impl IntoView {
    let page = Page::here();
    let problem = page.memo(|state| state.problem().cloned());
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if problem.with(Option::is_some) {
            // On a phone it may have come up below the fold.
            request_animation_frame(move || {
                if let Some(place) = place.get_untracked() {
                    scroll_near(&place);
                }
            });
        }
    });
    view! {
        <div class="alert" role="alert" node_ref=place>
            {move || problem.get().map(|problem| view! {
                <div class="problem" data-testid="error">
                    <Drawing icon=Icon::Warning/>
                    <div class="problem-text">
                        <p><strong>{sentence(&problem.report.message)}</strong></p>
                        <p>{sentence(&problem.report.hint)}</p>
                        <p class="problem-buttons">
                            {problem.remedies.into_iter().enumerate().map(|(i, remedy)| view! {
                                <button type="button" class="button" class:is-primary=i == 0 on:click=move |_| apply(page, remedy)>
                                    {words(remedy)}
                                </button>
                            }).collect_view()}
                            <button type="button" class="quiet-button" on:click=move |_| page.change(|state| state.dismiss_problem())>
                                "Dismiss"
                            </button>
                        </p>
                    </div>
                </div>
            })}
        </div>
    }
}

fn words(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::RetryLoad => "Load it again",
        Remedy::UseBundled => "Use the bundled model",
        Remedy::RestartWorker => "Restart",
        Remedy::GenerateAgain => "Generate again",
        Remedy::ResetSettings => "Reset all settings",
    }
}

fn apply(page: Page, remedy: Remedy) {
    match remedy {
        Remedy::RetryLoad => page.act(|state| state.load()),
        Remedy::UseBundled => page.act(|state| state.use_bundled()),
        Remedy::RestartWorker => page.restart_worker(),
        Remedy::GenerateAgain => page.act(|state| state.generate(fresh_seed())),
        Remedy::ResetSettings => page.change(|state| state.reset_all()),
    }
}

/// Plain remarks; they change nothing and can be taken away.
#[component]
pub fn Notices() -> impl IntoView {
    let page = Page::here();
    let notices = page.memo(|state| state.notices().to_vec());
    view! {
        <Show when=move || notices.with(|notices| !notices.is_empty())>
            <div class="notice" role="note">
                <ul>{move || notices.get().into_iter().map(|notice| view! { <li>{notice}</li> }).collect_view()}</ul>
                <button type="button" class="icon-button" aria-label="Dismiss" on:click=move |_| page.change(|state| state.dismiss_notices())>
                    <Drawing icon=Icon::Close/>
                </button>
            </div>
        </Show>
    }
}
