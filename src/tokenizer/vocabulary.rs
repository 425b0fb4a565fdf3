//! `Vocabulary`: the tokens and merges of a GPT-2 byte-level BPE, read from any of the three places they are kept.

use std::collections::HashMap;

use ahash::AHashMap;
use serde::Deserialize;

use super::TokenizerError;

/// The text of GPT-2's end-of-text token.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// Most tokens a vocabulary may hold; GPT-2 has 50,257.
pub const MAX_TOKENS: usize = 1 << 20;
/// Most bytes of one token; GPT-2's longest has 128 characters.
pub const MAX_TOKEN_BYTES: usize = 1024;
/// Most bytes of a tokenizer file; GPT-2's `tokenizer.json` has 2 MB.
pub const MAX_FILE_BYTES: usize = 64 << 20;

/// Tokens and merges in checked form: ids without holes, each token once, each merge from tokens to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Token texts in GPT-2's byte alphabet; the index is the id.
    pub(super) tokens: Vec<String>,
    /// In order of rank.
    pub(super) merges: Vec<Merge>,
    /// Ids that are recognised as a whole in a text, with whether they are special (left out of decoded text).
    pub(super) added: Vec<(u32, bool)>,
}

/// A rule of a byte-level BPE, in token ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merge {
    pub left: u32,
    pub right: u32,
    /// The token whose text is both of theirs.
    pub merged: u32,
}

impl Vocabulary {
    /// From tokens in order of id, merges in order of rank, and the ids of added tokens with whether they are special.
    ///
    /// # Errors
    /// [`TokenizerError`] if there are too many or too long tokens, a token twice, or a merge that names or
    /// makes no token.
    pub fn new(
        tokens: Vec<String>,
        merges: &[(String, String)],
        added: Vec<(u32, bool)>,
    ) -> Result<Self, TokenizerError> {
        let merges = merges.iter().map(|(left, right)| Ok((&**left, &**right)));
        Self::checked(tokens, merges, added)
    }

    fn checked<'m>(
        tokens: Vec<String>,
        pairs: impl Iterator<Item = Result<(&'m str, &'m str), TokenizerError>>,
        added: Vec<(u32, bool)>,
    ) -> Result<Self, TokenizerError> {
        if tokens.is_empty() || tokens.len() > MAX_TOKENS {
            return Err(TokenizerError::VocabularySize {
                got: tokens.len(),
                most: MAX_TOKENS,
            });
        }
        let mut known: AHashMap<&str, u32> = AHashMap::with_capacity(tokens.len());
        for (id, token) in tokens.iter().enumerate() {
            if token.len() > MAX_TOKEN_BYTES {
                return Err(TokenizerError::TokenTooLong {
                    id,
                    got: token.len(),
                    most: MAX_TOKEN_BYTES,
                });
            }
            let number = u32::try_from(id).expect("at most MAX_TOKENS");
            if known.insert(token, number).is_some() {
                return Err(TokenizerError::DuplicateToken {
                    token: token.clone(),
                });
            }
        }
        let mut merges = Vec::new();
        let mut both = String::new();
        for (rank, pair) in pairs.enumerate() {
            let (left, right) = pair?;
            both.clear();
            both.push_str(left);
            both.push_str(right);
            let id_of = |token: &str| match known.get(token) {
                Some(id) => Ok(*id),
                None => Err(TokenizerError::BadMerge {
                    rank,
                    token: token.to_owned(),
                }),
            };
            merges.push(Merge {
                left: id_of(left)?,
                right: id_of(right)?,
                merged: id_of(&both)?,
            });
        }
        if let Some((id, _)) = added.iter().find(|(id, _)| *id as usize >= tokens.len()) {
            return Err(TokenizerError::Hole { id: *id as usize });
        }
        Ok(Self {
            tokens,
            merges,
            added,
        })
    }

    /// From the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Json`] if it is no such file, [`TokenizerError::Unsupported`] if it describes anything
    /// but GPT-2's byte-level BPE, else as [`Vocabulary::new`].
    pub fn from_tokenizer_json(bytes: &[u8]) -> Result<Self, TokenizerError> {
        check_file_size("tokenizer.json", bytes)?;
        let file: TokenizerJson =
            serde_json::from_slice(bytes).map_err(|source| TokenizerError::Json {
                file: "tokenizer.json",
                source,
            })?;
        if let Some(kind) = file.model.kind.as_deref().filter(|kind| *kind != "BPE") {
            return Err(unsupported("model", kind));
        }
        if file.normalizer.is_some_and(|part| !part.is_null()) {
            return Err(unsupported("normalizer", "one"));
        }
        match file.pre_tokenizer {
            Some(PreTokenizerJson {
                kind,
                add_prefix_space: false,
                use_regex: true,
            }) if kind == "ByteLevel" => {}
            Some(other) => return Err(unsupported("pre_tokenizer", &other.kind)),
            None => return Err(unsupported("pre_tokenizer", "none")),
        }
        let mut vocab = file.model.vocab;
        for token in &file.added_tokens {
            if let Some(id) = vocab.insert(token.content.clone(), token.id)
                && id != token.id
            {
                return Err(TokenizerError::DuplicateToken {
                    token: token.content.clone(),
                });
            }
        }
        let tokens = tokens_by_id(vocab)?;
        let merges = file.model.merges.iter().enumerate();
        let merges = merges.map(|(rank, merge)| match merge {
            MergeJson::Pair(left, right) => Ok((&**left, &**right)),
            MergeJson::Line(line) => split_merge(line, rank),
        });
        let added = file
            .added_tokens
            .iter()
            .map(|token| (token.id, token.special))
            .collect();
        Self::checked(tokens, merges, added)
    }

    /// From the bytes of a `vocab.json` and a `merges.txt`.
    ///
    /// # Errors
    /// [`TokenizerError::Json`] or [`TokenizerError::NotUtf8`] if they are no such files, else as [`Vocabulary::new`].
    pub fn from_vocab_and_merges(vocab: &[u8], merges: &[u8]) -> Result<Self, TokenizerError> {
        check_file_size("vocab.json", vocab)?;
        check_file_size("merges.txt", merges)?;
        let vocab: HashMap<String, u32> =
            serde_json::from_slice(vocab).map_err(|source| TokenizerError::Json {
                file: "vocab.json",
                source,
            })?;
        let merges = std::str::from_utf8(merges)
            .map_err(|_| TokenizerError::NotUtf8 { file: "merges.txt" })?;
        let merges = merges
            .lines()
            .enumerate()
            // Only the first line is a comment: `#` is also a token and may open a merge.
            .filter(|(i, line)| !(line.is_empty() || *i == 0 && line.starts_with("#version")))
            .map(|(_, line)| line)
            .enumerate()
            .map(|(rank, line)| split_merge(line, rank));
        Self::with_end_of_text(tokens_by_id(vocab)?, merges)
    }

    /// From a GGUF's `tokenizer.ggml.tokens` and `tokenizer.ggml.merges`.
    ///
    /// # Errors
    /// As [`Vocabulary::new`].
    pub fn from_gguf(tokens: Vec<String>, merges: &[String]) -> Result<Self, TokenizerError> {
        let merges = merges.iter().enumerate();
        let merges = merges.map(|(rank, line)| split_merge(line, rank));
        Self::with_end_of_text(tokens, merges)
    }

    /// With `<|endoftext|>`, where it is there, as the one special token: files without a list of added tokens
    /// mean that (`special_tokens_map.json` of every GPT-2 says nothing else).
    fn with_end_of_text<'m>(
        tokens: Vec<String>,
        merges: impl Iterator<Item = Result<(&'m str, &'m str), TokenizerError>>,
    ) -> Result<Self, TokenizerError> {
        let added = tokens
            .iter()
            .position(|token| token == END_OF_TEXT)
            .and_then(|id| u32::try_from(id).ok())
            .map(|id| (id, true));
        Self::checked(tokens, merges, added.into_iter().collect())
    }

    /// Token texts in GPT-2's byte alphabet, in order of id.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Merges in order of rank.
    pub fn merges(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |id: u32| &*self.tokens[id as usize];
        self.merges
            .iter()
            .map(move |merge| (text(merge.left), text(merge.right)))
    }

    /// Ids recognised as a whole in a text, with whether they are special.
    pub fn added(&self) -> &[(u32, bool)] {
        &self.added
    }
}

