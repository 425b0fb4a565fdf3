//! Charts of an account's kept posts: per month, by length, and the most used words. Each has its numbers as a table.

use leptos::prelude::*;
use maker::survey::{LENGTH_STEP, Month, N_LENGTHS};

use crate::state::wording::{count, ratio};

/// Height of a chart's highest bar.
const HEIGHT: f64 = 60.0;
/// Words that are shown.
const SHOWN_WORDS: usize = 20;

/// One bar: its label, and its number.
type Bar = (String, u32);

/// Bars side by side, in SVG, and the same as a table.
#[component]
fn Bars(title: &'static str, what: &'static str, bars: Vec<Bar>) -> impl IntoView {
    let most = bars.iter().map(|(_, n)| *n).max().unwrap_or_default();
    if most == 0 {
        return ().into_any();
    }
    let total: u64 = bars.iter().map(|(_, n)| u64::from(*n)).sum();
    let ends = match (bars.first(), bars.last()) {
        (Some((first, _)), Some((last, _))) => format!("{first} to {last}"),
        _ => String::new(),
    };
    let width = 100.0 / bars.len() as f64;
    let drawn = bars.iter().enumerate().map(|(i, (label, n))| {
        let height = HEIGHT * ratio(u64::from(*n), u64::from(most));
        let (x, y) = (i as f64 * width, HEIGHT - height);
        view! {
            <rect x=format!("{:.2}%", x + width * 0.1) y=format!("{y:.1}") width=format!("{:.2}%", width * 0.8) height=format!("{height:.1}")>
                <title>{format!("{label}: {}", count(u64::from(*n)))}</title>
            </rect>
        }
    });
    let drawn = drawn.collect_view();
    let label = format!(
        "{title}: {} posts, {ends}, at most {}",
        count(total),
        count(u64::from(most))
    );
    let rows = bars.iter().filter(|(_, n)| *n > 0).map(|(label, n)| {
        view! {
            <tr><th scope="row">{label.clone()}</th><td>{count(u64::from(*n))}</td></tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <figure class="maker-chart">
            <figcaption>{title}" "<span class="muted">{ends}</span></figcaption>
            <svg class="maker-bars" role="img" aria-label=label width="100%" height=HEIGHT.to_string()>{drawn}</svg>
            <details class="as-table">
                <summary>"As a table"</summary>
                <div class="table-scroll" tabindex="0" role="region" aria-label=title>
                    <table><thead><tr><th scope="col">{what}</th><th scope="col">"Posts"</th></tr></thead><tbody>{rows}</tbody></table>
                </div>
            </details>
        </figure>
    }
    .into_any()
}

/// Kept posts per month, from the first to the last, months without posts included. Posts with a date in the future share
/// one bar.
#[component]
pub fn Months(months: Vec<Month>) -> impl IntoView {
    let index = |month: &Month| month.year * 12 + i32::from(month.month) - 1;
    let now = {
        let now = js_sys::Date::new_0();
        now.get_full_year() as i32 * 12 + now.get_month() as i32
    };
    let n_past = months
        .iter()
        .take_while(|month| index(month) <= now)
        .count();
    let (months, later) = months.split_at(n_past);
    let n_later: u32 = later.iter().map(|month| month.posts).sum();
    let mut bars: Vec<Bar> = match (months.first(), months.last()) {
        (Some(first), Some(last)) => {
            let mut next = months.iter().peekable();
            // A stray date must not make thousands of bars.
            let first = index(first).max(index(last) - 12 * 20);
            let all = (first..=index(last)).map(|at| {
                while next.next_if(|month| index(month) < at).is_some() {}
                let posts = next
                    .next_if(|month| index(month) == at)
                    .map_or(0, |month| month.posts);
                (
                    format!("{}-{:02}", at.div_euclid(12), at.rem_euclid(12) + 1),
                    posts,
                )
            });
            all.collect()
        }
        _ => Vec::new(),
    };
    if n_later > 0 {
        bars.push(("later".to_owned(), n_later));
    }
    view! { <Bars title="Kept posts per month" what="Month" bars/> }
}

/// Kept posts by length.
#[component]
pub fn Lengths(lengths: Vec<u32>) -> impl IntoView {
    let label = |i: usize| match i + 1 == N_LENGTHS {
        true => format!("{} and more", i * LENGTH_STEP),
        false => format!("{} to {}", i * LENGTH_STEP, (i + 1) * LENGTH_STEP - 1),
    };
    let bars = lengths
        .iter()
        .enumerate()
        .map(|(i, n)| (label(i), *n))
        .collect();
    view! { <Bars title="Length in characters" what="Characters" bars/> }
}

/// The most used words.
#[component]
pub fn Words(words: Vec<(String, u32)>) -> impl IntoView {
    let most = words.first().map_or(1, |(_, n)| *n);
    let rows = words.into_iter().take(SHOWN_WORDS).map(|(word, n)| {
        let width = 100.0 * ratio(u64::from(n), u64::from(most));
        view! {
            <li><span class="maker-word" dir="auto">{word}</span><span class="maker-word-bar" style:inline-size=format!("{width:.0}%") aria-hidden="true"></span><span class="muted">{count(u64::from(n))}</span></li>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    if rows.is_empty() {
        return ().into_any();
    }
    view! {
        <figure class="maker-chart">
            <figcaption>"Most used words"</figcaption>
            <ol class="maker-words">{rows}</ol>
        </figure>
    }
    .into_any()
}
