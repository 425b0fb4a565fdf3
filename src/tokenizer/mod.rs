//! `Tokenizer`: text to token ids and back, as GPT-2's byte-level BPE does it.
//!
//! No space is put before the first word, nothing is normalised, and no token is added.
//! `<|endoftext|>` is recognised wherever it stands in a text, typed by a visitor or not: that is what
//! `transformers`' tokenizers do, and the pipeline joins prefix and prompt before it tokenises them.

mod added;
mod bpe;
pub mod decode_stream;
pub mod vocabulary;
pub mod words;

use added::{AddedTokens, Piece};
use bpe::Bpe;
pub use decode_stream::DecodeStream;
pub use vocabulary::{END_OF_TEXT, Vocabulary};
pub use words::Words;

/// Why a tokenizer could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// A file that is not the JSON it should be.
    #[error(
        "`{file}` is damaged or no tokenizer file ({source}); take it from the model's repository again"
    )]
    Json {
        /// The file.
        file: &'static str,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A text file that is no text.
    #[error("`{file}` is not UTF-8 text; take it from the model's repository again")]
    NotUtf8 {
        /// The file.
        file: &'static str,
    },
    /// A file beyond any tokenizer's size.
    #[error("`{file}` has {got} bytes, a tokenizer file has at most {most}; this is another file")]
    FileTooLong {
        /// The file.
        file: &'static str,
        /// Its bytes.
        got: usize,
        /// The cap.
        most: usize,
    },
    /// A tokenizer of another family.
    #[error(
        "the tokenizer's {part} is `{got}`, GPT-2 has byte-level BPE with nothing else; use a GPT-2 model"
    )]
    Unsupported {
        /// Part of `tokenizer.json`.
        part: &'static str,
        /// What it is.
        got: String,
    },
    /// No tokens, or beyond any vocabulary's size.
    #[error("the vocabulary has {got} tokens, 1 to {most} can be read; use a GPT-2 model")]
    VocabularySize {
        /// Tokens there are.
        got: usize,
        /// The cap.
        most: usize,
    },
    /// A token beyond any token's length.
    #[error("token {id} has {got} bytes, at most {most} can be read; the vocabulary is damaged")]
    TokenTooLong {
        /// Its id.
        id: usize,
        /// Its bytes.
        got: usize,
        /// The cap.
        most: usize,
    },
    /// One text or one id, twice.
    #[error(
        "the vocabulary has the token or the id of `{token}` twice; take it from the model's repository again"
    )]
    DuplicateToken {
        /// The text.
        token: String,
    },
    /// Ids that do not run from 0 without a hole.
    #[error(
        "the vocabulary has the id {id} beyond its number of tokens; take it from the model's repository again"
    )]
    Hole {
        /// The id.
        id: usize,
    },
    /// A byte of a text that no token stands for; GPT-2's own vocabulary has one for each.
    #[error(
        "the vocabulary has no token for the byte {byte:#04x} of this text; leave that character out or use another model"
    )]
    MissingByte {
        /// The byte.
        byte: u8,
    },
    /// A merge that cannot be applied.
    #[error(
        "merge {rank} names `{token}`, which is no token; vocabulary and merges come from different models"
    )]
    BadMerge {
        /// 0-based rank.
        rank: usize,
        /// The text.
        token: String,
    },
    /// Tokenizer and weights of two models.
    #[error(
        "the tokenizer has {tokens} tokens, the weights have {vocab_size}; they come from different models"
    )]
    VocabularyMismatch {
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Rows of the embedding.
        vocab_size: usize,
    },
    /// A text so long that no number of tokens could make it fit.
    #[error(
        "the text has {got} bytes, more than {n_ctx} tokens can hold ({most} at most); shorten it"
    )]
    TextTooLong {
        /// Bytes of the text.
        got: usize,
        /// Bytes `n_ctx` of the longest token would hold.
        most: usize,
        /// The model's context.
        n_ctx: usize,
    },
    /// An id that names no token.
    #[error(
        "token id {token_id} is outside the vocabulary of {n_tokens}; it comes from another model"
    )]
    TokenOutOfRange {
        /// The id.
        token_id: u32,
        /// Tokens there are.
        n_tokens: usize,
    },
    /// More added tokens than can be searched for in a text.
    #[error(
        "the added tokens cannot be searched for ({reason}); take the tokenizer from the model's repository again"
    )]
    AddedTokens {
        /// In the words of the search.
        reason: String,
    },
}

