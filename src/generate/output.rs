//! `StepOutput`: the tokens and finished texts of one step of a generation, also as they cross the worker's channel.

use serde::{Deserialize, Serialize};

/// One result of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutput {
    /// A sequence has one more token.
    Token(NewToken),
    /// A sequence is complete.
    Finished(FinishedSequence),
}

/// One more token of one sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewToken {
    /// 0-based index of the sequence.
    pub sequence: usize,
    /// The token, the end-of-text token included.
    pub token_id: u32,
    /// Text that became whole with it, empty inside a character. A sequence's pieces together are its continuation.
    pub text: String,
    /// Its probability, see [`Sample::prob`](super::sampler::Sample::prob).
    pub prob: f32,
}

/// A complete sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinishedSequence {
    /// 0-based index of the sequence.
    pub sequence: usize,
    /// Prompt as typed and continuation, or the continuation alone, as `return_full_text` asks.
    pub generated_text: String,
    /// All its new tokens, the last one included.
    pub token_ids: Vec<u32>,
    /// Why it ended.
    pub stop_reason: StopReason,
}

/// Why a sequence ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model wrote its end-of-text token.
    EndOfText,
    /// `max_length` or `max_new_tokens` was reached.
    Length,
    /// One of `stop_strings` was written.
    StopString,
    /// A line break came and `stop_at_newline` was set.
    Newline,
    /// The generation was stopped.
    Stopped,
}
