//! The parts of a `tokenizer.json` as the crate's types.
//!
//! `tokenizers::Tokenizer::from_str` reads all but vocabulary and merges. It is compiled in its crate, for small code;
//! reading each part by its type would compile the readers of all families once more here, for speed, which is 200 kB of
//! the worker's program. Vocabulary and merges are large and are moved into the model.

use std::str::FromStr as _;

use serde_json::{Map, Value, json};
use tokenizers::ModelWrapper;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::models::wordpiece::WordPiece;

use super::decoder::AddedTokenDecoder;
use super::{Inner, Tokenizer, added_tokens};

/// The parts beside the model, by their keys. All are small.
pub(super) const SETTINGS: [&str; 4] = ["normalizer", "pre_tokenizer", "post_processor", "decoder"];

/// The crate's tokenizer of a `tokenizer.json` without added tokens.
///
/// # Errors
/// The crate's message, or a sentence about the vocabulary.
pub(super) fn read(mut file: Map<String, Value>) -> Result<Inner, String> {
    let mut large = Map::new();
    if let Some(Value::Object(model)) = file.get_mut("model") {
        for key in ["vocab", "merges", "unk_id"] {
            let Some(value) = model.get_mut(key) else {
                continue;
            };
            // The empty value has the same type, which tells the families of old files apart.
            let empty = match value {
                Value::Object(_) => json!({}),
                Value::Array(_) => json!([]),
                Value::Number(_) => Value::Null,
                _ => continue,
            };
            large.insert(key.to_owned(), std::mem::replace(value, empty));
        }
    }
    let settings = tokenizers::Tokenizer::from_str(&Value::Object(file).to_string());
    let settings = settings.map_err(|error| error.to_string())?;
    let model = with_vocabulary(settings.get_model(), large)?;
    with_parts_of(model, &settings)
}

/// The crate's tokenizer of a model and the parts beside it.
///
/// # Errors
/// The crate's message.
pub(super) fn with_settings(
    model: ModelWrapper,
    settings: &Map<String, Value>,
) -> Result<Inner, String> {
    let mut file = settings.clone();
    let none = json!({ "type": "BPE", "vocab": {}, "merges": [] });
    file.insert("model".to_owned(), none);
    let settings = tokenizers::Tokenizer::from_str(&Value::Object(file).to_string());
    with_parts_of(model, &settings.map_err(|error| error.to_string())?)
}

fn with_parts_of(model: ModelWrapper, settings: &tokenizers::Tokenizer) -> Result<Inner, String> {
    let mut inner = Inner::new(model);
    // Either cannot fail: no token is added yet.
    let normalizer = inner.with_normalizer(settings.get_normalizer().cloned());
    normalizer.map_err(|error| error.to_string())?;
    inner.with_pre_tokenizer(settings.get_pre_tokenizer().cloned());
    let decoder = settings.get_decoder().cloned();
    inner.with_decoder(decoder.map(AddedTokenDecoder::from));
    Ok(inner)
}

/// The model with the settings of an empty one.
fn with_vocabulary(
    settings: &ModelWrapper,
    mut large: Map<String, Value>,
) -> Result<ModelWrapper, String> {
    let vocab = large.remove("vocab").unwrap_or_default();
    let built = match settings {
        ModelWrapper::BPE(settings) => {
            let merges = merges(large.remove("merges").unwrap_or_default())?;
            let prefix = settings.continuing_subword_prefix.clone();
            bpe(ids(vocab)?, merges, prefix).map(|mut bpe| {
                bpe.unk_token.clone_from(&settings.unk_token);
                let suffix = &settings.end_of_word_suffix;
                bpe.end_of_word_suffix.clone_from(suffix);
                bpe.fuse_unk = settings.fuse_unk;
                bpe.byte_fallback = settings.byte_fallback;
                bpe.ignore_merges = settings.ignore_merges;
                ModelWrapper::BPE(bpe)
            })
        }
        ModelWrapper::WordPiece(settings) => WordPiece::builder()
            .vocab(ids(vocab)?)
            .unk_token(settings.unk_token.clone())
            .continuing_subword_prefix(settings.continuing_subword_prefix.clone())
            .max_input_chars_per_word(settings.max_input_chars_per_word)
            .build()
            .map(ModelWrapper::WordPiece),
        ModelWrapper::WordLevel(settings) => WordLevel::builder()
            .vocab(ids(vocab)?)
            .unk_token(settings.unk_token.clone())
            .build()
            .map(ModelWrapper::WordLevel),
        ModelWrapper::Unigram(settings) => {
            let unknown = match large.get("unk_id") {
                Some(id) => Some(usize::try_from(id.as_u64().ok_or("unk_id is no id")?)),
                None => None,
            };
            let unknown = unknown.transpose().map_err(|error| error.to_string())?;
            Unigram::from(scores(vocab)?, unknown, settings.byte_fallback())
                .map(ModelWrapper::Unigram)
        }
    };
    built.map_err(|error| error.to_string())
}

