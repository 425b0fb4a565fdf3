//! `KvCache`: one head's keys and values, of the shared prompt and of the tokens each sequence has after it.

use crate::{CacheMatrix, CacheType};

/// Keys and values of one head in all layers, written in place.
///
/// Two regions: the prompt (L), stored once for all sequences, and the new tokens (L, n); each
/// holds, per layer, keys (positions, D) and values (D, positions).
pub struct KvCache {
    prompt: Region,
    tail: Region,
    n_layer: usize,
    n_sequences: usize,
    head_dim: usize,
}

/// Matrices of keys and as many of values, each with room for `capacity` positions.
struct Region {
    keys: CacheMatrix,
    values: CacheMatrix,
    key_steps: Vec<f32>,   // (matrices, padded)
    value_steps: Vec<f32>, // (matrices, padded)
    capacity: usize,
    padded: usize,
}

impl Region {
    /// Zeroed keys and values; `None` if the allocation fails.
    fn new(dtype: CacheType, n_matrices: usize, capacity: usize, head_dim: usize) -> Option<Self> {
        let padded = CacheMatrix::padded(capacity);
        let n_vectors = n_matrices.checked_mul(padded)?;
        Some(Self {
            keys: CacheMatrix::new(dtype, n_matrices, padded, head_dim)?,
            values: CacheMatrix::new(dtype, n_matrices, head_dim, padded)?,
            key_steps: zeros(n_vectors)?,
            value_steps: zeros(n_vectors)?,
            capacity,
            padded,
        })
    }

    fn write(&mut self, matrix: usize, pos: usize, key: &[f32], value: &[f32]) {
        assert!(pos < self.capacity, "the cache has room for the token");
        let index = matrix * self.padded + pos;
        self.key_steps[index] = self.keys.write_row(matrix, pos, key);
        self.value_steps[index] = self.values.write_column(matrix, pos, value);
    }

    fn copy(&mut self, from: usize, to: usize) {
        self.keys.copy_matrix(from, to);
        self.values.copy_matrix(from, to);
        let source = from * self.padded..(from + 1) * self.padded;
        self.key_steps.copy_within(source.clone(), to * self.padded);
        self.value_steps.copy_within(source, to * self.padded);
    }

    fn size_bytes(&self) -> usize {
        self.keys.size_bytes()
            + self.values.size_bytes()
            + 4 * (self.key_steps.len() + self.value_steps.len())
    }
}

/// `len` zeros, or `None` instead of an abort if the allocation fails.
fn zeros(len: usize) -> Option<Vec<f32>> {
    let mut list = Vec::new();
    list.try_reserve_exact(len).ok()?;
    list.resize(len, 0.0);
    Some(list)
}

/// The position where a token's key and value are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Position in the prompt.
    Prompt(usize),
    /// Sequence, and position among its new tokens.
    Tail(usize, usize),
}

/// Keys and values of one layer in one region.
#[derive(Clone, Copy)]
pub struct LayerView<'a> {
    region: &'a Region,
    matrix: usize,
    head_dim: usize,
}

impl<'a> LayerView<'a> {
    /// The keys: matrices (positions, D), and the index of this layer's.
    pub fn keys(self) -> (&'a CacheMatrix, usize) {
        (&self.region.keys, self.matrix)
    }

    /// The values: matrices (D, positions), and the index of this layer's.
    pub fn values(self) -> (&'a CacheMatrix, usize) {
        (&self.region.values, self.matrix)
    }

    /// The step of the integers of each position's key.
    pub fn key_steps(self) -> &'a [f32] {
        &self.region.key_steps[self.matrix * self.region.padded..][..self.region.padded]
    }

    /// The step of the integers of each position's value.
    pub fn value_steps(self) -> &'a [f32] {
        &self.region.value_steps[self.matrix * self.region.padded..][..self.region.padded]
    }

    /// D.
    pub fn head_dim(self) -> usize {
        self.head_dim
    }
}

impl KvCache {
    /// Zeroed keys and values of (layers, D); `None` if the allocation fails.
    pub fn new(
        dtype: CacheType,
        (n_layer, head_dim): (usize, usize),
        n_sequences: usize,
        max_prompt: usize,
        max_new: usize,
    ) -> Option<Self> {
        let n_tails = n_layer.checked_mul(n_sequences)?;
        Some(Self {
            prompt: Region::new(dtype, n_layer, max_prompt, head_dim)?,
            tail: Region::new(dtype, n_tails, max_new, head_dim)?,
            n_layer,
            n_sequences,
            head_dim,
        })
    }

    /// D.
    pub fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Positions of the prompt.
    pub fn max_prompt(&self) -> usize {
        self.prompt.capacity
    }

    /// Positions of each sequence after the prompt.
    pub fn max_new(&self) -> usize {
        self.tail.capacity
    }

    /// Bytes of keys, values and steps.
    pub fn size_bytes(&self) -> usize {
        self.prompt.size_bytes() + self.tail.size_bytes()
    }

    /// Writes `key` (D) and `value` (D) of one token.
    pub fn write(&mut self, layer_idx: usize, slot: Slot, key: &[f32], value: &[f32]) {
        match slot {
            Slot::Prompt(pos) => self.prompt.write(layer_idx, pos, key, value),
            Slot::Tail(sequence, pos) => {
                let matrix = layer_idx * self.n_sequences + sequence;
                self.tail.write(matrix, pos, key, value);
            }
        }
    }

    /// Copies the keys and values of one sequence's new tokens over those of another, in all layers.
    pub fn copy_tail(&mut self, from: usize, to: usize) {
        for first in (0..self.n_layer).map(|layer_idx| layer_idx * self.n_sequences) {
            self.tail.copy(first + from, first + to);
        }
    }

    /// The keys and values of the prompt in one layer.
    pub fn prompt(&self, layer_idx: usize) -> LayerView<'_> {
        LayerView {
            region: &self.prompt,
            matrix: layer_idx,
            head_dim: self.head_dim,
        }
    }

    /// The keys and values of one sequence's new tokens in one layer.
    pub fn tail(&self, layer_idx: usize, sequence: usize) -> LayerView<'_> {
        LayerView {
            region: &self.tail,
            matrix: layer_idx * self.n_sequences + sequence,
            head_dim: self.head_dim,
        }
    }
}
