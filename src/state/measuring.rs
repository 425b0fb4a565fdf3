//! `Measuring` and `Measured`: the device's speed, while it is measured and as it was found.

use super::figures;
use crate::protocol::{JobId, MeasuredPart, ModelInfo, Speeds, Spread};

/// How far the device's measurement is.
#[derive(Debug, Clone, PartialEq)]
pub enum Measuring {
    /// Not asked for, or over.
    Idle,
    /// Asked for; a model must be loaded or a text ended first.
    Waiting {
        /// What it waits for.
        text: String,
        /// Share of that, where it is known.
        fraction: Option<f64>,
    },
    /// Under way.
    Running {
        /// Share that is done, 0 to 1.
        fraction: f64,
        /// What is going on; none before the worker's first word.
        part: Option<(MeasuredPart, usize, usize)>,
        /// Whether it was told to stop.
        is_stopping: bool,
    },
}

impl Measuring {
    /// Whether it was asked for and is not over.
    pub fn is_busy(&self) -> bool {
        *self != Measuring::Idle
    }

    /// How full the bar is, 0 to 1; none while nothing can be known.
    pub fn fraction(&self) -> Option<f64> {
        match self {
            Measuring::Idle => None,
            Measuring::Waiting { fraction, .. } => *fraction,
            Measuring::Running { fraction, .. } => Some(*fraction),
        }
    }

    /// What is going on, in words.
    pub fn text(&self) -> String {
        match self {
            Measuring::Idle => String::new(),
            Measuring::Waiting { text, .. } => text.clone(),
            Measuring::Running {
                is_stopping: true, ..
            } => "Stopping".to_owned(),
            Measuring::Running { part: None, .. } => "Beginning".to_owned(),
            Measuring::Running {
                part: Some((_, 0, _)),
                ..
            } => "Warming up".to_owned(),
            Measuring::Running {
                part: Some((part, round, rounds)),
                ..
            } => {
                let part = match part {
                    MeasuredPart::Memory => "adding up the weights",
                    MeasuredPart::OneText => "writing one text",
                    MeasuredPart::FiveTexts => "writing five texts",
                };
                format!("Round {round} of {rounds}: {part}")
            }
        }
    }
}

/// The measurement the worker has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MeasureRun {
    pub(super) job: JobId,
    pub(super) fraction: f64,
    pub(super) part: Option<(MeasuredPart, usize, usize)>,
    pub(super) is_stopping: bool,
}

/// What a measurement found, with what it was found on.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    speeds: Speeds,
    model: ModelInfo,
}

/// What a processor of today may hold nearer than its memory.
const CACHE_BYTES: u64 = 32 << 20;

/// One figure as a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What was measured, in plain words.
    pub label: &'static str,
    /// What exactly, in a few more.
    pub meaning: String,
    /// The median with its unit.
    pub value: String,
    /// Length of the bar, 0 to 1, beside the others of its kind.
    pub share: f64,
}

impl Measured {
    pub(super) fn new(speeds: Speeds, model: ModelInfo) -> Measured {
        Measured { speeds, model }
    }

    /// Tokens per second: reading a prompt, writing one text, writing five.
    pub fn token_bars(&self) -> [Bar; 3] {
        let speeds = &self.speeds;
        let rates = [speeds.prefill, speeds.decode, speeds.batch5];
        let most = rates.iter().fold(0.0, |most, r| r.median.max(most));
        let bar = |label, meaning, rate: Spread| Bar {
            label,
            meaning,
            value: figures::per_second(rate.median),
            share: share(rate.median, most),
        };
        [
            bar(
                "Reading the prompt",
                format!("prefill, {} tokens", speeds.prompt_tokens),
                speeds.prefill,
            ),
            bar(
                "Writing one text",
                format!("decode, {} tokens", speeds.new_tokens),
                speeds.decode,
            ),
            bar(
                "Writing five texts",
                "together, all their tokens".to_owned(),
                speeds.batch5,
            ),
        ]
    }

    /// Bytes per second: weights that a plain sum reads, weights that writing one text reads.
    pub fn memory_bars(&self) -> [Bar; 2] {
        let speeds = &self.speeds;
        let (sum, decode) = (speeds.sum_bytes.median, speeds.decode_bytes_per_second());
        let most = sum.max(decode);
        let size = figures::bytes(speeds.weight_bytes);
        [
            Bar {
                label: "Adding up the weights",
                meaning: format!("a plain sum of {size}, one thread"),
                value: figures::bytes_per_second(sum),
                share: share(sum, most),
            },
            Bar {
                label: "Writing one text reads",
                meaning: format!("the same {size} for each token"),
                value: figures::bytes_per_second(decode),
                share: share(decode, most),
            },
        ]
    }

    /// What share of the plain sum's speed writing reaches, `76 %`.
    pub fn memory_share(&self) -> String {
        let part = self.speeds.decode_bytes_per_second() / self.speeds.sum_bytes.median;
        format!("{:.0} %", 100.0 * part)
    }

    /// What a small model's figures do not tell.
    pub fn note(&self) -> Option<&'static str> {
        (self.speeds.weight_bytes <= CACHE_BYTES).then_some(
            "A model this small may stay in the processor’s cache, which is faster than its memory; a larger model tells more of this device.",
        )
    }

    /// Model, kernels and rounds, one line.
    pub fn conditions(&self) -> String {
        let Measured { speeds, model } = self;
        format!(
            "{} · {} · {} · {} · median of {}",
            model.name,
            figures::dtype(&model.dtype),
            figures::plural(speeds.threads, "thread", "threads"),
            speeds.simd,
            figures::plural(speeds.rounds, "round", "rounds"),
        )
    }

    /// All of it as plain text, for a report or a comparison. `date`: as it is to be written.
    pub fn to_text(&self, user_agent: &str, date: &str) -> String {
        let Measured { speeds, model } = self;
        let line = |bar: &Bar, figure: Spread, write: fn(f64) -> String| {
            format!(
                "{}: {} ({} to {}; {})",
                bar.label,
                bar.value,
                write(figure.least),
                write(figure.most),
                bar.meaning
            )
        };
        let [prefill, decode, batch5] = self.token_bars();
        let [sum, reads] = self.memory_bars();
        let mut lines = vec![
            format!("huggingtweets-web, {date}"),
            format!(
                "Model: {}, {}, {} weights, {}",
                model.name,
                figures::dtype(&model.dtype),
                figures::weights(model.n_params),
                figures::bytes(model.size_bytes)
            ),
            format!(
                "Engine: {}, {}",
                figures::plural(speeds.threads, "thread", "threads"),
                speeds.simd
            ),
            line(&prefill, speeds.prefill, figures::per_second),
            line(&decode, speeds.decode, figures::per_second),
            line(&batch5, speeds.batch5, figures::per_second),
            line(&sum, speeds.sum_bytes, figures::bytes_per_second),
            format!(
                "{}: {}, {} of that ({})",
                reads.label,
                reads.value,
                self.memory_share(),
                reads.meaning
            ),
            format!(
                "Medians of {}, least to most in brackets",
                figures::plural(speeds.rounds, "round", "rounds")
            ),
        ];
        lines.extend(self.note().map(str::to_owned));
        lines.push(format!("Browser: {user_agent}"));
        lines.join("\n")
    }
}

fn share(value: f64, most: f64) -> f64 {
    if most > 0.0 { value / most } else { 0.0 }
}
