//! `TokenizerFiles`: the files of a model folder that its tokenizer is made of.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokenizers::AddedToken;

use super::json::{self, AddedTokenJson, NamedToken, check_file_size, object, without_bom};
use super::{END_OF_TEXT, Tokenizer, TokenizerError, parts};

/// The bytes of those files of [`TokenizerFiles::NAMES`] that a model has.
#[derive(Debug, Clone, Default)]
pub struct TokenizerFiles {
    files: BTreeMap<&'static str, Vec<u8>>,
}

const TOKENIZER: &str = "tokenizer.json";
const VOCAB: &str = "vocab.json";
const MERGES: &str = "merges.txt";
/// `vocab.json` and `merges.txt` under the names that OpenAI's release gave them.
const ENCODER: &str = "encoder.json";
const VOCAB_BPE: &str = "vocab.bpe";
const VOCAB_TXT: &str = "vocab.txt";
const ADDED_TOKENS: &str = "added_tokens.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SENTENCE_PIECE: &str = "spiece.model";

impl TokenizerFiles {
    /// The files that a tokenizer is made of: those of [`TokenizerFiles::ONE_OF`], of which one entry suffices, and
    /// those of [`TokenizerFiles::OPTIONAL`].
    pub const NAMES: [&str; 10] = [
        TOKENIZER,
        VOCAB,
        MERGES,
        ENCODER,
        VOCAB_BPE,
        VOCAB_TXT,
        ADDED_TOKENS,
        SPECIAL_TOKENS_MAP,
        TOKENIZER_CONFIG,
        SENTENCE_PIECE,
    ];

    /// A tokenizer needs all files of one entry; the first complete entry is taken.
    pub const ONE_OF: [&[&str]; 4] = [
        &[TOKENIZER],
        &[VOCAB, MERGES],
        &[ENCODER, VOCAB_BPE],
        &[VOCAB_TXT],
    ];

    /// Files that add special tokens and their flags, where they exist.
    pub const OPTIONAL: [&str; 3] = [ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG];

    /// Takes the bytes of a file and returns true, if a tokenizer is made of files of this name; else returns false.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) -> bool {
        let known = Self::NAMES.iter().find(|known| **known == name);
        known.map(|known| self.files.insert(known, bytes)).is_some()
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The tokenizer that the files describe.
    ///
    /// # Errors
    /// [`TokenizerError::NoTokenizer`] if no entry of [`TokenizerFiles::ONE_OF`] is complete, else the error of the
    /// damaged file. An optional file that is not JSON is ignored.
    pub fn read(&self) -> Result<Tokenizer, TokenizerError> {
        let config = self.optional(TOKENIZER_CONFIG);
        if let Some(bytes) = self.get(TOKENIZER) {
            let mut file = object(TOKENIZER, bytes)?;
            apply_prefix_space(&mut file, &config);
            let kind = file.get("model").and_then(|model| model["type"].as_str());
            let defaults: &[&str] = match kind {
                Some("BPE") | None => &[END_OF_TEXT],
                Some(_) => &[],
            };
            return json::build(TOKENIZER, file, self.named_tokens(&config, defaults)?);
        }
        let pair = |vocab, merges| Some((vocab, self.get(vocab)?, merges, self.get(merges)?));
        if let Some(files) = pair(VOCAB, MERGES).or_else(|| pair(ENCODER, VOCAB_BPE)) {
            let (vocab, vocab_bytes, merges, merges_bytes) = files;
            let file = byte_level_bpe(
                object(vocab, vocab_bytes)?,
                lines(merges, merges_bytes)?,
                &config,
            );
            return json::build(vocab, file, self.named_tokens(&config, &[END_OF_TEXT])?);
        }
        if let Some(bytes) = self.get(VOCAB_TXT) {
            let file = word_piece(&lines(VOCAB_TXT, bytes)?, &config);
            let defaults = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"];
            return json::build(VOCAB_TXT, file, self.named_tokens(&config, &defaults)?);
        }
        Err(match self.get(SENTENCE_PIECE) {
            Some(_) => TokenizerError::SentencePiece {
                file: SENTENCE_PIECE,
            },
            None => TokenizerError::NoTokenizer,
        })
    }

    /// The object in an optional file; empty if the file is absent or holds no object.
    fn optional(&self, name: &'static str) -> Map<String, Value> {
        let bytes = self.get(name);
        bytes
            .and_then(|bytes| object(name, bytes).ok())
            .unwrap_or_default()
    }

