//! `GgufTokenizer`: a tokenizer as a GGUF's metadata holds it.
//!
//! GGUF's own keys describe a byte-level BPE as GPT-2 has it: tokens, merges, and for each token its type. For any other
//! tokenizer the metadata holds the whole `tokenizer.json` too, under the key that GGUF has for it.
//!
//! Source: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>; types as in llama.cpp's `llama_token_type`.

use std::collections::HashSet;
use std::collections::hash_map::Entry;

use tokenizers::models::bpe::Vocab;
use tokenizers::{AddedToken, Model, ModelWrapper, PreTokenizerWrapper};

use crate::notice::Notice;
use crate::shown::beginning;

use super::byte_alphabet::char_of_byte;
use super::json::bad_merge;
use super::parts::split_merge;
use super::pre::{GPT2, PreTokenizer};
use super::{
    END_OF_TEXT, MAX_TOKEN_BYTES, MAX_TOKENS, Tokenizer, TokenizerError, is_byte_level, json, parts,
};

/// The key of the whole `tokenizer.json`.
const JSON: &str = "tokenizer.huggingface.json";
/// The name of a GGUF in a notice: its reader does not know what the file is called.
const GGUF: &str = "the GGUF";

/// Ordinary text.
const NORMAL: i32 = 1;
/// Stands for text that has no token.
const UNKNOWN: i32 = 2;
/// Found whole in a text, and not shown.
const CONTROL: i32 = 3;
/// Found whole in a text, and shown.
const USER_DEFINED: i32 = 4;
/// A row of the embedding without a token.
const UNUSED: i32 = 5;
/// A single byte, `<0x0A>`.
const BYTE: i32 = 6;

/// The entries of a tokenizer in the metadata.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GgufTokenizer {
    /// `tokenizer.ggml.model`: `gpt2` for byte-level BPE, `none` where GGUF has no name for the kind.
    pub model: String,
    /// `tokenizer.ggml.pre`: the name of the way in which a text is split into words; where it is absent, GPT-2's.
    pub pre: Option<String>,
    /// `tokenizer.ggml.tokens`: the text of every token; the index is the id.
    pub tokens: Vec<String>,
    /// `tokenizer.ggml.token_type`, empty where it is absent.
    pub token_types: Vec<i32>,
    /// `tokenizer.ggml.merges`: `left right`, first merged first.
    pub merges: Vec<String>,
    /// `tokenizer.huggingface.json`: the whole `tokenizer.json`.
    pub json: Option<String>,
    /// `tokenizer.ggml.unknown_token_id`.
    pub unknown_id: Option<u32>,
    /// `tokenizer.ggml.padding_token_id`.
    pub padding_id: Option<u32>,
    /// `tokenizer.ggml.add_space_prefix`. Only written: no program puts a space in front of a byte-level BPE's text for it,
    /// and where it is true, the `tokenizer.json` says so too.
    pub adds_space_prefix: bool,
    /// Whether special tokens in a text are ordinary text. GGUF has no key for it.
    pub splits_special_tokens: bool,
}

impl GgufTokenizer {
    /// Whether the vocabulary has a token of several bytes, which only a merge makes.
    #[must_use]
    pub fn has_joined_tokens(&self) -> bool {
        let type_of = |id: usize| self.token_types.get(id).copied().unwrap_or(NORMAL);
        let is_joined = |(id, token): (usize, &String)| {
            type_of(id) == NORMAL && token != END_OF_TEXT && token.chars().nth(1).is_some()
        };
        self.tokens.iter().enumerate().any(is_joined)
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`TokenizerError::Unsupported`] if GGUF's own keys do not describe the tokenizer completely and there is no
    /// `tokenizer.json`, else the error of the damaged entry.
    pub fn read(self) -> Result<Tokenizer, TokenizerError> {
        let (unknown_id, padding_id) = (self.unknown_id, self.padding_id);
        let pre = self.pre.clone();
        let are_split = self.splits_special_tokens;
        let mut tokenizer = self.read_parts()?;
        tokenizer.inner.set_encode_special_tokens(are_split);
        // A name that nobody knows would shut the next file to llama.cpp.
        tokenizer.pre = pre.filter(|name| PreTokenizer::of(name).is_some());
        let token = |id: Option<u32>| tokenizer.inner.id_to_token(id?);
        let (unknown, padding) = (token(unknown_id), token(padding_id));
        tokenizer.unknown = unknown;
        tokenizer.padding = padding;
        Ok(tokenizer)
    }

