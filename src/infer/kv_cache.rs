//! `KvCache`: keys and values of one prompt, shared, and of what each sequence wrote after it.

use super::ops;
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

/// How exactly keys and values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// As 32-bit floats.
    Exact,
    /// As 16-bit integers with one step size per vector.
    ///
    /// Half the memory, and the rounding is 1/65534 of a vector's largest number: finer than 16-bit
    /// floats, and widened in two SIMD instructions where those need six.
    Rounded,
}

/// Vectors of many heads, one after another.
struct Region {
    keys: Vectors,
    values: Vectors,
    capacity: usize,
}

/// Vectors (D), by index.
enum Vectors {
    Exact(Vec<f32>),
    Rounded { integers: Vec<i16>, steps: Vec<f32> },
}

impl Vectors {
    /// `None` if there is no memory for them.
    fn new(precision: Precision, n_vectors: usize, head_dim: usize) -> Option<Self> {
        let n = n_vectors.checked_mul(head_dim)?;
        Some(match precision {
            Precision::Exact => Self::Exact(zeros(n)?),
            Precision::Rounded => Self::Rounded {
                integers: zeros(n)?,
                steps: zeros(n_vectors)?,
            },
        })
    }

    /// Stores `vector` (D) as the one with this index.
    fn write(&mut self, index: usize, vector: &[f32]) {
        const MAX: f32 = 32767.0;
        let range = index * vector.len()..(index + 1) * vector.len();
        match self {
            Self::Exact(values) => values[range].copy_from_slice(vector),
            Self::Rounded { integers, steps } => {
                let largest = vector.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
                let per_unit = if largest > 0.0 { MAX / largest } else { 0.0 };
                steps[index] = largest / MAX;
                for (integer, x) in integers[range].iter_mut().zip(vector) {
                    *integer = ops::round(x * per_unit) as i16;
                }
            }
        }
    }

    fn view(&self, first: usize, n_vectors: usize, head_dim: usize) -> VectorsView<'_> {
        let range = first * head_dim..(first + n_vectors) * head_dim;
        match self {
            Self::Exact(values) => VectorsView::Exact(&values[range]),
            Self::Rounded { integers, steps } => {
                VectorsView::Rounded(&integers[range], &steps[first..first + n_vectors])
            }
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Exact(values) => 4 * values.len(),
            Self::Rounded { integers, steps } => 2 * integers.len() + 4 * steps.len(),
        }
    }
}

/// A list of zeros, or `None` instead of an abort if there is no memory for it.
fn zeros<N: Default + Clone>(len: usize) -> Option<Vec<N>> {
    let mut list = Vec::new();
    list.try_reserve_exact(len).ok()?;
    list.resize(len, N::default());
    Some(list)
}

/// Some vectors (n, D) in order of position.
#[derive(Clone, Copy)]
pub(super) enum VectorsView<'a> {
    /// The vectors.
    Exact(&'a [f32]),
    /// Their integers, and the step of each.
    Rounded(&'a [i16], &'a [f32]),
}

impl VectorsView<'_> {
    /// `out` (n) = scale · each vector · `query` (D).
    pub(super) fn scores(self, query: &[f32], scale: f32, out: &mut [f32]) {
        let d = query.len();
        match self {
            Self::Exact(values) => {
                for (out, vector) in out.iter_mut().zip(values.chunks_exact(d)) {
                    *out = ops::dot(query, vector) * scale;
                }
            }
            Self::Rounded(integers, steps) => {
                let vectors = integers.chunks_exact(d).zip(steps);
                for (out, (vector, step)) in out.iter_mut().zip(vectors) {
                    *out = ops::dot(query, vector) * (step * scale);
                }
            }
        }
    }

    /// `out` (D) += Σ weight · vector, over `weights` (n).
    pub(super) fn add_mixed(self, weights: &[f32], out: &mut [f32]) {
        let d = out.len();
        match self {
            Self::Exact(values) => {
                for (weight, vector) in weights.iter().zip(values.chunks_exact(d)) {
                    ops::add_scaled(out, *weight, vector);
                }
            }
            Self::Rounded(integers, steps) => {
                let vectors = integers.chunks_exact(d).zip(steps);
                for (weight, (vector, step)) in weights.iter().zip(vectors) {
                    ops::add_scaled(out, weight * step, vector);
                }
            }
        }
    }
}

impl Region {
    fn new(precision: Precision, n_heads: usize, capacity: usize, head_dim: usize) -> Option<Self> {
        let n_vectors = n_heads.checked_mul(capacity)?;
        Some(Self {
            keys: Vectors::new(precision, n_vectors, head_dim)?,
            values: Vectors::new(precision, n_vectors, head_dim)?,
            capacity,
        })
    }

    /// Index of a head's vector at a position.
    fn index(&self, head: usize, pos: usize) -> usize {
        head * self.capacity + pos
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

/// Keys and values of one head.
pub(super) struct HeadView<'a> {
    pub(super) keys: VectorsView<'a>,
    pub(super) values: VectorsView<'a>,
}

impl KvCache {
    /// `None` if there is no memory for it.
    pub(super) fn new(
        config: &Gpt2Config,
        precision: Precision,
        n_sequences: usize,
        max_prompt: usize,
        max_new: usize,
    ) -> Option<Self> {
        let (heads, head_dim) = (config.n_layer * config.n_head, config.head_dim());
        let tail_heads = heads.checked_mul(n_sequences)?;
        Some(Self {
            prompt: Region::new(precision, heads, max_prompt, head_dim)?,
            tail: Region::new(precision, tail_heads, max_new, head_dim)?,
            n_sequences,
            n_head: config.n_head,
            head_dim,
        })
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
        [&self.prompt, &self.tail]
            .iter()
            .map(|region| region.keys.size_bytes() + region.values.size_bytes())
            .sum()
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
            let index = region.index(first_head + head, pos);
            region.keys.write(index, key);
            region.values.write(index, value);
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
        let first = region.index(head, 0);
        HeadView {
            keys: region.keys.view(first, len, self.head_dim),
            values: region.values.view(first, len, self.head_dim),
        }
    }
}
