//! `RunFigures`: speed, time and memory of a finished run, as text.

use super::wording::{bytes, dtype, duration, isolated, per_second, plural};
use crate::protocol::{ModelInfo, RunStats};

/// The figures in the line under the tweets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFigures {
    /// New tokens of all sequences.
    pub tokens: String,
    /// Prompt pass and decoding together.
    pub time: String,
    /// New tokens per second of decoding, all sequences together.
    pub speed: String,
    /// Name and weight type.
    pub model: String,
    /// Threads and kernels.
    pub compute: String,
    /// The engine's memory.
    pub memory: String,
}

impl RunFigures {
    /// The figures of a finished run.
    pub fn new(stats: &RunStats, model: &ModelInfo) -> RunFigures {
        let speed = if stats.decode_ms > 0.0 {
            stats.new_tokens as f64 * 1000.0 / stats.decode_ms
        } else {
            0.0
        };
        RunFigures {
            tokens: plural(stats.new_tokens, "token", "tokens"),
            time: duration(stats.prefill_ms + stats.decode_ms),
            speed: per_second(speed),
            model: format!("{} · {}", isolated(&model.name), dtype(&model.dtype)),
            compute: format!(
                "{} · {}",
                plural(stats.threads, "thread", "threads"),
                stats.simd
            ),
            memory: format!("{} memory", bytes(stats.memory_bytes)),
        }
    }

    /// All figures, in the order of the line.
    pub fn all(self) -> [String; 6] {
        [
            self.tokens,
            self.time,
            self.speed,
            self.model,
            self.compute,
            self.memory,
        ]
    }
}
