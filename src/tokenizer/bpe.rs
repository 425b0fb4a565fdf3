//! `Bpe`: byte pairs merged in order of their rank, by token ids alone.
//!
//! The tokenizers crate calls it for each word its pre-tokenizer finds. Its own model keeps every token's text twice
//! and looks all of them up again: building that took a sixth of the time in which a page opens a model.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::{Path, PathBuf};

use ahash::AHashMap;
use tokenizers::models::bpe::BpeTrainer;
use tokenizers::{Model, Token};

use super::vocabulary::{Vocabulary, byte_of_char};

/// The merges of a vocabulary, and the tokens they begin from.
pub struct Bpe {
    n_tokens: usize,
    /// The token of each single byte.
    bytes: [Option<u32>; 256],
    /// Rank and merged token by left and right token.
    merges: AHashMap<(u32, u32), (u32, u32)>,
    /// The added tokens by their text: all that the crate asks for.
    added: AHashMap<String, u32>,
}

/// A token of a word: part of a list, from which a merge takes the right one of two out.
#[derive(Clone, Copy)]
struct Symbol {
    id: u32,
    prev: Option<usize>,
    next: Option<usize>,
    is_merged_away: bool,
}

impl Bpe {
    /// Of a checked vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Self {
        let mut bytes = [None; 256];
        for (token, id) in vocabulary.tokens.iter().zip(0..) {
            let mut chars = token.chars();
            if let (Some(c), None) = (chars.next(), chars.next())
                && let Some(byte) = byte_of_char(c)
            {
                bytes[usize::from(byte)] = Some(id);
            }
        }
        let merges = vocabulary.merges.iter().zip(0..);
        let added = vocabulary.added.iter();
        Self {
            n_tokens: vocabulary.tokens.len(),
            bytes,
            merges: merges
                .map(|(merge, rank)| ((merge.left, merge.right), (rank, merge.merged)))
                .collect(),
            added: added
                .map(|(id, _)| (vocabulary.tokens[*id as usize].clone(), *id))
                .collect(),
        }
    }

    /// Bytes that no token stands for.
    pub fn missing_bytes(&self) -> impl Iterator<Item = u8> {
        (0..=255).filter(|byte| self.bytes[usize::from(*byte)].is_none())
    }

    fn rank(&self, word: &[Symbol], pos: usize) -> Option<(u32, u32)> {
        let symbol = word[pos];
        self.merges
            .get(&(symbol.id, word[symbol.next?].id))
            .copied()
    }

    /// Merges the pair of the lowest rank, the leftmost of several, until there is none: O(n log n).
    fn merge(&self, word: &mut [Symbol]) {
        let ranked = |word: &[Symbol], pos| Some(Reverse((self.rank(word, pos)?.0, pos)));
        let mut queue: BinaryHeap<_> = (0..word.len())
            .filter_map(|pos| ranked(word, pos))
            .collect();
        while let Some(Reverse((rank, pos))) = queue.pop() {
            // What was queued for a pair that is no more is passed over.
            let Some((current, merged)) = self.rank(word, pos) else {
                continue;
            };
            if word[pos].is_merged_away || current != rank {
                continue;
            }
            let right = word[pos].next.expect("a pair has a right token");
            word[right].is_merged_away = true;
            word[pos].id = merged;
            word[pos].next = word[right].next;
            if let Some(next) = word[pos].next {
                word[next].prev = Some(pos);
            }
            queue.extend(ranked(word, pos));
            queue.extend(word[pos].prev.and_then(|prev| ranked(word, prev)));
        }
    }
}

impl Model for Bpe {
    type Trainer = BpeTrainer;

    /// The ids of a word in the byte alphabet; their texts and places, which nobody reads, are left empty.
    fn tokenize(&self, word: &str) -> tokenizers::Result<Vec<Token>> {
        let ids = word
            .chars()
            .filter_map(|c| self.bytes[usize::from(byte_of_char(c)?)]);
        let mut symbols: Vec<Symbol> = ids
            .enumerate()
            .map(|(pos, id)| Symbol {
                id,
                prev: pos.checked_sub(1),
                next: Some(pos + 1),
                is_merged_away: false,
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.next = None;
        }
        self.merge(&mut symbols);
        let left = symbols.iter().filter(|symbol| !symbol.is_merged_away);
        Ok(left
            .map(|symbol| Token::new(symbol.id, String::new(), (0, 0)))
            .collect())
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.added.get(token).copied()
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        let found = self.added.iter().find(|(_, added)| **added == id);
        found.map(|(token, _)| token.clone())
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        self.added.clone().into_iter().collect()
    }

    fn get_vocab_size(&self) -> usize {
        self.n_tokens
    }

    fn save(&self, _: &Path, _: Option<&str>) -> tokenizers::Result<Vec<PathBuf>> {
        Err("a vocabulary is written with its model".into())
    }

    fn get_trainer(&self) -> BpeTrainer {
        BpeTrainer::default()
    }
}
