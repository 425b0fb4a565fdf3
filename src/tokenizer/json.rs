//! `tokenizer.json`, read and written; `NamedToken`: an added token with the id that a file gives it.
//!
//! The tokenizers crate reads it; a file is untrusted, so lengths and ids that the crate does not check are compared
//! with limits first. Added tokens keep the ids of the file, where the crate would number them anew.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

use crate::json::{self, JsonError};
use crate::shown::beginning;

use super::{
    MAX_FILE_BYTES, MAX_TOKEN_BYTES, MAX_TOKENS, Tokenizer, TokenizerError, parts, placeholder,
};

/// Most ids without a token with which a vocabulary that is a list is filled up. Each costs memory that no byte of a file
/// accounts for.
const MAX_FILLED: usize = 1 << 12;

/// An added token with the id that a file gives it.
#[derive(Debug, Clone)]
pub(super) struct NamedToken {
    pub token: AddedToken,
    /// `None` for a token without an id in the file, as in `special_tokens_map.json`.
    pub id: Option<u32>,
}

/// An entry of `added_tokens`. Old files lack some of the flags.
#[derive(Deserialize)]
pub(super) struct AddedTokenJson {
    pub content: String,
    pub id: Option<u32>,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    #[serde(default)]
    pub special: bool,
}

impl From<AddedTokenJson> for NamedToken {
    fn from(json: AddedTokenJson) -> Self {
        Self {
            token: AddedToken {
                content: json.content,
                single_word: json.single_word,
                lstrip: json.lstrip,
                rstrip: json.rstrip,
                normalized: json.normalized.unwrap_or(!json.special),
                special: json.special,
            },
            id: json.id,
        }
    }
}

/// The JSON object in a file.
///
/// # Errors
/// [`TokenizerError::FileTooLong`], [`TokenizerError::OtherFile`], [`TokenizerError::Json`].
pub(super) fn object(
    file: &'static str,
    bytes: &[u8],
) -> Result<Map<String, Value>, TokenizerError> {
    check_file_size(file, bytes)?;
    json::from_slice(bytes).map_err(|error| match error {
        JsonError::Other { found } => TokenizerError::OtherFile { file, found },
        JsonError::List => TokenizerError::Malformed {
            origin: file,
            reason: error.to_string(),
        },
        JsonError::Malformed(source) => TokenizerError::Json { file, source },
    })
}

/// Refuses a file that is longer than [`MAX_FILE_BYTES`].
pub(super) fn check_file_size(file: &'static str, bytes: &[u8]) -> Result<(), TokenizerError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(TokenizerError::FileTooLong {
            file,
            got: bytes.len(),
            most: MAX_FILE_BYTES,
        });
    }
    Ok(())
}

/// The tokenizer in the bytes of a `tokenizer.json`.
///
/// # Errors
/// [`TokenizerError`].
pub(super) fn read(file: &'static str, bytes: &[u8]) -> Result<Tokenizer, TokenizerError> {
    let mut content = object(file, bytes)?;
    let added = take_added(file, &mut content)?;
    build(file, content, added)
}

/// Takes the added tokens out of the content of a `tokenizer.json`.
///
/// # Errors
/// [`TokenizerError::Malformed`].
pub(super) fn take_added(
    origin: &'static str,
    file: &mut Map<String, Value>,
) -> Result<Vec<NamedToken>, TokenizerError> {
    let added = match file.remove("added_tokens") {
        Some(added) if !added.is_null() => Vec::<AddedTokenJson>::deserialize(added),
        _ => Ok(Vec::new()),
    };
    let added = added.map_err(|source| TokenizerError::Malformed {
        origin,
        reason: source.to_string(),
    })?;
    Ok(added.into_iter().map(NamedToken::from).collect())
}

