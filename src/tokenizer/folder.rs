//! `TokenizerFiles`: the files of a model folder that its tokenizer is made of.
//!
//! They are read as `transformers` 5 reads them for GPT-2's class, with these differences, each for the sake of what the
//! model was trained with: an added token keeps the id that a file gives it, where `transformers` numbers it anew after a
//! hole; a normalizer, a pre-tokenizer other than GPT-2's and added tokens of a `tokenizer.json` are kept, where version 5
//! drops them for this class and version 4 keeps them; files may begin with a byte order mark.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokenizers::AddedToken;

use crate::file_kind::FileKind;
use crate::notice::Notice;

use super::json::{self, AddedTokenJson, NamedToken, check_file_size, object};
use super::{END_OF_TEXT, MAX_TOKENS, Tokenizer, TokenizerError, parts};

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

    /// The needed files that may be there besides: none, if the files that are here make a tokenizer. A server that answers
    /// every request with a page seems to have a `tokenizer.json`, in the place of which others may exist.
    pub fn others_to_try(&self) -> Vec<&'static str> {
        let is_complete = |names: &&[&str]| names.iter().all(|name| self.is_itself(name));
        if Self::ONE_OF.iter().any(is_complete) {
            return Vec::new();
        }
        let names = Self::ONE_OF.into_iter().flatten().copied();
        names.filter(|name| self.get(name).is_none()).collect()
    }

    /// Whether a file is there, and no other kind of file came in its place.
    fn is_itself(&self, name: &str) -> bool {
        match self.get(name).map(FileKind::of) {
            None | Some(FileKind::Html | FileKind::LfsPointer) => false,
            // A vocabulary of single bytes has an empty list of merges.
            Some(FileKind::Empty) => name == MERGES || name == VOCAB_BPE,
            Some(_) => true,
        }
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The tokenizer that the files describe, with [`Tokenizer::notices`] about optional files that are something else.
    ///
    /// # Errors
    /// [`TokenizerError::NoTokenizer`] if no entry of [`TokenizerFiles::ONE_OF`] is complete, else the error of the
    /// damaged file.
    pub fn read(&self) -> Result<Tokenizer, TokenizerError> {
        self.read_as(None)
    }

    /// As [`Self::read`], with the tokenizer's class as the model's configuration states it; `tokenizer_config.json` may
    /// state another.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_as(&self, class: Option<&str>) -> Result<Tokenizer, TokenizerError> {
        let mut notices = Vec::new();
        let mut optional = |name| self.optional(name, &mut notices);
        let others = Others {
            class,
            config: optional(TOKENIZER_CONFIG),
            special: optional(SPECIAL_TOKENS_MAP),
            added: optional(ADDED_TOKENS),
        };
        let mut tokenizer = self.read_with(&others, &mut notices)?;
        tokenizer.notices = notices;
        let stated = |role: &str| others.stated_roles().get(role).map(|value| text_of(value));
        tokenizer.unknown = stated("unk_token").flatten();
        tokenizer.padding = stated("pad_token").flatten();
        Ok(tokenizer)
    }

    fn read_with(
        &self,
        others: &Others<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<Tokenizer, TokenizerError> {
        let passed_over = self.passed_over(notices);
        let file = |name: &str| self.get(name).filter(|_| !passed_over.contains(&name));
        if let Some(bytes) = file(TOKENIZER) {
            let mut file = object(TOKENIZER, bytes)?;
            let added = json::take_added(TOKENIZER, &mut file)?;
            let kind = file.get("model").and_then(|model| model["type"].as_str());
            let is_gpt2s = others.is_of_gpt2s_class() && matches!(kind, Some("BPE") | None);
            let mut defaults = &[][..];
            if is_gpt2s {
                apply_gpt2s_class(&mut file, others.adds_prefix_space());
                defaults = &GPT2_ROLES;
            }
            let added = others.added_tokens(added, defaults, notices);
            return json::build(TOKENIZER, file, added);
        }
        let pair = |vocab, merges| Some((vocab, file(vocab)?, merges, file(merges)?));
        if let Some(files) = pair(VOCAB, MERGES).or_else(|| pair(ENCODER, VOCAB_BPE)) {
            let (vocab, vocab_bytes, merges, merges_bytes) = files;
            let file = byte_level_bpe(
                object(vocab, vocab_bytes)?,
                lines(merges, merges_bytes)?,
                others.adds_prefix_space(),
            );
            let added = others.added_tokens(Vec::new(), &GPT2_ROLES, notices);
            return json::build(vocab, file, added);
        }
        if let Some(bytes) = file(VOCAB_TXT) {
            let file = word_piece(&lines(VOCAB_TXT, bytes)?, &others.config);
            let added = others.added_tokens(Vec::new(), &BERT_ROLES, notices);
            return json::build(VOCAB_TXT, file, added);
        }
        Err(match self.get(SENTENCE_PIECE) {
            Some(_) => TokenizerError::SentencePiece {
                file: SENTENCE_PIECE,
            },
            None => TokenizerError::NoTokenizer,
        })
    }

    /// The text of the token that ends a text, if the files name it.
    pub fn eos_token(&self) -> Option<String> {
        let files = [TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP];
        files.into_iter().find_map(|name| {
            // The tokenizer's reader tells what is wrong with a file.
            let file = self.optional(name, &mut Vec::new());
            let token = file.get("eos_token")?;
            let text = token.get("content").unwrap_or(token);
            text.as_str().map(str::to_owned)
        })
    }

    /// The needed files in whose place another kind of file came, with a notice for each, if a tokenizer can be read without
    /// them.
    fn passed_over(&self, notices: &mut Vec<Notice>) -> Vec<&'static str> {
        if !self.others_to_try().is_empty() {
            return Vec::new();
        }
        let names = Self::ONE_OF.into_iter().flatten().copied();
        let names = names.filter(|name| self.get(name).is_some() && !self.is_itself(name));
        let names: Vec<&'static str> = names.collect();
        for name in &names {
            let found = FileKind::of(self.get(name).unwrap_or_default());
            notices.push(Notice::new(*name, passed_over(format!("it is {found}"))));
        }
        names
    }

    /// The object in an optional file; empty, with a notice, if the file holds something else.
    fn optional(&self, name: &'static str, notices: &mut Vec<Notice>) -> Map<String, Value> {
        let Some(bytes) = self.get(name) else {
            return Map::new();
        };
        object(name, bytes).unwrap_or_else(|error| {
            let fact = match error {
                TokenizerError::OtherFile { found, .. } => format!("it is {found}"),
                TokenizerError::Json { source, .. } => format!("it is damaged ({source})"),
                error => error.to_string(),
            };
            notices.push(Notice::new(name, passed_over(fact)));
            Map::new()
        })
    }
}

