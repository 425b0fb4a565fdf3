//! `KvCache`: keys and values of one prompt, shared, and of what each sequence wrote after it.

use crate::model::config::Gpt2Config;

/// Keys and values of all layers, written in place.
///
/// Two regions, each for keys and for values: the prompt (L, H, P, D), stored once for all sequences,
/// and the new tokens (L, n, H, N, D), where P and N are the most tokens each may hold.
/// The keys of one head lie together, because attention reads them head by head.
pub(super) struct KvCache {
    prompt: Region,
    tail: Region,
    n_sequences: usize,
    n_head: usize,
    head_dim: usize,
}

struct Region {
    keys: Vec<f32>,
    values: Vec<f32>,
    capacity: usize,
}

impl Region {
    fn new(n_heads: usize, capacity: usize, head_dim: usize) -> Self {
        let len = n_heads * capacity * head_dim;
        Self {
            keys: vec![0.0; len],
            values: vec![0.0; len],
            capacity,
        }
    }

    /// Where the vectors of one head begin: (capacity, D) from there.
    fn head_start(&self, head: usize, head_dim: usize) -> usize {
        head * self.capacity * head_dim
    }
}

/// Where a token's keys and values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Position in the prompt.
    Prompt(usize),
    /// Sequence, and position among its new tokens.
    Tail(usize, usize),
}

/// Keys and values of one head, (len, D) each.
pub(super) struct HeadView<'a> {
    pub(super) keys: &'a [f32],
    pub(super) values: &'a [f32],
}

impl KvCache {
    pub(super) fn new(
        config: &Gpt2Config,
        n_sequences: usize,
        max_prompt: usize,
        max_new: usize,
    ) -> Self {
        let (heads, head_dim) = (config.n_layer * config.n_head, config.head_dim());
        Self {
            prompt: Region::new(heads, max_prompt, head_dim),
            tail: Region::new(heads * n_sequences, max_new, head_dim),
            n_sequences,
            n_head: config.n_head,
            head_dim,
        }
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
        4 * 2 * (self.prompt.keys.len() + self.tail.keys.len())
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
            let start = region.head_start(first_head + head, d) + pos * d;
            region.keys[start..start + d].copy_from_slice(key);
            region.values[start..start + d].copy_from_slice(value);
        }
    }

    /// The first `len` prompt positions of one head.
    pub(super) fn prompt(&self, layer_idx: usize, head: usize, len: usize) -> HeadView<'_> {
        self.view(&self.prompt, layer_idx * self.n_head + head, len)
    }

    /// The first `len` new positions of one head of one sequence.
    pub(super) fn tail(
        &self,
        layer_idx: usize,
        sequence: usize,
        head: usize,
        len: usize,
    ) -> HeadView<'_> {
        let head = (layer_idx * self.n_sequences + sequence) * self.n_head + head;
        self.view(&self.tail, head, len)
    }

    fn view<'a>(&self, region: &'a Region, head: usize, len: usize) -> HeadView<'a> {
        let start = region.head_start(head, self.head_dim);
        let range = start..start + len * self.head_dim;
        HeadView {
            keys: &region.keys[range.clone()],
            values: &region.values[range],
        }
    }
}