    fn read_parts(self) -> Result<Tokenizer, TokenizerError> {
        let mut notices = Vec::new();
        if let Some(json) = &self.json {
            match json::read(JSON, json.as_bytes()) {
                // A damaged `tokenizer.json` is passed over where the other keys suffice.
                Err(error) if self.model == "gpt2" => {
                    notices.push(Notice::file_passed_over(JSON, error));
                }
                tokenizer => return tokenizer,
            }
        }
        if self.model != "gpt2" {
            return Err(TokenizerError::Unsupported {
                got: beginning(&self.model, 40),
            });
        }
        let name = self.pre.as_deref().filter(|name| !name.is_empty());
        let pre = PreTokenizer::of(name.unwrap_or(GPT2));
        if pre.is_none() {
            let name = beginning(name.unwrap_or_default(), 40);
            let fact = format!(
                "its way of splitting a text into words, `{name}` (tokenizer.ggml.pre), is not known here, so texts are split \
                 as GPT-2's are and may read worse"
            );
            notices.push(Notice::new(GGUF, fact));
        }
        let mut tokenizer = self.read_byte_level_bpe(pre)?;
        tokenizer.notices = notices;
        Ok(tokenizer)
    }

    fn read_byte_level_bpe(self, pre: Option<PreTokenizer>) -> Result<Tokenizer, TokenizerError> {
        let Self {
            tokens,
            token_types,
            merges,
            ..
        } = self;
        if tokens.is_empty() || tokens.len() > MAX_TOKENS {
            return Err(TokenizerError::VocabularySize {
                got: tokens.len(),
                most: MAX_TOKENS,
            });
        }
        let type_of = |id: usize| token_types.get(id).copied().unwrap_or(NORMAL);
        let (mut n_tokens, mut longest, mut longest_bytes) = (0, 0, 0);
        let mut added = Vec::new();
        let mut vocab = Vocab::with_capacity(tokens.len());
        for (id, token) in tokens.into_iter().enumerate() {
            if token.len() > MAX_TOKEN_BYTES {
                return Err(TokenizerError::TokenTooLong {
                    id,
                    got: token.len(),
                    most: MAX_TOKEN_BYTES,
                });
            }
            match type_of(id) {
                UNUSED => continue,
                // Both are found whole in a text by llama.cpp, and not shown.
                CONTROL | UNKNOWN => added.push(AddedToken::from(&*token, true)),
                USER_DEFINED => added.push(AddedToken::from(&*token, false).normalized(false)),
                _ if token == END_OF_TEXT => added.push(AddedToken::from(&*token, true)),
                _ => longest = longest.max(token.chars().count()),
            }
            longest_bytes = longest_bytes.max(token.len());
            n_tokens = id + 1;
            let number = u32::try_from(id).expect("at most MAX_TOKENS");
            match vocab.entry(token) {
                Entry::Vacant(place) => drop(place.insert(number)),
                Entry::Occupied(place) => {
                    let token = place.key().clone();
                    return Err(TokenizerError::DuplicateToken { token });
                }
            }
        }
        let mut pairs = Vec::with_capacity(merges.len());
        for (rank, mut line) in merges.into_iter().enumerate() {
            let pair = split_merge(&line);
            // The crate joins the two tokens in a buffer of the longest token's size.
            let pair = pair.filter(|(left, right)| left.len() + right.len() <= longest_bytes);
            let (left, right) = pair.ok_or_else(|| bad_merge(rank, &line))?;
            let (end, right) = (left.len(), right.to_owned());
            line.truncate(end);
            pairs.push((line, right));
        }
        let mut bpe =
            parts::bpe(vocab, pairs, None).map_err(|error| TokenizerError::Malformed {
                origin: "`tokenizer.ggml.merges`",
                reason: error.to_string(),
            })?;
        bpe.ignore_merges = pre.is_some_and(|pre| pre.ignores_merges);
        let settings = pre.map_or_else(|| parts::byte_level(false), PreTokenizer::settings);
        let mut inner = parts::with_settings(bpe.into(), &settings).map_err(|reason| {
            TokenizerError::Malformed {
                origin: "`tokenizer.ggml.pre`",
                reason,
            }
        })?;
        inner
            .add_tokens(added)
            .map_err(|error| TokenizerError::Malformed {
                origin: "`tokenizer.ggml.tokens`",
                reason: error.to_string(),
            })?;
        let mut tokenizer = Tokenizer::new(inner, n_tokens, longest);
        tokenizer.settings = settings;
        Ok(tokenizer)
    }
}