/// A GPT-2 tokenizer.
pub struct Tokenizer {
    added: AddedTokens,
    bpe: Bpe,
    /// The bytes of all tokens, one after another.
    bytes: Vec<u8>,
    /// Where each token's bytes end.
    ends: Vec<u32>,
    special: Vec<u32>,
    longest: usize,
    /// Bytes without a token, which would be left out of a text in silence.
    missing: Vec<u8>,
}

impl Tokenizer {
    /// Over the given vocabulary.
    ///
    /// # Errors
    /// [`TokenizerError::AddedTokens`] if it has more of them than can be searched for.
    pub fn new(vocabulary: Vocabulary) -> Result<Self, TokenizerError> {
        let bpe = Bpe::new(&vocabulary);
        let added_tokens = AddedTokens::new(&vocabulary)?;
        let missing = bpe.missing_bytes().collect();
        let Vocabulary { tokens, added, .. } = vocabulary;
        let mut bytes = Vec::with_capacity(tokens.len() * 8);
        let mut ends = Vec::with_capacity(tokens.len());
        let mut longest = 0;
        for token in &tokens {
            let start = bytes.len();
            push_token_bytes(token, &mut bytes);
            longest = longest.max(bytes.len() - start);
            ends.push(
                u32::try_from(bytes.len()).expect("at most 2^20 tokens of at most 2^10 bytes"),
            );
        }
        let special = added
            .iter()
            .filter(|(_, special)| *special)
            .map(|(id, _)| *id)
            .collect();
        Ok(Self {
            added: added_tokens,
            bpe,
            missing,
            bytes,
            ends,
            special,
            longest,
        })
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never: a vocabulary has at least the 256 bytes.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether the weights can have been made for this tokenizer.
    /// More rows than tokens are allowed: some models round their embedding up.
    ///
    /// # Errors
    /// [`TokenizerError::VocabularyMismatch`] if the embedding has fewer rows than there are tokens.
    pub fn check_vocab_size(&self, vocab_size: usize) -> Result<(), TokenizerError> {
        if self.len() > vocab_size {
            return Err(TokenizerError::VocabularyMismatch {
                tokens: self.len(),
                vocab_size,
            });
        }
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
    /// [`TokenizerError::MissingByte`] if the vocabulary cannot write it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        if !self.missing.is_empty()
            && let Some(byte) = text.bytes().find(|byte| self.missing.contains(byte))
        {
            return Err(TokenizerError::MissingByte { byte });
        }
        let mut ids = Vec::new();
        for piece in self.added.pieces(text) {
            match piece {
                Piece::Token(id) => ids.push(id),
                Piece::Text(text) => {
                    Words::of(text).for_each(|word| self.bpe.encode(word, &mut ids))
                }
            }
        }
        Ok(ids)
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
        let kept = token_ids.iter().filter(|id| !self.is_special(**id));
        let bytes: Vec<u8> = kept.flat_map(|id| self.token_bytes(*id)).copied().collect();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes a token stands for; none for ids without a token.
    pub fn token_bytes(&self, token_id: u32) -> &[u8] {
        let id = token_id as usize;
        let Some(&end) = self.ends.get(id) else {
            return &[];
        };
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start as usize..end as usize]
    }

    /// A token's text for display, special ones included; bytes that are no whole character read as U+FFFD.
    pub fn token_text(&self, token_id: u32) -> String {
        String::from_utf8_lossy(self.token_bytes(token_id)).into_owned()
    }

    /// Whether a token is left out of decoded text.
    pub fn is_special(&self, token_id: u32) -> bool {
        self.special.contains(&token_id)
    }
}

/// As `transformers` decodes a token: byte by byte, or, with any character outside the alphabet, as it stands.
fn push_token_bytes(token: &str, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    for c in token.chars() {
        match vocabulary::byte_of_char(c) {
            Some(byte) => bytes.push(byte),
            None => {
                bytes.truncate(start);
                bytes.extend_from_slice(token.as_bytes());
                return;
            }
        }
    }
}
