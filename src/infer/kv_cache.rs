//! `KvCache`: keys and values of one prompt, shared, and of what each sequence wrote after it.

use crate::kernels::{CacheMatrix, CacheType};
use crate::model::config::Gpt2Config;

/// Keys and values of all layers, written in place.
///
/// Two regions: the prompt (L, H), stored once for all sequences, and the new tokens (L, n, H); each
/// holds, per head, keys (positions, D) and values (D, positions).
pub(super) struct KvCache {
    prompt: Region,
    tail: Region,
    n_sequences: usize,
    n_head: usize,
    head_dim: usize,
}

/// Keys and values of many heads, with room for so many positions.
struct Region {
    keys: CacheMatrix,
    values: CacheMatrix,
    key_steps: Vec<f32>,   // (heads, padded)
    value_steps: Vec<f32>, // (heads, padded)
    capacity: usize,
    padded: usize,
}

impl Region {
    /// `None` if there is no memory for it.
    fn new(dtype: CacheType, n_heads: usize, capacity: usize, head_dim: usize) -> Option<Self> {
        let padded = CacheMatrix::padded(capacity);
        let n_vectors = n_heads.checked_mul(padded)?;
        Some(Self {
            keys: CacheMatrix::new(dtype, n_heads, padded, head_dim)?,
            values: CacheMatrix::new(dtype, n_heads, head_dim, padded)?,
            key_steps: zeros(n_vectors)?,
            value_steps: zeros(n_vectors)?,
            capacity,
            padded,
        })
    }

    fn write(&mut self, head: usize, pos: usize, key: &[f32], value: &[f32]) {
        let index = head * self.padded + pos;
        self.key_steps[index] = self.keys.write_row(head, pos, key);
        self.value_steps[index] = self.values.write_column(head, pos, value);
    }

    fn size_bytes(&self) -> usize {
        self.keys.size_bytes()
            + self.values.size_bytes()
            + 4 * (self.key_steps.len() + self.value_steps.len())
    }
}

/// A list of zeros, or `None` instead of an abort if there is no memory for it.
fn zeros(len: usize) -> Option<Vec<f32>> {
    let mut list = Vec::new();
    list.try_reserve_exact(len).ok()?;
    list.resize(len, 0.0);
    Some(list)
}

/// Where a token's keys and values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Position in the prompt.
    Prompt(usize),
    /// Sequence, and position among its new tokens.
    Tail(usize, usize),
}

/// Keys and values of one head in one region.
#[derive(Clone, Copy)]
pub(super) struct HeadView<'a> {
    region: &'a Region,
    head: usize,
    head_dim: usize,
}

impl<'a> HeadView<'a> {
    /// The matrix of keys (positions, D), and which one.
    pub(super) fn keys(self) -> (&'a CacheMatrix, usize) {
        (&self.region.keys, self.head)
    }

    /// The matrix of values (D, positions), and which one.
    pub(super) fn values(self) -> (&'a CacheMatrix, usize) {
        (&self.region.values, self.head)
    }

    /// What the integers of each position's key are worth.
    pub(super) fn key_steps(self) -> &'a [f32] {
        &self.region.key_steps[self.head * self.region.padded..][..self.region.padded]
    }

    /// What the integers of each position's value are worth.
    pub(super) fn value_steps(self) -> &'a [f32] {
        &self.region.value_steps[self.head * self.region.padded..][..self.region.padded]
    }

    pub(super) fn head_dim(self) -> usize {
        self.head_dim
    }
}

impl KvCache {
    /// `None` if there is no memory for it.
    pub(super) fn new(
        config: &Gpt2Config,
        dtype: CacheType,
        n_sequences: usize,
        max_prompt: usize,
        max_new: usize,
    ) -> Option<Self> {
        let (heads, head_dim) = (config.n_layer * config.n_head, config.head_dim());
        let tail_heads = heads.checked_mul(n_sequences)?;
        Some(Self {
            prompt: Region::new(dtype, heads, max_prompt, head_dim)?,
            tail: Region::new(dtype, tail_heads, max_new, head_dim)?,
            n_sequences,
            n_head: config.n_head,
            head_dim,
        })
    }

    pub(super) fn n_head(&self) -> usize {
        self.n_head
    }

    pub(super) fn head_dim(&self) -> usize {
        self.head_dim
    }

    pub(super) fn max_prompt(&self) -> usize {
        self.prompt.capacity
    }

    pub(super) fn max_new(&self) -> usize {
        self.tail.capacity
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.prompt.size_bytes() + self.tail.size_bytes()
    }

    /// Writes `key` (C) and `value` (C) of one token.
    pub(super) fn write(&mut self, layer_idx: usize, slot: Slot, key: &[f32], value: &[f32]) {
        let (d, n_head) = (self.head_dim, self.n_head);
        let (region, first_head, pos) = match slot {
            Slot::Prompt(pos) => (&mut self.prompt, layer_idx * n_head, pos),
            Slot::Tail(sequence, pos) => (
                &mut self.tail,
                (layer_idx * self.n_sequences + sequence) * n_head,
                pos,
            ),
        };
        assert!(pos < region.capacity, "the cache has room for the token");
        for (head, (key, value)) in key.chunks_exact(d).zip(value.chunks_exact(d)).enumerate() {
            region.write(first_head + head, pos, key, value);
        }
    }

    /// The prompt, as one head sees it.
    pub(super) fn prompt(&self, layer_idx: usize, head: usize) -> HeadView<'_> {
        HeadView {
            region: &self.prompt,
            head: layer_idx * self.n_head + head,
            head_dim: self.head_dim,
        }
    }

    /// The new tokens of one sequence, as one head sees them.
    pub(super) fn tail(&self, layer_idx: usize, sequence: usize, head: usize) -> HeadView<'_> {
        HeadView {
            region: &self.tail,
            head: (layer_idx * self.n_sequences + sequence) * self.n_head + head,
            head_dim: self.head_dim,
        }
    }
}
