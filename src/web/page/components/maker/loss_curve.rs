//! `LossCurve`: the loss of each step as a line.

use leptos::prelude::*;

use crate::web::page::trainer::Trainer;

/// Width and height of the drawing.
const SIZE: (f64, f64) = (320.0, 96.0);

/// The curve.
#[component]
pub fn LossCurve() -> impl IntoView {
    let trainer = Trainer::here();
    let curve = trainer.memo(|state| {
        let n_steps = state.report.map_or(1, |report| report.n_steps);
        (state.curve(), f64::from(n_steps))
    });
    move || {
        let (points, n_steps) = curve.get();
        let losses = || points.iter().map(|(_, loss)| *loss);
        let (low, high) = (
            losses().fold(f64::INFINITY, f64::min),
            losses().fold(f64::NEG_INFINITY, f64::max),
        );
        let span = (high - low).max(1e-6);
        let (width, height) = SIZE;
        let drawn = points.iter().map(|(step, loss)| {
            let x = width * step / n_steps;
            let y = 4.0 + (height - 8.0) * (high - loss) / span;
            format!("{x:.1},{y:.1}")
        });
        let drawn = drawn.collect::<Vec<_>>().join(" ");
        let label = match points.last() {
            Some((_, last)) => {
                format!("Loss by step: at most {high:.2}, at least {low:.2}, now {last:.2}")
            }
            None => "No loss yet".to_owned(),
        };
        view! {
            <figure class="maker-chart">
                <figcaption>"Loss "<span class="muted">{format!("{high:.2} to {low:.2}")}</span></figcaption>
                <svg class="maker-curve" role="img" aria-label=label viewBox=format!("0 0 {width} {height}") preserveAspectRatio="none">
                    <polyline points=drawn/>
                </svg>
            </figure>
        }
    }
}
