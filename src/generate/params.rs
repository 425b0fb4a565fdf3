//! `GenerationParams`: what shapes the text, with `transformers`' names and meanings, checked once.

use serde::{Deserialize, Serialize};

/// How to continue a prompt. Names, ranges and meanings are those of Hugging Face `generate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationParams {
    /// Most new tokens per sequence; wins over `max_length` when set.
    pub max_new_tokens: Option<usize>,
    /// Most tokens in all: prefix, prompt and new ones.
    pub max_length: usize,
    /// The end-of-text token is forbidden while prefix, prompt and new tokens number fewer than this.
    pub min_length: usize,
    /// Draw from the distribution; `false` always takes the most probable token.
    pub do_sample: bool,
    /// Divides the logits; above 0.
    pub temperature: f32,
    /// Keep the k most probable tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the most probable tokens up to this total, the crossing one included; above 0, at most 1.
    pub top_p: f32,
    /// Divides positive and multiplies negative logits of tokens already there; 1 changes nothing.
    pub repetition_penalty: f32,
    /// Sequences written at once, 1 to 10.
    pub num_return_sequences: usize,
    /// Whether a result repeats the prompt in front of the continuation.
    pub return_full_text: bool,
    /// Put before the prompt, not shown.
    pub prefix: String,
    /// Sequence i draws with `seed + i` (wrapping); `None` lets the caller pick one.
    pub seed: Option<u32>,
    /// End a sequence before its first line break.
    pub stop_at_newline: bool,
}

impl Default for GenerationParams {
    /// The published huggingtweets bots' own parameters.
    fn default() -> Self {
        Self {
            max_new_tokens: None,
            max_length: 160,
            min_length: 10,
            do_sample: true,
            temperature: 1.0,
            top_k: 50,
            top_p: 0.95,
            repetition_penalty: 1.0,
            num_return_sequences: 5,
            return_full_text: true,
            prefix: "<|endoftext|>".to_owned(),
            seed: None,
            stop_at_newline: false,
        }
    }
}