fn passed_over(fact: String) -> String {
    fact + ", so it is passed over"
}

/// Special tokens of a tokenizer's class, each used unless the files state its role.
type Roles<'r> = [(&'r str, &'r str)];

const GPT2_ROLES: [(&str, &str); 3] = [
    ("bos_token", END_OF_TEXT),
    ("eos_token", END_OF_TEXT),
    ("unk_token", END_OF_TEXT),
];
const BERT_ROLES: [(&str, &str); 5] = [
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];
const EXTRA_TOKENS: &str = "extra_special_tokens";
const ADDITIONAL_TOKENS: &str = "additional_special_tokens";
/// The roles that every tokenizer has, in the order in which `transformers` numbers tokens without an id.
const NAMED_ROLES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// The optional files, an absent one empty.
struct Others<'c> {
    /// The class that the model's configuration states.
    class: Option<&'c str>,
    /// `tokenizer_config.json`.
    config: Map<String, Value>,
    /// `special_tokens_map.json`.
    special: Map<String, Value>,
    /// `added_tokens.json`.
    added: Map<String, Value>,
}

impl Others<'_> {
    /// Whether the tokenizer's class is GPT-2's, which a model of this kind has unless its files name another.
    fn is_of_gpt2s_class(&self) -> bool {
        let class = self.config.get("tokenizer_class").and_then(Value::as_str);
        let class = class.or(self.class);
        class.is_none_or(|class| class.trim_end_matches("Fast") == "GPT2Tokenizer")
    }

    fn adds_prefix_space(&self) -> bool {
        self.config.get("add_prefix_space") == Some(&Value::Bool(true))
    }

    /// `added_tokens_decoder` of the configuration. Where it is, `transformers` reads the two older files no longer.
    fn decoder(&self) -> Option<&Map<String, Value>> {
        let decoder = self.config.get("added_tokens_decoder");
        decoder.and_then(Value::as_object)
    }

    /// The tokens that the files state for roles, and lists of further special tokens.
    fn stated_roles(&self) -> BTreeMap<&str, &Value> {
        let special = self.decoder().is_none().then_some(&self.special);
        let entries = self.config.iter().chain(special.into_iter().flatten());
        let is_role = |key: &str| key.ends_with("_token") || key.ends_with("_special_tokens");
        entries
            .map(|(key, value)| (key.as_str(), value))
            .filter(|(key, _)| is_role(key))
            .collect()
    }

    /// All added tokens: those of the `tokenizer.json`, changed and completed by the other files as `transformers` 5
    /// does for GPT-2's class.
    fn added_tokens(
        &self,
        in_file: Vec<NamedToken>,
        defaults: &Roles,
        notices: &mut Vec<Notice>,
    ) -> Vec<NamedToken> {
        let roles = self.stated_roles();
        let mut named: Vec<NamedToken> = Vec::new();
        for role in NAMED_ROLES {
            let default = defaults.iter().find(|(of, _)| *of == role);
            match (roles.get(role), default) {
                (Some(value), _) => push_special(value, &mut named),
                (None, Some((_, token))) => named.push(only_named(token)),
                (None, None) => {}
            }
        }
        // The older name of the list counts only where the newer is absent or empty.
        let is_given = |list: &&Value| match list {
            Value::Array(tokens) => !tokens.is_empty(),
            Value::Object(tokens) => !tokens.is_empty(),
            _ => false,
        };
        let lists = roles.get(EXTRA_TOKENS).filter(|list| is_given(list));
        let lists = lists.or(roles.get(ADDITIONAL_TOKENS));
        let is_further = |role: &str| ![EXTRA_TOKENS, ADDITIONAL_TOKENS].contains(&role);
        let roles = roles.iter().filter(|(role, _)| !NAMED_ROLES.contains(role));
        let roles = roles.filter(|(role, _)| is_further(role));
        let mut further = Vec::new();
        for value in roles.map(|(_, value)| value).chain(lists) {
            push_special(value, &mut further);
        }
        let mut list = AddedList::new(in_file);
        match self.decoder() {
            Some(decoder) => {
                let mut stated = Vec::new();
                for (id, token) in decoder {
                    match (id.parse(), AddedTokenJson::deserialize(token)) {
                        (Ok(id), Ok(token)) if is_id(id) => stated.push(NamedToken {
                            id: Some(id),
                            ..token.into()
                        }),
                        _ => notices.push(Notice::passed_over(TOKENIZER_CONFIG, id, token)),
                    }
                }
                stated.sort_by_key(|token| token.id);
                stated.into_iter().for_each(|token| list.replace(token));
            }
            None => {
                let special = named.iter().chain(&further);
                let special: HashSet<&str> =
                    special.map(|special| &*special.token.content).collect();
                let mut stated = Vec::new();
                for (token, id) in &self.added {
                    let number = id.as_u64().and_then(|id| u32::try_from(id).ok());
                    let Some(id) = number.filter(|id| is_id(*id)) else {
                        notices.push(Notice::passed_over(ADDED_TOKENS, token, id));
                        continue;
                    };
                    stated.push(NamedToken {
                        token: AddedToken::from(&**token, special.contains(&**token)),
                        id: Some(id),
                    });
                }
                stated.sort_by_key(|token| token.id);
                stated.into_iter().for_each(|token| list.complete(token));
            }
        }
        for token in named {
            list.make_special(&token.token.content);
            list.complete(token);
        }
        further.into_iter().for_each(|token| list.complete(token));
        list.tokens
    }
}

