//! `LossCurve`: the loss of each step as a line, or the losses of two runs as two.

use leptos::prelude::*;

/// Width and height of the drawing.
const SIZE: (f64, f64) = (320.0, 96.0);

/// Steps and losses of a run, as [`crate::state::training::points`] gives them.
pub type Curve = Vec<(f64, f64)>;

/// The drawing.
#[component]
pub fn LossCurve(
    /// One curve or two; the first is the run that the page is about.
    #[prop(into)]
    curves: Signal<Vec<Curve>>,
    /// Steps at the right end.
    #[prop(into)]
    n_steps: Signal<f64>,
) -> impl IntoView {
    move || {
        let (curves, n_steps) = (curves.get(), n_steps.get().max(1.0));
        let losses = || curves.iter().flatten().map(|(_, loss)| *loss);
        let (low, high) = (
            losses().fold(f64::INFINITY, f64::min),
            losses().fold(f64::NEG_INFINITY, f64::max),
        );
        let span = (high - low).max(1e-6);
        let (width, height) = SIZE;
        let lines = curves.iter().enumerate().map(|(i, points)| {
            let drawn = points.iter().map(|(step, loss)| {
                let x = width * step / n_steps;
                let y = 4.0 + (height - 8.0) * (high - loss) / span;
                format!("{x:.1},{y:.1}")
            });
            let drawn = drawn.collect::<Vec<_>>().join(" ");
            view! { <polyline points=drawn class:is-earlier=(i > 0)/> }
        });
        let lines = lines.collect_view();
        let label = match curves.first().and_then(|points| points.last()) {
            Some((_, last)) => {
                format!("Loss by step: at most {high:.2}, at least {low:.2}, now {last:.2}")
            }
            None => "No loss yet".to_owned(),
        };
        view! {
            <figure class="maker-chart">
                <figcaption>"Loss "<span class="muted">{format!("{high:.2} to {low:.2}")}</span></figcaption>
                <svg class="maker-curve" role="img" aria-label=label viewBox=format!("0 0 {width} {height}") preserveAspectRatio="none">{lines}</svg>
            </figure>
        }
    }
}
