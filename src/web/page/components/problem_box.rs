//! `ProblemBox`: the failure on show, its remedy, and the buttons that can help.

use leptos::html;
use leptos::prelude::*;

use crate::state::problem::Remedy;
use crate::state::wording::sentence;
use crate::web::page::browser_window::{is_single_file, scroll_when};
use crate::web::page::context::{Page, fresh_seed};

use super::icon::{Drawing, Icon};

/// The current failure, if any.
#[component]
pub fn ProblemBox() -> impl IntoView {
    let page = Page::here();
    let problem = page.memo(|state| state.problem().cloned());
    let place = NodeRef::<html::Div>::new();
    scroll_when(move || problem.with(Option::is_some), place);
    view! {
        <div class="alert" role="alert" node_ref=place>
            {move || problem.get().map(|problem| view! {
                <div class="problem" data-testid="error">
                    <Drawing icon=Icon::Warning/>
                    <div class="problem-text">
                        <p><strong>{sentence(&problem.report.message)}</strong></p>
                        <p>{sentence(&problem.report.hint)}</p>
                        {problem.stays.map(|name| view! { <p>"The model that was open stays: "<bdi>{name}</bdi>"."</p> })}
                        <p class="problem-buttons">
                            // The page in one file has no maker.
                            {problem.remedies.into_iter().filter(|remedy| *remedy != Remedy::OpenMaker || !is_single_file()).enumerate().map(|(i, remedy)| view! {
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
        Remedy::RetryLoad => "Try again",
        Remedy::UseBundled => "Use the small model",
        Remedy::RestartWorker => "Restart",
        Remedy::GenerateAgain => "Generate again",
        Remedy::ResetSettings => "Reset all settings",
        Remedy::OpenMaker => "Open the maker",
    }
}

fn apply(page: Page, remedy: Remedy) {
    match remedy {
        Remedy::RetryLoad => page.act(|state| state.retry_load()),
        Remedy::UseBundled => page.act(|state| state.use_bundled()),
        Remedy::RestartWorker => page.act(|state| state.restart_worker()),
        Remedy::GenerateAgain => page.act(|state| state.generate(fresh_seed())),
        Remedy::ResetSettings => page.change(|state| state.reset_settings()),
        Remedy::OpenMaker => page.open_maker(),
    }
}
