//! `Bpe`: byte pairs merged in order of their rank, by token ids alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ahash::AHashMap;

use super::vocabulary::{Vocabulary, byte_of_char};

/// The merges of a vocabulary, and the tokens they begin from.
pub struct Bpe {
    /// The token of each single byte.
    bytes: [Option<u32>; 256],
    /// Rank and merged token by left and right token.
    merges: AHashMap<(u32, u32), (u32, u32)>,
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
        Self {
            bytes,
            merges: merges
                .map(|(merge, rank)| ((merge.left, merge.right), (rank, merge.merged)))
                .collect(),
        }
    }

    /// Bytes that no token stands for.
    pub fn missing_bytes(&self) -> impl Iterator<Item = u8> {
        (0..=255).filter(|byte| self.bytes[usize::from(*byte)].is_none())
    }

    /// Appends the ids of a word. Bytes without a token are left out.
    pub fn encode(&self, word: &str, ids: &mut Vec<u32>) {
        let bytes = word
            .bytes()
            .filter_map(|byte| self.bytes[usize::from(byte)]);
        let mut symbols: Vec<Symbol> = bytes
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
        ids.extend(left.map(|symbol| symbol.id));
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