/// Whether a vocabulary may have this id.
fn is_id(id: u32) -> bool {
    (id as usize) < MAX_TOKENS
}

/// Added tokens, each text once.
struct AddedList {
    tokens: Vec<NamedToken>,
    /// Places in `tokens`, by text.
    places: HashMap<String, usize>,
}

impl AddedList {
    fn new(tokens: Vec<NamedToken>) -> Self {
        let places = tokens.iter().enumerate();
        let places = places.map(|(place, named)| (named.token.content.clone(), place));
        Self {
            places: places.collect(),
            tokens,
        }
    }

    /// Adds a token that is not there yet.
    fn complete(&mut self, token: NamedToken) {
        let content = &token.token.content;
        if !self.places.contains_key(content) {
            self.places.insert(content.clone(), self.tokens.len());
            self.tokens.push(token);
        }
    }

    /// Adds a token, or its flags to the token that is there.
    fn replace(&mut self, token: NamedToken) {
        match self.places.get(&token.token.content) {
            Some(place) => self.tokens[*place].token = token.token,
            None => self.complete(token),
        }
    }

    fn make_special(&mut self, content: &str) {
        if let Some(place) = self.places.get(content) {
            self.tokens[*place].token.special = true;
        }
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

/// The text of a token that is stated as a text or as an object with flags.
fn text_of(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value["content"].as_str());
    text.map(str::to_owned)
}

/// Gives the `tokenizer.json` of a byte-level BPE what GPT-2's class has, whatever the file says: whether a space is put
/// in front of a text, and a decoder. Other parts stay as the file has them, for which the model was made.
fn apply_gpt2s_class(file: &mut Map<String, Value>, add_prefix_space: bool) {
    let Some(Value::Object(part)) = file.get_mut("pre_tokenizer") else {
        return;
    };
    if part.get("type").and_then(Value::as_str) != Some("ByteLevel") {
        return;
    }
    part.insert("add_prefix_space".to_owned(), add_prefix_space.into());
    if file.get("decoder").is_none_or(Value::is_null) {
        let decoder = parts::byte_level(true).remove("decoder");
        file.insert("decoder".to_owned(), decoder.unwrap_or_default());
    }
}

/// The lines of a text file.
fn lines<'b>(file: &'static str, bytes: &'b [u8]) -> Result<Vec<&'b str>, TokenizerError> {
    check_file_size(file, bytes)?;
    // A text of tokens may begin as JSON does, or be empty.
    if let found @ (FileKind::Html
    | FileKind::LfsPointer
    | FileKind::Zip
    | FileKind::Gguf
    | FileKind::Safetensors) = FileKind::of(bytes)
    {
        return Err(TokenizerError::OtherFile { file, found });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| TokenizerError::NotUtf8 { file })?;
    Ok(text.lines().collect())
}

/// The `tokenizer.json` that `transformers` makes of a GPT-2's vocabulary and merges.
fn byte_level_bpe(
    vocab: Map<String, Value>,
    merges: Vec<&str>,
    add_prefix_space: bool,
) -> Map<String, Value> {
    // Only the first line is a comment: `#` is also a token and may open a merge.
    let is_comment = |line: &&str| line.starts_with("#version");
    let skip = usize::from(merges.first().is_some_and(is_comment));
    let merges = merges
        .into_iter()
        .skip(skip)
        .filter(|line| !line.is_empty());
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