/// A byte pair encoding without options.
pub(super) fn bpe(
    vocab: Vocab,
    merges: Vec<(String, String)>,
    continuing_subword_prefix: Option<String>,
) -> tokenizers::Result<BPE> {
    // A cache of words would outlive the tokenizer: the crate keeps it per thread.
    let mut builder = BPE::builder()
        .vocab_and_merges(vocab, merges)
        .cache_capacity(0);
    if let Some(prefix) = continuing_subword_prefix {
        builder = builder.continuing_subword_prefix(prefix);
    }
    builder.build()
}

/// The parts beside the model of a byte-level BPE, as `transformers` makes them for GPT-2.
pub(super) fn byte_level(add_prefix_space: bool) -> Map<String, Value> {
    let part = |add_prefix_space: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": true,
        })
    };
    let values = [Value::Null, part(add_prefix_space), Value::Null, part(true)];
    SETTINGS
        .map(str::to_owned)
        .into_iter()
        .zip(values)
        .collect()
}

/// A vocabulary of tokens with ids.
fn ids(vocab: Value) -> Result<Vocab, String> {
    let Value::Object(vocab) = vocab else {
        return Err("its vocabulary is no map of tokens to ids".to_owned());
    };
    let mut ids = Vocab::with_capacity(vocab.len());
    for (token, id) in vocab {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
        ids.insert(token, id.ok_or("an id is no whole number")?);
    }
    Ok(ids)
}

/// A vocabulary of tokens with scores.
fn scores(vocab: Value) -> Result<Vec<(String, f64)>, String> {
    let Value::Array(vocab) = vocab else {
        return Err("its vocabulary is no list of tokens with scores".to_owned());
    };
    let entries = vocab.into_iter().map(|mut entry| {
        let score = entry.get(1).and_then(Value::as_f64);
        match entry.get_mut(0).map(Value::take) {
            Some(Value::String(token)) => Some((token, score?)),
            _ => None,
        }
    });
    let entries: Option<Vec<_>> = entries.collect();
    entries.ok_or_else(|| "an entry of its vocabulary is no token with a score".to_owned())
}

/// The two tokens of a merge in one line.
pub(super) fn split_merge(line: &str) -> Option<(&str, &str)> {
    line.split_once(' ')
        .filter(|(left, right)| !left.is_empty() && !right.is_empty() && !right.contains(' '))
}

/// The merges as pairs, from either form of them.
fn merges(merges: Value) -> Result<Vec<(String, String)>, String> {
    let Value::Array(merges) = merges else {
        return Err("its merges are no list".to_owned());
    };
    let is_comment = |merge: &Value| merge.as_str().is_some_and(|m| m.starts_with("#version"));
    let pairs = merges.into_iter().filter(|merge| !is_comment(merge));
    let pairs = pairs.map(|merge| match merge {
        Value::String(mut line) => {
            let (left, right) = split_merge(&line)?;
            let (end, right) = (left.len(), right.to_owned());
            line.truncate(end);
            Some((line, right))
        }
        mut pair => match [0, 1].map(|side| pair.get_mut(side).map(Value::take)) {
            [Some(Value::String(left)), Some(Value::String(right))] => Some((left, right)),
            _ => None,
        },
    });
    let pairs: Option<Vec<_>> = pairs.collect();
    pairs.ok_or_else(|| "one of its merges is not two tokens".to_owned())
}

impl Tokenizer {
    /// The tokenizer as a `tokenizer.json`, in one line.
    ///
    /// # Errors
    /// The message of the model's writer.
    pub(super) fn write(&self) -> Result<String, String> {
        let model = match self.inner.get_model() {
            ModelWrapper::BPE(model) => serde_json::to_value(model),
            ModelWrapper::WordPiece(model) => serde_json::to_value(model),
            ModelWrapper::WordLevel(model) => serde_json::to_value(model),
            ModelWrapper::Unigram(model) => serde_json::to_value(model),
        };
        let added = added_tokens(&self.inner).into_iter().map(|(id, token)| {
            json!({
                "id": id,
                "content": token.content,
                "single_word": token.single_word,
                "lstrip": token.lstrip,
                "rstrip": token.rstrip,
                "normalized": token.normalized,
                "special": token.special,
            })
        });
        let mut file = self.settings.clone();
        file.insert("version".to_owned(), "1.0".into());
        file.insert("added_tokens".to_owned(), added.collect());
        let model = model.map_err(|error| error.to_string())?;
        file.insert("model".to_owned(), model);
        Ok(Value::Object(file).to_string())
    }
}
