//! Reads and writes a tokenizer in the metadata of a GGUF file, under the keys that GGUF has for it.

use std::collections::BTreeMap;

use crate::tokenizer::{GgufTokenizer, TokenizerError};
use crate::weights::WeightsError;
use crate::weights::gguf::Value;

use super::EngineError;

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TOKEN_TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const UNKNOWN: &str = "tokenizer.ggml.unknown_token_id";
const PADDING: &str = "tokenizer.ggml.padding_token_id";
const ADD_SPACE_PREFIX: &str = "tokenizer.ggml.add_space_prefix";
const JSON: &str = "tokenizer.huggingface.json";
/// GGUF has no key for it.
const SPLIT_SPECIAL_TOKENS: &str = "huggingtweets.tokenizer.split_special_tokens";

/// Takes the tokenizer's lists out of a file's metadata, which saves a copy of 100,000 strings.
///
/// # Errors
/// [`EngineError::Weights`] if a key is missing or of another type.
pub fn take(metadata: &mut BTreeMap<String, Value>) -> Result<GgufTokenizer, EngineError> {
    let model = metadata.get(MODEL).and_then(Value::as_str);
    let model = model.ok_or_else(|| missing(MODEL))?.to_owned();
    let json = match metadata.remove(JSON) {
        Some(Value::String(json)) => Some(json),
        _ => None,
    };
    if json.is_none() && model != "gpt2" {
        return Err(EngineError::Tokenizer(TokenizerError::Unsupported {
            got: model,
        }));
    }
    let token_id = |key: &str| {
        let id = metadata.get(key).and_then(Value::as_u64);
        id.and_then(|id| u32::try_from(id).ok())
    };
    let (unknown_id, padding_id) = (token_id(UNKNOWN), token_id(PADDING));
    let pre = metadata.get(PRE).and_then(Value::as_str);
    let pre = pre.map(str::to_owned);
    let is_true = |key: &str| metadata.get(key) == Some(&Value::Bool(true));
    let adds_space_prefix = is_true(ADD_SPACE_PREFIX);
    let splits_special_tokens = is_true(SPLIT_SPECIAL_TOKENS);
    let mut strings = |key: &str| match metadata.remove(key) {
        Some(Value::Strings(strings)) => Ok(Some(strings)),
        Some(_) => Err(wrong_type(key, "a list of strings")),
        None => Ok(None),
    };
    let tokens = strings(TOKENS)?.ok_or_else(|| missing(TOKENS))?;
    let merges = strings(MERGES)?;
    let has_merges = merges.is_some();
    let tokenizer = GgufTokenizer {
        model,
        pre,
        tokens,
        token_types: integers(metadata.remove(TOKEN_TYPES))?,
        merges: merges.unwrap_or_default(),
        json,
        unknown_id,
        padding_id,
        adds_space_prefix,
        splits_special_tokens,
    };
    // Programs that write GGUF leave an empty list out, which is right for a vocabulary of single bytes alone.
    if !has_merges && tokenizer.json.is_none() && tokenizer.has_joined_tokens() {
        return Err(missing(MERGES));
    }
    Ok(tokenizer)
}

/// The entries that [`take`] reads back.
pub fn entries(tokenizer: GgufTokenizer) -> Vec<(String, Value)> {
    let GgufTokenizer {
        model,
        pre,
        tokens,
        token_types,
        merges,
        json,
        unknown_id,
        padding_id,
        adds_space_prefix,
        splits_special_tokens,
    } = tokenizer;
    let token_id = |id: u32| Value::UInt(id.into());
    let entries = [
        (MODEL, Some(Value::String(model))),
        (
            PRE,
            Some(Value::String(pre.unwrap_or_else(|| "gpt-2".to_owned()))),
        ),
        (TOKENS, Some(Value::Strings(tokens))),
        (TOKEN_TYPES, Some(Value::Ints(token_types))),
        (MERGES, Some(Value::Strings(merges))),
        (JSON, json.map(Value::String)),
        (UNKNOWN, unknown_id.map(token_id)),
        (PADDING, padding_id.map(token_id)),
        (
            ADD_SPACE_PREFIX,
            adds_space_prefix.then_some(Value::Bool(true)),
        ),
        (
            SPLIT_SPECIAL_TOKENS,
            splits_special_tokens.then_some(Value::Bool(true)),
        ),
    ];
    entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

/// A list of integers of any width; empty if it is absent.
fn integers(value: Option<Value>) -> Result<Vec<i32>, EngineError> {
    let wrong = || wrong_type(TOKEN_TYPES, "a list of whole numbers");
    match value {
        None => Ok(Vec::new()),
        Some(Value::Ints(list)) => Ok(list),
        Some(Value::Array(list)) => list
            .iter()
            .map(|value| {
                let number = value.as_u64().and_then(|n| i32::try_from(n).ok());
                number.ok_or_else(wrong)
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

fn wrong_type(key: &str, expected: &'static str) -> EngineError {
    EngineError::Weights(WeightsError::WrongKeyType {
        key: key.to_owned(),
        expected,
    })
}

fn missing(key: &str) -> EngineError {
    EngineError::Weights(WeightsError::MissingKey {
        key: key.to_owned(),
    })
}
