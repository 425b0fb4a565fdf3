//! The generation parameters of a model in the metadata of its GGUF file.
//!
//! GGUF has no keys for them, so they have a prefix of our own, `huggingtweets.generation.`, followed by the name of the
//! field of [`GenerationParams`]. Other programs skip unknown keys.

use std::collections::BTreeMap;

use crate::generate::params::GenerationParams;
use crate::weights::gguf::Value;

const MAX_NEW_TOKENS: &str = "huggingtweets.generation.max_new_tokens";
const MAX_LENGTH: &str = "huggingtweets.generation.max_length";
const MIN_LENGTH: &str = "huggingtweets.generation.min_length";
const DO_SAMPLE: &str = "huggingtweets.generation.do_sample";
const TEMPERATURE: &str = "huggingtweets.generation.temperature";
const TOP_K: &str = "huggingtweets.generation.top_k";
const TOP_P: &str = "huggingtweets.generation.top_p";
const REPETITION_PENALTY: &str = "huggingtweets.generation.repetition_penalty";
const NUM_RETURN_SEQUENCES: &str = "huggingtweets.generation.num_return_sequences";
const PREFIX: &str = "huggingtweets.generation.prefix";

/// Whether a file states parameters under these keys, which only this program writes.
pub fn are_in(metadata: &BTreeMap<String, Value>) -> bool {
    metadata.contains_key(MAX_LENGTH)
}

/// The parameters of a file; a parameter that is missing or of another type has the default of the bots.
///
/// Their ranges are not checked.
pub fn from_metadata(metadata: &BTreeMap<String, Value>) -> GenerationParams {
    let base = GenerationParams::default();
    let size = |key, or| {
        metadata
            .get(key)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(or)
    };
    let float = |key, or| {
        metadata
            .get(key)
            .and_then(Value::as_f64)
            .map_or(or, |x| x as f32)
    };
    GenerationParams {
        max_new_tokens: metadata
            .get(MAX_NEW_TOKENS)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok()),
        max_length: size(MAX_LENGTH, base.max_length),
        min_length: size(MIN_LENGTH, base.min_length),
        do_sample: match metadata.get(DO_SAMPLE) {
            Some(Value::Bool(do_sample)) => *do_sample,
            _ => base.do_sample,
        },
        temperature: float(TEMPERATURE, base.temperature),
        top_k: size(TOP_K, base.top_k),
        top_p: float(TOP_P, base.top_p),
        repetition_penalty: float(REPETITION_PENALTY, base.repetition_penalty),
        num_return_sequences: size(NUM_RETURN_SEQUENCES, base.num_return_sequences),
        prefix: metadata
            .get(PREFIX)
            .and_then(Value::as_str)
            .unwrap_or(&base.prefix)
            .to_owned(),
        ..base
    }
}

/// The entries that [`from_metadata`] reads.
pub fn to_metadata(params: &GenerationParams) -> Vec<(String, Value)> {
    let size = |n: usize| Value::UInt(n as u64);
    let float = |x: f32| Value::Float(f64::from(x));
    let mut entries = vec![
        (MAX_LENGTH, size(params.max_length)),
        (MIN_LENGTH, size(params.min_length)),
        (DO_SAMPLE, Value::Bool(params.do_sample)),
        (TEMPERATURE, float(params.temperature)),
        (TOP_K, size(params.top_k)),
        (TOP_P, float(params.top_p)),
        (REPETITION_PENALTY, float(params.repetition_penalty)),
        (NUM_RETURN_SEQUENCES, size(params.num_return_sequences)),
        (PREFIX, Value::String(params.prefix.clone())),
    ];
    if let Some(n) = params.max_new_tokens {
        entries.push((MAX_NEW_TOKENS, size(n)));
    }
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