impl Tokenizer {
    /// The metadata for a GGUF whose embedding has `vocab_size` rows. It includes the `tokenizer.json` where the other
    /// keys alone would not give the same ids and texts.
    ///
    /// # Errors
    /// [`TokenizerError::Malformed`] if a part of the tokenizer cannot be written.
    pub fn to_gguf(&self, vocab_size: usize) -> Result<GgufTokenizer, TokenizerError> {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        let mut tokens = Vec::with_capacity(vocab_size);
        let mut token_types = Vec::with_capacity(vocab_size);
        for id in (0..).take(vocab_size.max(self.len())) {
            let (token, kind) = match (added.get(&id), self.inner.get_model().id_to_token(id)) {
                (Some(token), _) if token.special => (token.content.clone(), CONTROL),
                (Some(token), _) => (token.content.clone(), USER_DEFINED),
                (None, Some(token)) => {
                    let kind = self.kind_of(&token);
                    (token, kind)
                }
                (None, None) => (self.unused_text(id), UNUSED),
            };
            tokens.push(token);
            token_types.push(kind);
        }
        let merges = self.merges(vocab_size)?;
        let is_plain =
            self.is_plain() && self.splits_as_gpt2() && !self.has_tokens_beyond(vocab_size);
        tokens.truncate(vocab_size.max(self.n_tokens));
        let id_of = |token: &Option<String>| {
            let id = self.inner.token_to_id(token.as_deref()?)?;
            ((id as usize) < tokens.len()).then_some(id)
        };
        let (unknown_id, padding_id) = (id_of(&self.unknown), id_of(&self.padding));
        Ok(GgufTokenizer {
            model: match is_byte_level(&self.inner) {
                true => "gpt2".to_owned(),
                false => "none".to_owned(),
            },
            pre: self.pre_name(),
            tokens,
            token_types,
            merges,
            json: match is_plain {
                true => None,
                false => Some(self.to_json()?),
            },
            unknown_id,
            padding_id,
            adds_space_prefix: match self.inner.get_pre_tokenizer() {
                Some(PreTokenizerWrapper::ByteLevel(part)) => part.add_prefix_space,
                _ => false,
            },
            splits_special_tokens: self.splits_special_tokens(),
        })
    }

    /// The name of the way in which a text is split, if it is not GPT-2's, for the programs that read no `tokenizer.json`.
    fn pre_name(&self) -> Option<String> {
        let ignores_merges = match self.inner.get_model() {
            ModelWrapper::BPE(bpe) => bpe.ignore_merges,
            _ => false,
        };
        let name = || {
            let pre_tokenizer = self.settings.get("pre_tokenizer")?;
            PreTokenizer::name_of(pre_tokenizer, ignores_merges)
        };
        let read = self.pre.as_deref();
        read.or_else(name).map(str::to_owned)
    }

    /// A text for a row without a token, as llama.cpp's converter writes it.
    fn unused_text(&self, id: u32) -> String {
        let mut text = format!("[PAD{id}]");
        while self.inner.token_to_id(&text).is_some() {
            text.push('_');
        }
        text
    }

    /// Whether the vocabulary has tokens that the embedding of `vocab_size` rows lacks.
    fn has_tokens_beyond(&self, vocab_size: usize) -> bool {
        let vocab = self.inner.get_model().get_vocab();
        vocab
            .values()
            .any(|id| *id as usize >= vocab_size.max(self.n_tokens))
    }

    fn kind_of(&self, token: &str) -> i32 {
        let unknown = match self.inner.get_model() {
            ModelWrapper::BPE(bpe) => bpe.unk_token.as_deref(),
            ModelWrapper::WordPiece(model) => Some(&*model.unk_token),
            ModelWrapper::WordLevel(model) => Some(&*model.unk_token),
            ModelWrapper::Unigram(_) => None,
        };
        let is_byte = || {
            let digits = token.strip_prefix("<0x").and_then(|t| t.strip_suffix('>'));
            digits.is_some_and(|digits| digits.len() == 2 && u8::from_str_radix(digits, 16).is_ok())
        };
        match token {
            // Where bytes are tokens, no text is unknown, and this token is not found whole.
            _ if unknown == Some(token) && !is_byte_level(&self.inner) => UNKNOWN,
            _ if !is_byte_level(&self.inner) && is_byte() => BYTE,
            _ => NORMAL,
        }
    }