/// The tokenizer in the content of a `tokenizer.json` without its added tokens, and with these; `origin` is the file that
/// the content was read from or made of.
///
/// # Errors
/// [`TokenizerError`].
pub(super) fn build(
    origin: &'static str,
    mut file: Map<String, Value>,
    added: Vec<NamedToken>,
) -> Result<Tokenizer, TokenizerError> {
    let malformed = |reason: String| TokenizerError::Malformed { origin, reason };
    if file.get("pre_tokenizer").is_some_and(has_empty_chunks) {
        return Err(malformed("it asks for words of length 0".to_owned()));
    }
    // Truncation and padding are settings of the caller, saved with the tokenizer by the program that wrote the file.
    file.remove("truncation");
    file.remove("padding");
    let model = file.get_mut("model").and_then(Value::as_object_mut);
    let model = model.ok_or_else(|| malformed("it has no model".to_owned()))?;
    let (n_tokens, longest) = check_model(model)?;
    let added = with_given_ids(model, n_tokens, added)?;
    let settings = parts::SETTINGS.map(|key| {
        let part = file.get(key).cloned().unwrap_or_default();
        (key.to_owned(), part)
    });
    // Post-processors add tokens, or move offsets, which are not used here.
    file.remove("post_processor");
    let mut inner = parts::read(file).map_err(malformed)?;
    inner
        .add_tokens(added)
        .map_err(|error| malformed(error.to_string()))?;
    let mut tokenizer = Tokenizer::new(inner, n_tokens, longest);
    tokenizer.settings = settings.into_iter().collect();
    Ok(tokenizer)
}

/// Whether the pre-tokenizer asks for words of length 0, at which the crate would panic.
fn has_empty_chunks(pre_tokenizer: &Value) -> bool {
    match pre_tokenizer {
        Value::Object(part) => {
            part.get("length").is_some_and(|length| length == 0)
                || part.values().any(has_empty_chunks)
        }
        Value::Array(parts) => parts.iter().any(has_empty_chunks),
        _ => false,
    }
}

/// Compares a model's vocabulary and merges with the limits. Returns the largest id plus one, and the number of
/// characters of the longest token.
fn check_model(model: &mut Map<String, Value>) -> Result<(usize, usize), TokenizerError> {
    // Dropout is for training: it would make the ids of a text a matter of chance.
    model.remove("dropout");
    let mut longest_bytes = 0;
    let (mut end, mut longest, mut n_tokens) = (0, 0, 0);
    let mut check = |token: &str, id: usize| {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenizerError::TokenTooLong {
                id,
                got: token.len(),
                most: MAX_TOKEN_BYTES,
            });
        }
        longest_bytes = longest_bytes.max(token.len());
        longest = longest.max(token.chars().count());
        end = end.max(id + 1);
        n_tokens += 1;
        Ok(())
    };
    match model.get("vocab") {
        Some(Value::Object(vocab)) => {
            let mut ids = HashSet::with_capacity(vocab.len());
            for (token, id) in vocab {
                let id = id_within_limits(token, id)?;
                check(token, id)?;
                if !ids.insert(id) {
                    return Err(TokenizerError::DuplicateToken {
                        token: token.clone(),
                    });
                }
            }
        }
        Some(Value::Array(vocab)) => {
            for (id, entry) in vocab.iter().enumerate() {
                check(entry[0].as_str().unwrap_or_default(), id)?;
            }
        }
        _ => {}
    }
    if n_tokens == 0 || n_tokens > MAX_TOKENS {
        return Err(TokenizerError::VocabularySize {
            got: n_tokens,
            most: MAX_TOKENS,
        });
    }
    let prefix = model.get("continuing_subword_prefix");
    let prefix_len = prefix.and_then(Value::as_str).map_or(0, str::len);
    let merges = model.get("merges").and_then(Value::as_array);
    for (rank, merge) in merges.into_iter().flatten().enumerate() {
        let pair = match merge {
            Value::String(line) => parts::split_merge(line),
            pair => pair[0].as_str().zip(pair[1].as_str()),
        };
        // The crate joins the two tokens in a buffer of the longest token's size.
        let fits = pair.is_some_and(|(left, right)| {
            right
                .get(prefix_len..)
                .is_some_and(|right| left.len() + right.len() <= longest_bytes)
        });
        if !fits {
            return Err(bad_merge(
                rank,
                merge.as_str().unwrap_or(&merge.to_string()),
            ));
        }
    }
    Ok((end, longest))
}

/// The error for a merge, whose text may be of any length.
pub(super) fn bad_merge(rank: usize, text: &str) -> TokenizerError {
    TokenizerError::BadMerge {
        rank,
        merge: beginning(text, 80),
    }
}

fn id_within_limits(token: &str, id: &Value) -> Result<usize, TokenizerError> {
    let number = id.as_u64().and_then(|id| usize::try_from(id).ok());
    number
        .filter(|id| *id < MAX_TOKENS)
        .ok_or_else(|| TokenizerError::IdTooLarge {
            token: beginning(token, 80),
            id: beginning(&id.to_string(), 80),
            most: MAX_TOKENS,
        })
}

