//! `ComparedRuns`: the run of the trained bot beside an earlier one of the same bot: losses, settings, what they came to.

use leptos::prelude::*;
use serde_json::Value;

use super::loss_curve::LossCurve;
use crate::runs::compare::{Difference, compare};
use crate::state::training::points;
use crate::trainer::TrainedBot;
use crate::trainer::trained::losses;

/// The loss of the bot's run; with earlier runs, a choice of one to lay beside it.
#[component]
pub fn ComparedRuns(
    /// The bot.
    bot: TrainedBot,
) -> impl IntoView {
    let n_steps = |losses: &[(u32, f32)]| losses.last().map_or(1.0, |(step, _)| f64::from(*step));
    let own = bot.losses();
    let chosen = RwSignal::new(None::<usize>);
    let runs = bot.earlier.iter().map(|record| record.run.clone());
    let names: Vec<String> = runs
        .map(|run| format!("{} ({})", run.id, run.name))
        .collect();
    let has_earlier = !names.is_empty();
    let options = move || {
        let names = names.clone().into_iter().enumerate();
        names
            .map(|(i, name)| view! { <option value=i.to_string()>{name}</option> })
            .collect_view()
    };
    let bot = StoredValue::new(bot);
    let other = Memo::new(move |_| {
        let place = chosen.get()?;
        bot.with_value(|bot| bot.earlier.get(place).cloned())
    });
    let of_other = Memo::new(move |_| other.with(|other| other.as_ref().map(losses)));
    let steps = {
        let own = n_steps(&own);
        move || of_other.with(|other| own.max(other.as_deref().map_or(1.0, n_steps)))
    };
    let curves = move || {
        let other = of_other.get();
        std::iter::once(points(&own))
            .chain(other.map(|losses| points(&losses)))
            .collect::<Vec<_>>()
    };
    let table = move || {
        other.get().map(|other| {
            let found = bot.with_value(|bot| compare(&bot.record.run, &other.run));
            let rows = found.config.into_iter().chain(found.metrics).map(row);
            let rows = rows.collect_view();
            view! {
                <div class="table-scroll" tabindex="0" role="region" aria-label="Two runs side by side">
                    <table data-testid="maker-compared">
                        <thead><tr><th scope="col">"What differs"</th><th scope="col">"This run"</th><th scope="col"><bdi>{other.run.id}</bdi></th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
        })
    };
    view! {
        <LossCurve curves=Signal::derive(curves) n_steps=Signal::derive(steps)/>
        {has_earlier.then(|| view! {
            <p class="maker-picks">
                <label for="compared-run">"Beside an earlier run"</label>
                <select id="compared-run" class="field" data-testid="maker-compare" on:change:target=move |event| chosen.set(event.target().value().parse().ok())>
                    <option value="">"none"</option>
                    {options}
                </select>
            </p>
            {table}
        })}
    }
}

fn row(difference: Difference) -> impl IntoView {
    let [own, other] = difference.values.map(|value| match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text,
        Value::Number(number) => number.as_f64().map_or_else(String::new, short),
        value => value.to_string(),
    });
    view! { <tr><th scope="row">{difference.name}</th><td><bdi>{own}</bdi></td><td><bdi>{other}</bdi></td></tr> }
}

/// A number with four significant digits.
fn short(number: f64) -> String {
    if number != 0.0 && (number.abs() < 1e-3 || number.abs() >= 1e7) {
        return format!("{number:.3e}");
    }
    let whole = number.abs().max(1.0).log10() as usize + 1;
    let text = format!("{number:.*}", 4_usize.saturating_sub(whole));
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
