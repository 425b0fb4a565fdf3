//! `Tokenizer`: text to token ids and back, by the tokenizers crate.
//!
//! It is read from a `tokenizer.json`, from the older files that it replaced, or from a GGUF's metadata. No token is
//! added to a text. A special token is recognised wherever it stands in a text, typed by a visitor or not, unless the files
//! say `split_special_tokens`, as in `transformers`, where the pipeline joins prefix and prompt before it tokenizes them.

pub mod byte_alphabet;
pub mod decode_stream;
mod decoder;
mod error;
pub mod folder;
pub mod gguf;
mod json;
mod parts;
mod pre;

use std::collections::BTreeMap;

use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    AddedToken, AddedVocabulary, DecoderWrapper, Model, ModelWrapper, NormalizedString, Normalizer,
    NormalizerWrapper, PreTokenizedString, PreTokenizer, PreTokenizerWrapper, TokenizerImpl,
};

use crate::notice::Notice;

use byte_alphabet::char_of_byte;
use decoder::AddedTokenDecoder;

pub use decode_stream::DecodeStream;
pub use error::TokenizerError;
pub use folder::TokenizerFiles;
pub use gguf::GgufTokenizer;

/// The text of GPT-2's end-of-text token.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// Most tokens a vocabulary may hold, and the first id that is too large; GPT-2 has 50,257.
pub const MAX_TOKENS: usize = 1 << 20;
/// Most bytes of one token; GPT-2's longest has 128 characters.
pub const MAX_TOKEN_BYTES: usize = 1024;
/// Most bytes of a tokenizer file; GPT-2's `tokenizer.json` has 2 MB.
pub const MAX_FILE_BYTES: usize = 64 << 20;

/// Post-processors are set aside when a tokenizer is read: they add tokens, or move offsets, which are not used here.
/// [`TokenizerImpl`] needs a type for them; this type is compiled in anyway.
type Inner = TokenizerImpl<
    ModelWrapper,
    NormalizerWrapper,
    PreTokenizerWrapper,
    ByteLevel,
    AddedTokenDecoder,
>;

/// The tokenizer of a model.
pub struct Tokenizer {
    inner: Inner,
    /// The parts beside the model as the `tokenizer.json` has them, for [`Tokenizer::to_json`].
    settings: serde_json::Map<String, serde_json::Value>,
    /// One more than the largest id, or the rows of the model's embedding once they are known.
    n_tokens: usize,
    /// Bytes of text that one token can stand for.
    longest: usize,
    /// Bytes without a token, which the crate would leave out of a text without an error.
    missing: Vec<u8>,
    /// Added tokens that a text cannot tell from another with a lower id, which stands for them: see [`twins`].
    twins: BTreeMap<u32, u32>,
    /// The name that a GGUF has for the way in which texts are split, where the tokenizer was read from one.
    pre: Option<String>,
    /// The token for text that has none, and the one that fills up a batch, where the files name them.
    unknown: Option<String>,
    padding: Option<String>,
    notices: Vec<Notice>,
}

