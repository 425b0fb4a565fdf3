//! `Measured`: the device's speed as the last measurement found it, drawn as bars and written as text.

use super::wording;
use crate::protocol::{ModelInfo, Speeds, Spread};

/// The speeds of a device, with the model they were measured on.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    speeds: Speeds,
    model: ModelInfo,
}

/// Weights up to this size may stay in a processor's cache.
const CACHE_BYTES: u64 = 32 << 20;

/// One speed as a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The speed's name, in plain words.
    pub label: &'static str,
    /// How it was measured.
    pub meaning: String,
    /// The median with its unit.
    pub value: String,
    /// Length of the bar, 0 to 1, relative to the fastest of its group.
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
            value: wording::per_second(rate.median),
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

    /// Bytes of weights read per second: by a plain sum, and while one text is written.
    pub fn memory_bars(&self) -> [Bar; 2] {
        let speeds = &self.speeds;
        let (sum, decode) = (speeds.sum_bytes.median, speeds.decode_bytes_per_second());
        let most = sum.max(decode);
        let size = wording::bytes(speeds.weight_bytes);
        [
            Bar {
                label: "Adding up the weights",
                meaning: format!("a plain sum of {size}, one thread"),
                value: wording::bytes_per_second(sum),
                share: share(sum, most),
            },
            Bar {
                label: "Writing one text reads",
                meaning: format!("the same {size} for each token"),
                value: wording::bytes_per_second(decode),
                share: share(decode, most),
            },
        ]
    }

    /// Speed of reading weights while one text is written, as a share of the plain sum's: `76 %`.
    pub fn memory_share(&self) -> String {
        let part = self.speeds.decode_bytes_per_second() / self.speeds.sum_bytes.median;
        format!("{:.0} %", 100.0 * part)
    }

    /// A caution about the figures of a small model.
    pub fn note(&self) -> Option<&'static str> {
        (self.speeds.weight_bytes <= CACHE_BYTES).then_some(
            "A model this small may fit in the processor’s cache, which is faster than its memory; a larger model says more about this device.",
        )
    }

    /// Model, threads, kernels and rounds, in one line.
    pub fn conditions(&self) -> String {
        let Measured { speeds, model } = self;
        format!(
            "{} · {} · {} · {} · median of {}",
            wording::isolated(&model.name),
            wording::dtype(&model.dtype),
            wording::plural(speeds.threads, "thread", "threads"),
            speeds.simd,
            wording::plural(speeds.rounds, "round", "rounds"),
        )
    }

    /// The whole result as plain text, for a report or a comparison. `date`: already formatted.
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
                wording::dtype(&model.dtype),
                wording::weights(model.n_params),
                wording::bytes(model.size_bytes)
            ),
            format!(
                "Engine: {}, {}",
                wording::plural(speeds.threads, "thread", "threads"),
                speeds.simd
            ),
            line(&prefill, speeds.prefill, wording::per_second),
            line(&decode, speeds.decode, wording::per_second),
            line(&batch5, speeds.batch5, wording::per_second),
            line(&sum, speeds.sum_bytes, wording::bytes_per_second),
            format!(
                "{}: {}, {} of that ({})",
                reads.label,
                reads.value,
                self.memory_share(),
                reads.meaning
            ),
            format!(
                "Medians of {}, least to most in brackets",
                wording::plural(speeds.rounds, "round", "rounds")
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
