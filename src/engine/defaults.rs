//! The generation parameters of a model, and the notices of its files, in the metadata of its GGUF file.
//!
//! GGUF has no keys for them, so they have a prefix of our own. That of the parameters is followed by the name of the
//! field of [`GenerationParams`]; lists are JSON. Other programs skip unknown keys.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::generate::model_defaults::ModelDefaults;
use crate::generate::parameter::{Parameter, Range};
use crate::generate::params::GenerationParams;
use crate::json::map_of;
use crate::notice::Notice;
use crate::shown::beginning;
use crate::weights::gguf::Value;

use super::special_tokens::GGUF;

const PREFIX: &str = "huggingtweets.generation.";
/// Only this program writes this key, and always writes it.
const MARK: &str = "huggingtweets.generation.max_length";
const NOTICES: &str = "huggingtweets.notices";
/// Most notices that a file may hold.
const MOST_NOTICES: usize = 64;
/// Most characters of a notice in a file.
const MOST_CHARS: usize = 400;

/// Whether a file states parameters under these keys, which only this program writes.
pub fn are_in(metadata: &BTreeMap<String, Value>) -> bool {
    metadata.contains_key(MARK)
}

/// The parameters of a file with `vocab_size` tokens, as [`ModelDefaults`] reads them; a parameter that is missing has the default of the bots,
/// but for `min_length` in a file that states none.
pub fn from_metadata(metadata: &BTreeMap<String, Value>, vocab_size: usize) -> ModelDefaults {
    let stated = Parameter::ALL.into_iter().filter_map(|parameter| {
        let value = metadata.get(&key(parameter))?;
        Some((parameter.name().to_owned(), to_json(parameter, value)))
    });
    let stated: Map<String, Json> = map_of(stated);
    let base = match stated.is_empty() {
        // Of another program: its texts end where its end token comes, as in llama.cpp.
        true => GenerationParams {
            min_length: 0,
            ..GenerationParams::default()
        },
        false => GenerationParams::default(),
    };
    ModelDefaults::of_values(base, vocab_size, GGUF, &stated)
}

/// The entries that [`from_metadata`] reads. A parameter that has no effect, and that only few programs know, is left
/// out.
pub fn to_metadata(params: &GenerationParams) -> Vec<(String, Value)> {
    let base = GenerationParams::of_the_library();
    let is_always_there = |parameter| {
        matches!(
            parameter,
            Parameter::MaxLength
                | Parameter::MinLength
                | Parameter::DoSample
                | Parameter::Temperature
                | Parameter::TopK
                | Parameter::TopP
                | Parameter::RepetitionPenalty
                | Parameter::NumReturnSequences
                | Parameter::Prefix
        )
    };
    let entry = |parameter: Parameter| {
        let value = parameter.value_of(params);
        let is_stated = is_always_there(parameter) || value != parameter.value_of(&base);
        (is_stated && parameter.is_in_files())
            .then(|| Some((key(parameter), from_json(&value)?)))?
    };
    Parameter::ALL.into_iter().filter_map(entry).collect()
}

/// The notices of the files that a GGUF was made of.
pub fn notices_of(metadata: &BTreeMap<String, Value>) -> Vec<Notice> {
    let Some(Value::Strings(texts)) = metadata.get(NOTICES) else {
        return Vec::new();
    };
    let notice = |text: &String| {
        let text = beginning(text, MOST_CHARS);
        let (file, fact) = text.split_once(": ")?;
        Some(Notice::new(file, fact))
    };
    texts.iter().take(MOST_NOTICES).filter_map(notice).collect()
}

/// The entry that [`notices_of`] reads; none without notices.
pub fn notices_entry(notices: &[Notice]) -> Option<(String, Value)> {
    let texts: Vec<String> = notices.iter().map(Notice::to_string).collect();
    (!texts.is_empty()).then(|| (NOTICES.to_owned(), Value::Strings(texts)))
}

fn key(parameter: Parameter) -> String {
    format!("{PREFIX}{}", parameter.name())
}

/// The value as [`Parameter::read`] takes it.
fn to_json(parameter: Parameter, value: &Value) -> Json {
    let is_list = !matches!(
        parameter.range(),
        Range::Whole { .. } | Range::Decimal { .. } | Range::Switch | Range::Text
    );
    match value {
        Value::String(text) if is_list => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str()))
        }
        value => value.to_json(),
    }
}

fn from_json(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(is_on) => Value::Bool(*is_on),
        Json::Number(number) => match number.as_u64() {
            Some(n) => Value::UInt(n),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text.clone()),
        list => Value::String(list.to_string()),
    })
}