impl Tokenizer {
    /// Wraps the crate's tokenizer; `n_tokens` is one more than the largest id of the model, `longest` the characters
    /// of its longest token.
    fn new(mut inner: Inner, n_tokens: usize, longest: usize) -> Self {
        let added = inner.get_added_vocabulary().get_added_tokens_decoder();
        let added_end = added
            .keys()
            .max()
            .map_or(0, |id| (*id as usize).saturating_add(1));
        let added_longest = added.values().map(|token| token.content.len()).max();
        let twins = twins(&inner);
        let alike = |(id, first): (&u32, &u32)| {
            let (token, first) = (added.get(id)?, added.get(first)?);
            // What is taken of the spaces around it must not change from run to run either.
            Some(AddedToken {
                content: token.content.clone(),
                special: token.special,
                ..first.clone()
            })
        };
        let alike: Vec<AddedToken> = twins.iter().filter_map(alike).collect();
        let is_byte_level = is_byte_level(&inner);
        if let Some(decoder) = inner.get_decoder() {
            let texts = added.values().map(|token| &*token.content);
            let decoder = decoder.with_added_tokens(texts);
            inner.with_decoder(Some(decoder));
        }
        // No text is new to the crate, which took all of them before.
        let _ = inner.add_tokens(alike);
        let missing = match inner.get_model() {
            ModelWrapper::BPE(bpe) if is_byte_level && bpe.unk_token.is_none() => (0..=255)
                .filter(|byte| {
                    let token = char_of_byte(*byte).to_string();
                    inner.token_to_id(&token).is_none()
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            inner,
            settings: serde_json::Map::new(),
            n_tokens: n_tokens.max(added_end),
            // In any other family a single token may stand for a text of any length, such as an unknown word.
            longest: match is_byte_level {
                true => longest.max(added_longest.unwrap_or(0)),
                false => MAX_TOKEN_BYTES,
            },
            missing,
            twins,
            pre: None,
            unknown: None,
            padding: None,
            notices: Vec::new(),
        }
    }

    /// Whether special tokens in a text are ordinary text: `split_special_tokens` of `transformers`.
    pub fn splits_special_tokens(&self) -> bool {
        self.inner.get_encode_special_tokens()
    }

    /// What a visitor should know about the tokenizer's files.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Compiles GPT-2's pattern, for which the first text would wait otherwise: 80 ms in a browser. Further calls do
    /// nothing.
    pub fn warm_up() {
        let mut text = PreTokenizedString::from("It's 1 text, \u{e9}!\n\n ");
        let byte_level = ByteLevel::default();
        // This pre-tokenizer has no state and does not fail; if it did, the first text would report the error.
        let _ = byte_level.pre_tokenize(&mut text);
    }

    /// One more than the largest id; ids below it need not all be tokens.
    pub fn len(&self) -> usize {
        self.n_tokens
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.n_tokens == 0
    }

    /// Makes the tokens of these ids special unless their own text is tokenized to them already, or is a word. The
    /// configuration's opening and closing tokens are special, whether or not the tokenizer's files name them; but people
    /// also end texts at words and line breaks, which stay what they are.
    ///
    /// # Errors
    /// [`TokenizerError::Malformed`] if there are more added tokens than can be searched for.
    pub fn add_special_ids(
        &mut self,
        ids: impl IntoIterator<Item = u32>,
    ) -> Result<(), TokenizerError> {
        for id in ids {
            if let Some(token) = self.special_token(id) {
                self.inner
                    .add_tokens([token])
                    .map_err(|error| TokenizerError::Malformed {
                        origin: "the configuration",
                        reason: error.to_string(),
                    })?;
            }
        }
        Ok(())
    }

    /// The special token that the token of this id becomes, if it is not special and does not stand for ordinary text.
    fn special_token(&self, id: u32) -> Option<AddedToken> {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        if let Some(token) = added.get(&id) {
            let special = AddedToken {
                special: true,
                ..token.clone()
            };
            return (!token.special).then_some(special);
        }
        if id as usize >= self.n_tokens {
            return None;
        }
        let token = self.inner.id_to_token(id)?;
        let is_text = self.token_text(id) == token;
        let is_found = self.encode(&token).is_ok_and(|ids| ids == [id]);
        (is_text && is_marked(&token) && !is_found).then(|| AddedToken::from(token, true))
    }

    /// Fits the tokenizer to an embedding of `vocab_size` rows. More rows than tokens are usual: some models round
    /// their embedding up, and such a row's text is empty. Added tokens without a row are left out: people add a padding
    /// token and keep the model as it is. Of a vocabulary's own tokens a tenth may lack a row, with a notice; a text that
    /// has one of them is refused.
    ///
    /// # Errors
    /// [`TokenizerError::VocabularyMismatch`] if more of them have no row: the weights were not made for this tokenizer.
    pub fn fit_to(&mut self, vocab_size: usize) -> Result<(), TokenizerError> {
        if self.n_tokens <= vocab_size {
            self.n_tokens = vocab_size;
            return Ok(());
        }
        let added = self.inner.get_added_tokens_decoder();
        let is_own = |place: &usize| {
            let id = u32::try_from(*place).unwrap_or(u32::MAX);
            let token = self.inner.get_model().id_to_token(id);
            !added.contains_key(&id) && token.is_some_and(|token| token != placeholder(*place))
        };
        let without: Vec<usize> = (vocab_size..self.n_tokens).filter(is_own).collect();
        if let [first, ..] = without[..] {
            let last = without.last().copied().unwrap_or(first);
            if without.len() > vocab_size / 10 {
                return Err(TokenizerError::VocabularyMismatch {
                    tokens: last + 1,
                    vocab_size,
                });
            }
            let fact = format!(
                "its {} tokens from id {first} on are beyond the {vocab_size} of the weights, so a text with one of them is \
                 refused",
                without.len()
            );
            self.notices.push(Notice::new("tokenizer", fact));
        }
        let kept = added_tokens(&self.inner).into_iter();
        let kept = kept.filter(|(id, _)| (*id as usize) < vocab_size);
        let kept: Vec<AddedToken> = kept.map(|(_, token)| token.clone()).collect();
        let are_split = self.splits_special_tokens();
        self.inner.with_added_vocabulary(AddedVocabulary::new());
        self.inner.set_encode_special_tokens(are_split);
        self.inner
            .add_tokens(kept)
            .map_err(|error| TokenizerError::Malformed {
                origin: "the added tokens",
                reason: error.to_string(),
            })?;
        self.twins = twins(&self.inner);
        self.n_tokens = vocab_size;
        Ok(())
    }

    /// Refuses, by its length alone, a text that cannot fit into `n_ctx` tokens.
    ///
    /// # Errors
    /// [`TokenizerError::TextTooLong`].
    pub fn check_length(&self, text: &str, n_ctx: usize) -> Result<(), TokenizerError> {
        let most = n_ctx.saturating_mul(self.longest);
        if text.len() > most {
            return Err(TokenizerError::TextTooLong {
                got: text.len(),
                most,
                n_ctx,
            });
        }
        Ok(())
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// [`TokenizerError::MissingByte`] or [`TokenizerError::Refused`] if the vocabulary cannot write it,
    /// [`TokenizerError::TokenWithoutRow`] if the model cannot read it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        if !self.missing.is_empty()
            && let Some(byte) = text.bytes().find(|byte| self.missing.contains(byte))
        {
            return Err(TokenizerError::MissingByte { byte });
        }
        let encoding =
            self.inner
                .encode_fast(text, false)
                .map_err(|error| TokenizerError::Refused {
                    reason: error.to_string(),
                })?;
        let mut ids = encoding.get_ids().to_vec();
        if !self.twins.is_empty() {
            for id in &mut ids {
                *id = self.twins.get(id).copied().unwrap_or(*id);
            }
        }
        match ids.iter().find(|id| **id as usize >= self.n_tokens) {
            None => Ok(ids),
            Some(&token_id) => Err(TokenizerError::TokenWithoutRow {
                token: self.token_text(token_id),
                token_id,
                vocab_size: self.n_tokens,
            }),
        }
    }

    /// The text of ids, special tokens left out, spaces as they are.
    /// Bytes that are no whole character read as U+FFFD.
    ///
    /// # Errors
    /// [`TokenizerError::TokenOutOfRange`] if an id names no token.
    pub fn decode(&self, token_ids: &[u32]) -> Result<String, TokenizerError> {
        if let Some(&token_id) = token_ids.iter().find(|id| **id as usize >= self.len()) {
            return Err(TokenizerError::TokenOutOfRange {
                token_id,
                n_tokens: self.len(),
            });
        }
        self.inner
            .decode(token_ids, true)
            .map_err(|error| TokenizerError::Refused {
                reason: error.to_string(),
            })
    }

    /// A token's text for display, special ones included; bytes that are no whole character read as U+FFFD. Empty for
    /// an id without a token.
    pub fn token_text(&self, token_id: u32) -> String {
        self.inner.decode(&[token_id], false).unwrap_or_default()
    }

    /// The id of the token with this text.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Whether a token is left out of decoded text.
    pub fn is_special(&self, token_id: u32) -> bool {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        added.get(&token_id).is_some_and(|token| token.special)
    }

    /// Whether a token's text depends on the tokens before it, as spaces between words do.
    fn text_depends_on_context(&self) -> bool {
        !is_byte_level(&self.inner)
    }
}

/// The added tokens, by their ids.
fn added_tokens(inner: &Inner) -> Vec<(u32, &AddedToken)> {
    let added = inner.get_added_vocabulary().get_added_tokens_decoder();
    let mut added: Vec<(u32, &AddedToken)> = added.iter().map(|(id, token)| (*id, token)).collect();
    added.sort_unstable_by_key(|(id, _)| *id);
    added
}

/// Added tokens that a text cannot tell from another, with the lowest id of those that are alike: `<MASK>` and `<mask>` after
/// a normalizer that makes letters small. Which of them the crate finds changes from run to run, with its hashes.
fn twins(inner: &Inner) -> BTreeMap<u32, u32> {
    let mut twins = BTreeMap::new();
    let Some(normalizer) = inner.get_normalizer() else {
        return twins;
    };
    let added = added_tokens(inner);
    let added = added.into_iter().filter(|(_, token)| token.normalized);
    let mut first_of: BTreeMap<String, u32> = BTreeMap::new();
    for (id, token) in added {
        let mut text = NormalizedString::from(token.content.as_str());
        // The crate has normalized it already.
        if normalizer.normalize(&mut text).is_ok() {
            let first = *first_of.entry(text.get().to_owned()).or_insert(id);
            if first != id {
                twins.insert(id, first);
            }
        }
    }
    twins
}

/// Whether tokens are written in the byte alphabet.
fn is_byte_level(inner: &Inner) -> bool {
    let decoder = inner.get_decoder().map(AddedTokenDecoder::inner);
    matches!(inner.get_model(), ModelWrapper::BPE(_))
        && matches!(decoder, Some(DecoderWrapper::ByteLevel(_)))
}
/// What stands in a list for an id without a token: it begins with U+0000 and so occurs in no ordinary text.
fn placeholder(id: usize) -> String {
    format!("\u{0}{id}")
}

/// Whether a token is written as control tokens are: `<|endoftext|>`, `</s>`, `[SEP]`.
fn is_marked(token: &str) -> bool {
    token.starts_with(['<', '[', '{', '|']) && token.ends_with(['>', ']', '}', '|'])
}