    /// The merges of a BPE in order of rank, each in one line, without those of tokens beyond the embedding.
    fn merges(&self, vocab_size: usize) -> Result<Vec<String>, TokenizerError> {
        if !is_byte_level(&self.inner) {
            return Ok(Vec::new());
        }
        let ModelWrapper::BPE(bpe) = self.inner.get_model() else {
            return Ok(Vec::new());
        };
        let model = serde_json::to_value(bpe);
        let model = model.map_err(|source| TokenizerError::Malformed {
            origin: "its merges",
            reason: source.to_string(),
        })?;
        let merges = model["merges"].as_array().into_iter().flatten();
        let end = vocab_size.max(self.n_tokens);
        let prefix = bpe.continuing_subword_prefix.as_deref();
        let prefix_len = prefix.map_or(0, str::len);
        let is_inside = |token: &str| {
            let id = bpe.token_to_id(token);
            id.is_some_and(|id| (id as usize) < end)
        };
        Ok(merges
            .filter_map(|pair| pair[0].as_str().zip(pair[1].as_str()))
            .filter(|(left, right)| {
                let right = right.get(prefix_len..).unwrap_or_default();
                is_inside(&format!("{left}{right}"))
            })
            .map(|(left, right)| format!("{left} {right}"))
            .collect())
    }

    /// Whether tokens, types and merges describe the tokenizer completely but for the way in which a text is split into
    /// words: it is a byte-level BPE whose added tokens have no flags.
    fn is_plain(&self) -> bool {
        let ModelWrapper::BPE(bpe) = self.inner.get_model() else {
            return false;
        };
        let is_empty = |affix: &Option<String>| affix.as_deref().is_none_or(str::is_empty);
        let is_plain_model = is_empty(&bpe.continuing_subword_prefix)
            && is_empty(&bpe.end_of_word_suffix)
            && (bpe.unk_token.is_none() || self.has_all_bytes())
            && !bpe.byte_fallback;
        is_byte_level(&self.inner)
            && is_plain_model
            && self.inner.get_normalizer().is_none()
            && self.added_tokens_are_plain()
    }

    /// Whether a text is split into words as GPT-2's are.
    fn splits_as_gpt2(&self) -> bool {
        let ignores_merges = match self.inner.get_model() {
            ModelWrapper::BPE(bpe) => bpe.ignore_merges,
            _ => false,
        };
        match self.inner.get_pre_tokenizer() {
            Some(PreTokenizerWrapper::ByteLevel(part)) => {
                part.use_regex && !part.add_prefix_space && !ignores_merges
            }
            _ => false,
        }
    }

    /// A notice that llama.cpp, which reads no `tokenizer.json`, makes other tokens of a text than this program.
    #[must_use]
    pub fn notice_of_llama_cpp(&self) -> Option<Notice> {
        let is_plain = self.is_plain()
            && (self.splits_as_gpt2() || self.pre_name().is_some())
            && !self.splits_special_tokens();
        let fact = match is_byte_level(&self.inner) {
            true if is_plain => return None,
            true => {
                "llama.cpp makes other tokens of a text than this program, because the tokenizer has rules that llama.cpp \
                 does not read; give it the token ids of `tokenize`"
            }
            false => {
                "llama.cpp makes no tokens of a text with it, because the tokenizer is no byte-level BPE; give it the token \
                 ids of `tokenize`"
            }
        };
        Some(Notice::new(GGUF, fact))
    }

    fn has_all_bytes(&self) -> bool {
        (0..=255).all(|byte| {
            let token = char_of_byte(byte).to_string();
            self.inner.token_to_id(&token).is_some()
        })
    }

    /// Whether the added tokens are found in a text by their letters alone.
    fn added_tokens_are_plain(&self) -> bool {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        let has_flags = |t: &AddedToken| t.single_word || t.lstrip || t.rstrip;
        // The crate searches for the tokens that are not normalized before it searches for the others.
        let two_passes: HashSet<bool> = added.values().map(|token| token.normalized).collect();
        !added.values().any(has_flags)
            && (two_passes.len() < 2 || !any_overlap(added.values().map(|token| &*token.content)))
    }
}

/// Whether one of the texts can begin inside another.
fn any_overlap<'t>(texts: impl Iterator<Item = &'t str>) -> bool {
    let texts: Vec<&str> = texts.collect();
    let overlap = |a: &str, b: &str| {
        a.char_indices()
            .skip(1)
            .any(|(at, _)| a[at..].starts_with(b) || b.starts_with(&a[at..]))
    };
    // Comparing so many texts costs as much as storing the `tokenizer.json`, which is the consequence of `true`.
    texts.len() > 500
        || texts.iter().any(|a| {
            texts
                .iter()
                .any(|b| a != b && (overlap(a, b) || a.starts_with(b)))
        })
}