    /// The added and special tokens of the files beside the vocabulary, as `transformers` 4 reads them.
    ///
    /// `defaults`: special tokens of the tokenizer's class, each used unless the files name another token for its role.
    fn named_tokens(
        &self,
        config: &Map<String, Value>,
        defaults: &[&str],
    ) -> Result<Vec<NamedToken>, TokenizerError> {
        let special_map = self.optional(SPECIAL_TOKENS_MAP);
        let mut special: Vec<NamedToken> = Vec::new();
        let mut roles: BTreeMap<&str, &Value> = BTreeMap::new();
        for (role, value) in config.iter().chain(&special_map) {
            if role.ends_with("_token") || role.ends_with("_special_tokens") {
                roles.insert(role, value);
            }
        }
        roles
            .values()
            .for_each(|value| push_special(value, &mut special));
        let is_complete = ["unk_token", "bos_token", "eos_token"]
            .iter()
            .all(|role| roles.get(role).is_some_and(|value| !value.is_null()));
        if !is_complete {
            special.extend(defaults.iter().map(|token| only_named(token)));
        }
        let mut named: Vec<NamedToken> = Vec::new();
        if let Some(Value::Object(decoder)) = config.get("added_tokens_decoder") {
            for (id, token) in decoder {
                if let (Ok(id), Ok(token)) = (id.parse(), AddedTokenJson::deserialize(token)) {
                    named.push(NamedToken {
                        id: Some(id),
                        ..token.into()
                    });
                }
            }
        }
        for (token, id) in self.optional(ADDED_TOKENS) {
            let Some(id) = id.as_u64().and_then(|id| u32::try_from(id).ok()) else {
                continue;
            };
            if named.iter().any(|named| named.token.content == token) {
                continue;
            }
            let flags = special
                .iter()
                .find(|special| special.token.content == token);
            named.push(NamedToken {
                token: match flags {
                    Some(special) => special.token.clone(),
                    None => AddedToken::from(token, false),
                },
                id: Some(id),
            });
        }
        for token in special {
            if !named.iter().any(|n| n.token.content == token.token.content) {
                named.push(token);
            }
        }
        named.sort_by_key(|named| named.id.unwrap_or(u32::MAX));
        Ok(named)
    }
}

/// A special token without flags.
fn only_named(token: &str) -> NamedToken {
    NamedToken {
        token: AddedToken::from(token, true),
        id: None,
    }
}

/// The special tokens that a value names: a text, an object with flags, or a list or object of these.
fn push_special(value: &Value, special: &mut Vec<NamedToken>) {
    match value {
        Value::String(token) => special.push(only_named(token)),
        Value::Array(values) => values.iter().for_each(|value| push_special(value, special)),
        Value::Object(object) => match AddedTokenJson::deserialize(value) {
            Ok(mut token) => {
                token.special = true;
                token.id = None;
                special.push(token.into());
            }
            Err(_) => object
                .values()
                .for_each(|value| push_special(value, special)),
        },
        _ => {}
    }
}

/// Replaces `add_prefix_space` of the `tokenizer.json` by that of the configuration, if both have it.
fn apply_prefix_space(file: &mut Map<String, Value>, config: &Map<String, Value>) {
    if let Some(Value::Bool(add)) = config.get("add_prefix_space")
        && let Some(Value::Object(part)) = file.get_mut("pre_tokenizer")
        && part.contains_key("add_prefix_space")
    {
        part.insert("add_prefix_space".to_owned(), (*add).into());
    }
}

/// The lines of a text file.
fn lines<'b>(file: &'static str, bytes: &'b [u8]) -> Result<Vec<&'b str>, TokenizerError> {
    check_file_size(file, bytes)?;
    let text =
        std::str::from_utf8(without_bom(bytes)).map_err(|_| TokenizerError::NotUtf8 { file })?;
    Ok(text.lines().collect())
}

/// The `tokenizer.json` that `transformers` makes of a GPT-2's vocabulary and merges.
fn byte_level_bpe(
    vocab: Map<String, Value>,
    merges: Vec<&str>,
    config: &Map<String, Value>,
) -> Map<String, Value> {
    // Only the first line is a comment: `#` is also a token and may open a merge.
    let is_comment = |line: &&str| line.starts_with("#version");
    let skip = usize::from(merges.first().is_some_and(is_comment));
    let merges = merges
        .into_iter()
        .skip(skip)
        .filter(|line| !line.is_empty());
    let add_prefix_space = config.get("add_prefix_space") == Some(&Value::Bool(true));
    let mut file = parts::byte_level(add_prefix_space);
    file.insert("version".to_owned(), "1.0".into());
    let merges = merges.map(Value::from).collect::<Value>();
    // Moved in, not copied.
    let model = [
        ("type", Value::from("BPE")),
        ("vocab", vocab.into()),
        ("merges", merges),
    ];
    let model = model.map(|(key, value)| (key.to_owned(), value));
    file.insert("model".to_owned(), model.into_iter().collect());
    file
}

/// The `tokenizer.json` that `transformers` makes of a BERT vocabulary, as the Chinese GPT-2s have it.
fn word_piece(tokens: &[&str], config: &Map<String, Value>) -> Map<String, Value> {
    let flag = |key: &str, or: bool| config.get(key).and_then(Value::as_bool).unwrap_or(or);
    // If a token occurs twice, its last line counts.
    let tokens = tokens.iter().zip(0..);
    let vocab = tokens
        .map(|(token, id)| ((*token).to_owned(), Value::from(id)))
        .collect();
    let unknown = config.get("unk_token").and_then(Value::as_str);
    let parts = json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": flag("tokenize_chinese_chars", true),
            "strip_accents": config.get("strip_accents").and_then(Value::as_bool),
            "lowercase": flag("do_lower_case", true),
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": null,
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": {
            "type": "WordPiece",
            "unk_token": unknown.unwrap_or("[UNK]"),
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
    });
    with_vocab(parts, vocab)
}

/// The vocabulary is moved in, not copied.
fn with_vocab(mut parts: Value, vocab: Map<String, Value>) -> Map<String, Value> {
    parts["model"]["vocab"] = vocab.into();
    match parts {
        Value::Object(file) => file,
        _ => Map::new(),
    }
}
