//! `names`: display names of strangers inside a text, each isolated so that its direction ends with it.

use leptos::prelude::*;

/// The names joined by ` & `.
pub fn names(names: &[String]) -> impl IntoView + use<> {
    names
        .iter()
        .enumerate()
        .map(|(i, name)| view! { {(i > 0).then_some(" & ")}<bdi>{name.clone()}</bdi> })
        .collect_view()
}