/// The added tokens with their ids: those of the vocabulary, else those of the file, else the next ones, `end` being one
/// more than the vocabulary's largest.
///
/// The crate numbers added tokens that the vocabulary lacks from the vocabulary's end on, whatever ids the file gives.
/// Where the file's ids differ from these numbers, the tokens are written into the vocabulary first.
fn with_given_ids(
    model: &mut Map<String, Value>,
    end: usize,
    added: Vec<NamedToken>,
) -> Result<Vec<AddedToken>, TokenizerError> {
    let known: HashSet<String> = match model.get("vocab") {
        _ if added.is_empty() => HashSet::new(),
        Some(Value::Object(vocab)) => {
            let texts = added.iter().map(|named| &named.token.content);
            texts
                .filter(|text| vocab.contains_key(*text))
                .cloned()
                .collect()
        }
        Some(Value::Array(vocab)) => {
            let texts: HashSet<&str> = added.iter().map(|a| &*a.token.content).collect();
            let vocab = vocab.iter().filter_map(|entry| entry[0].as_str());
            vocab
                .filter(|token| texts.contains(token))
                .map(str::to_owned)
                .collect()
        }
        _ => HashSet::new(),
    };
    let stated = added.iter().filter(|a| !known.contains(&a.token.content));
    let stated = stated
        .filter_map(|named| Some((named.id? as usize).saturating_add(1)))
        .max();
    let mut next = stated.unwrap_or(0).max(end);
    let mut tokens = Vec::new();
    let mut new = Vec::new();
    for NamedToken { token, id } in added {
        if token.content.len() > MAX_TOKEN_BYTES {
            return Err(TokenizerError::TokenTooLong {
                id: id.unwrap_or(0) as usize,
                got: token.content.len(),
                most: MAX_TOKEN_BYTES,
            });
        }
        if token.content.is_empty() {
            continue;
        }
        if !known.contains(&token.content) {
            let id = id.map_or_else(
                || {
                    next = next.saturating_add(1);
                    (next - 1) as u64
                },
                u64::from,
            );
            let id = id_within_limits(&token.content, &id.into())?;
            new.push((token.content.clone(), id));
        }
        tokens.push(token);
    }
    let len = match model.get("vocab") {
        Some(Value::Object(vocab)) => vocab.len(),
        Some(Value::Array(vocab)) => vocab.len(),
        _ => 0,
    };
    if new
        .iter()
        .zip(len..)
        .any(|((_, id), counted)| *id != counted)
    {
        place(model, &mut new);
    }
    Ok(tokens)
}

/// Writes tokens into the vocabulary; the crate numbers a token whose id is taken.
fn place(model: &mut Map<String, Value>, new: &mut [(String, usize)]) {
    match model.get_mut("vocab") {
        Some(Value::Object(vocab)) => {
            let mut ids: HashSet<u64> = vocab.values().filter_map(Value::as_u64).collect();
            for (token, id) in new {
                if ids.insert(*id as u64) {
                    vocab.insert(std::mem::take(token), (*id).into());
                }
            }
        }
        Some(Value::Array(vocab)) => {
            // The place in the list is the id; gaps before it are filled with placeholders. No model has a row
            // for a token far behind the others.
            let score = vocab.iter().filter_map(|entry| entry[1].as_f64());
            let lowest = score.fold(0.0, f64::min);
            new.sort_by_key(|(_, id)| *id);
            let mut to_fill = MAX_FILLED;
            for (token, id) in new {
                let missing = id.saturating_sub(vocab.len());
                // The crate then numbers this token and those after it.
                let Some(left) = to_fill.checked_sub(missing) else {
                    break;
                };
                to_fill = left;
                while vocab.len() < *id {
                    let hole = placeholder(vocab.len());
                    vocab.push(serde_json::json!([hole, lowest]));
                }
                if vocab.len() == *id {
                    vocab.push(serde_json::json!([token, lowest]));
                }
            }
        }
        _ => {}
    }
}

impl Tokenizer {
    /// The tokenizer in the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError`] if the file is damaged or describes no tokenizer.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TokenizerError> {
        read("tokenizer.json", bytes)
    }

    /// The tokenizer as a `tokenizer.json`, in one line.
    ///
    /// # Errors
    /// [`TokenizerError::Malformed`] if a part of the tokenizer cannot be written.
    pub fn to_json(&self) -> Result<String, TokenizerError> {
        self.write().map_err(|reason| TokenizerError::Malformed {
            origin: "its parts",
            reason,
        })
    }
}
