//! `TokenizerFiles`: the files of a model folder that its tokenizer is made of.
//!
//! They are read as `transformers` 5 reads them for GPT-2's class, with these differences, each for the sake of what the
//! model was trained with: an added token keeps the id that a file gives it, where `transformers` numbers it anew after a
//! hole; a normalizer, a pre-tokenizer other than GPT-2's and added tokens of a `tokenizer.json` are kept, where version 5
//! drops them for this class and version 4 keeps them; files may begin with a byte order mark.

mod added_list;
mod class;
mod from_vocabulary;
mod optional_files;

use std::collections::BTreeMap;

use crate::file_kind::FileKind;
use crate::notice::Notice;

use super::json::{self, object};
use super::{Tokenizer, TokenizerError};

use class::Class;
use from_vocabulary::{byte_level_bpe, lines, word_piece};
use optional_files::{
    ADDED_TOKENS, OptionalFiles, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG, object_in,
};

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
            None | Some(FileKind::Html | FileKind::LfsPointer | FileKind::ServerAnswer) => false,
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
        let others = OptionalFiles::read(class, |name| self.get(name), &mut notices);
        let mut tokenizer = self.read_with(&others, &mut notices)?;
        tokenizer.notices = notices;
        let are_split = others.config.get("split_special_tokens") == Some(&true.into());
        tokenizer.inner.set_encode_special_tokens(are_split);
        tokenizer.unknown = others.token_of("unk_token");
        tokenizer.padding = others.token_of("pad_token");
        Ok(tokenizer)
    }

    fn read_with(
        &self,
        others: &OptionalFiles<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<Tokenizer, TokenizerError> {
        let passed_over = self.passed_over(notices);
        let file = |name: &str| self.get(name).filter(|_| !passed_over.contains(&name));
        if let Some(bytes) = file(TOKENIZER) {
            let mut file = object(TOKENIZER, bytes)?;
            let added = json::take_added(TOKENIZER, &mut file)?;
            let kind = file.get("model").and_then(|model| model["type"].as_str());
            let class = others.class().filter(|class| class.has_model(kind));
            if let Some(class) = class {
                class.apply_to(&mut file, &others.config);
            }
            let roles = class.map_or(&[][..], |class| class.roles);
            let added = others.added_tokens(added, roles, notices);
            return json::build(TOKENIZER, file, added);
        }
        let pair = |vocab, merges| Some((vocab, file(vocab)?, merges, file(merges)?));
        if let Some(files) = pair(VOCAB, MERGES).or_else(|| pair(ENCODER, VOCAB_BPE)) {
            let (vocab, vocab_bytes, merges, merges_bytes) = files;
            let class = others.class().filter(|class| class.has_model(Some("BPE")));
            let class = class.unwrap_or(Class::GPT2);
            let mut file =
                byte_level_bpe(object(vocab, vocab_bytes)?, lines(merges, merges_bytes)?);
            class.apply_to(&mut file, &others.config);
            let added = others.added_tokens(Vec::new(), class.roles, notices);
            return json::build(vocab, file, added);
        }
        if let Some(bytes) = file(VOCAB_TXT) {
            let file = word_piece(&lines(VOCAB_TXT, bytes)?, &others.config);
            let added = others.added_tokens(Vec::new(), Class::BERT.roles, notices);
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
            let file = object_in(name, self.get(name), &mut Vec::new());
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
            notices.push(Notice::file_passed_over(
                name,
                format_args!("it is {found}"),
            ));
        }
        names
    }
}