/// What stands in for a byte in a token's text.
///
/// Source: openai/gpt-2 `src/encoder.py`, `bytes_to_unicode`.
pub fn char_of_byte(byte: u8) -> char {
    let code = match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => u32::from(byte),
        // The others, in order, take the code points from U+0100 on.
        0..=b' ' => 0x100 + u32::from(byte),
        0x7F..=0xA0 => 0x100 + 33 + u32::from(byte - 0x7F),
        0xAD => 0x100 + 67,
    };
    char::from_u32(code).expect("all code points here are below U+0144")
}

/// The byte a character of a token's text stands for; none for characters outside the alphabet.
pub fn byte_of_char(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) => u8::try_from(code).ok(),
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7F).ok(),
        0x143 => Some(0xAD),
        _ => None,
    }
}

#[derive(Deserialize)]
struct TokenizerJson {
    model: ModelJson,
    #[serde(default)]
    added_tokens: Vec<AddedTokenJson>,
    normalizer: Option<serde_json::Value>,
    pre_tokenizer: Option<PreTokenizerJson>,
}

#[derive(Deserialize)]
struct ModelJson {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: HashMap<String, u32>,
    merges: Vec<MergeJson>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MergeJson {
    Line(String),
    Pair(String, String),
}

#[derive(Deserialize)]
struct AddedTokenJson {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct PreTokenizerJson {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    add_prefix_space: bool,
    #[serde(default = "yes")]
    use_regex: bool,
}

fn yes() -> bool {
    true
}

fn unsupported(part: &'static str, got: &str) -> TokenizerError {
    TokenizerError::Unsupported {
        part,
        got: got.to_owned(),
    }
}

fn check_file_size(file: &'static str, bytes: &[u8]) -> Result<(), TokenizerError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(TokenizerError::FileTooLong {
            file,
            got: bytes.len(),
            most: MAX_FILE_BYTES,
        });
    }
    Ok(())
}

fn split_merge(line: &str, rank: usize) -> Result<(&str, &str), TokenizerError> {
    match line.split_once(' ') {
        Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains(' ') => {
            Ok((left, right))
        }
        _ => Err(TokenizerError::BadMerge {
            rank,
            token: line.chars().take(80).collect(),
        }),
    }
}

/// The tokens in order of their ids, which must be 0 to n − 1.
fn tokens_by_id(vocab: HashMap<String, u32>) -> Result<Vec<String>, TokenizerError> {
    let n = vocab.len();
    let mut tokens: Vec<Option<String>> = vec![None; n];
    for (token, id) in vocab {
        match tokens.get_mut(id as usize) {
            Some(slot) if slot.is_none() => *slot = Some(token),
            Some(_) => return Err(TokenizerError::DuplicateToken { token }),
            None => return Err(TokenizerError::Hole { id: id as usize }),
        }
    }
    // n tokens took n different places below n, so each place is taken.
    Ok(tokens.into_iter().flatten().collect())
}
