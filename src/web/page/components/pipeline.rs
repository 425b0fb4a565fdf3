//! `Pipeline`: a drawing of how the bot was made; squares are steps, circles their products.

use leptos::prelude::*;

use crate::bot::Bot;
use crate::state::wording::{count, plural};

/// A node of the drawing, placed by its middle.
#[derive(Clone)]
struct Node {
    x: i32,
    y: i32,
    shape: Shape,
    title: &'static str,
    number: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Step,
    Artifact,
    Base,
    Outcome,
}

/// Half the width of a step.
const STEP: i32 = 46;
/// Radius of a circle.
const CIRCLE_RADIUS: i32 = 44;

/// The section with the drawing: a zigzag where the column is narrow, a line where it is wide.
#[component]
pub fn Pipeline(
    /// The open bot.
    bot: Memo<Bot>,
) -> impl IntoView {
    view! {
        <section class="card-section" aria-labelledby="pipeline-title">
            <h2 id="pipeline-title">"How it was made"</h2>
            {move || {
                let bot = bot.get();
                view! { <div class="pipeline">{narrow(&bot)}{wide(&bot)}</div> }
            }}
            <p class="muted pipeline-key">
                <span class="key-step" aria-hidden="true"></span>"step"
                <span class="key-thing" aria-hidden="true"></span>"its product"
            </p>
        </section>
    }
}

/// The nodes in the order of making, not placed yet.
fn nodes(bot: &Bot) -> [Node; 7] {
    let downloaded: u64 = bot
        .card
        .table
        .iter()
        .map(|account| u64::from(account.downloaded))
        .sum();
    let kept: u64 = bot
        .card
        .table
        .iter()
        .map(|account| u64::from(account.kept))
        .sum();
    let node = |shape, title, number: String| Node {
        x: 0,
        y: 0,
        shape,
        title,
        number,
    };
    let weights = if bot.is_own_work() { "" } else { "124M" };
    [
        node(
            Shape::Step,
            if bot.is_own_work() {
                "Import"
            } else {
                "Download"
            },
            plural(bot.card.table.len(), "account", "accounts"),
        ),
        node(Shape::Artifact, "Raw data", count(downloaded)),
        node(
            Shape::Step,
            "Preprocess",
            format!("− {}", count(downloaded.saturating_sub(kept))),
        ),
        node(Shape::Artifact, "Training data", count(kept)),
        node(Shape::Step, "Train", "fine-tune".to_owned()),
        node(Shape::Outcome, "Bot", weights.to_owned()),
        node(Shape::Base, base(bot), weights.to_owned()),
    ]
}

/// The name of the model that was fine-tuned; a bot that was made here may have begun with any.
fn base(bot: &Bot) -> &'static str {
    match bot.is_own_work() {
        true => "Base model",
        false => "GPT-2",
    }
}

fn spoken(bot: &Bot) -> String {
    let [download, raw, preprocess, training, ..] = nodes(bot);
    let (from, raw_posts) = match bot.is_own_work() {
        true => (format!("Posts of {} are read", download.number), "posts"),
        false => (
            format!("Tweets of {} are downloaded", download.number),
            "raw tweets",
        ),
    };
    format!(
        "{from}, which gives {} {raw_posts}; preprocessing takes {} of them out and leaves {} to train on; {} is fine-tuned on \
         these and becomes the bot.",
        raw.number,
        preprocess.number.trim_start_matches("− "),
        training.number,
        base(bot)
    )
}

fn place(bot: &Bot, places: [(i32, i32); 7]) -> Vec<Node> {
    nodes(bot)
        .into_iter()
        .zip(places)
        .map(|(node, (x, y))| Node { x, y, ..node })
        .collect()
}

fn narrow(bot: &Bot) -> impl IntoView + use<> {
    let nodes = place(
        bot,
        [
            (66, 50),
            (222, 50),
            (66, 180),
            (222, 180),
            (66, 310),
            (222, 310),
            (66, 424),
        ],
    );
    let arrows = [
        "M112 50H174",
        "M222 94V105Q222 113 214 113H74Q66 113 66 121V130",
        "M112 180H174",
        "M222 224V235Q222 243 214 243H74Q66 243 66 251V260",
        "M112 310H174",
        "M66 380V360",
    ];
    drawing(
        "pipeline-narrow",
        "0 0 288 472",
        spoken(bot),
        nodes,
        &arrows,
    )
}

fn wide(bot: &Bot) -> impl IntoView + use<> {
    let nodes = place(
        bot,
        [
            (52, 60),
            (166, 60),
            (280, 60),
            (394, 60),
            (508, 60),
            (622, 60),
            (508, 180),
        ],
    );
    let arrows = [
        "M98 60H118",
        "M210 60H230",
        "M326 60H346",
        "M438 60H458",
        "M554 60H574",
        "M508 136V110",
    ];
    drawing("pipeline-wide", "0 0 674 232", spoken(bot), nodes, &arrows)
}

fn drawing(
    id: &'static str,
    view_box: &'static str,
    spoken: String,
    nodes: Vec<Node>,
    arrows: &[&'static str],
) -> impl IntoView + use<> {
    let marker = format!("{id}-arrow");
    let arrow_end = format!("url(#{marker})");
    let arrows = arrows
        .iter()
        .map(|path| view! { <path class="pipe" d=*path marker-end=arrow_end.clone()/> })
        .collect_view();
    let nodes = nodes.into_iter().map(draw).collect_view();
    view! {
        <svg class=id viewBox=view_box role="img" aria-label=spoken>
            <defs>
                <marker id=marker viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
                    <path class="pipe-end" d="M1 1l6 3-6 3"/>
                </marker>
            </defs>
            {arrows}
            {nodes}
        </svg>
    }
}

fn draw(node: Node) -> impl IntoView {
    let Node {
        x,
        y,
        shape,
        title,
        number,
    } = node;
    let outline = match shape {
        Shape::Step => view! {
            <rect class="node is-step" x=x - STEP y=y - STEP width=2 * STEP height=2 * STEP rx="12"/>
        }
        .into_any(),
        Shape::Artifact => view! { <circle class="node is-artifact" cx=x cy=y r=CIRCLE_RADIUS/> }.into_any(),
        Shape::Base => view! { <circle class="node is-base" cx=x cy=y r=CIRCLE_RADIUS/> }.into_any(),
        Shape::Outcome => view! { <circle class="node is-outcome" cx=x cy=y r=CIRCLE_RADIUS/> }.into_any(),
    };
    let words: Vec<&'static str> = title.split(' ').collect();
    let first_line = y - if words.len() > 1 { 13 } else { 5 };
    let lines = words
        .into_iter()
        .enumerate()
        .map(|(i, word)| view! { <text class="node-title" x=x y=first_line + 15 * i as i32 text-anchor="middle">{word}</text> })
        .collect_view();
    let number_y = y + if title.contains(' ') { 22 } else { 15 };
    let class = if shape == Shape::Outcome {
        "node-words is-outcome"
    } else {
        "node-words"
    };
    view! {
        <g class=class>
            {outline}
            {lines}
            <text class="node-number" x=x y=number_y text-anchor="middle">{number}</text>
        </g>
    }
}
