//! Attention of one token over the keys and values of its prompt and of its own sequence.

use super::kv_cache::{HeadView, KvCache};
use super::ops::{dot, exp_of_difference_to_max};

/// Which cached positions a token sees; itself included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visible {
    /// Prompt positions, from the first.
    pub(super) prompt: usize,
    /// Sequence and number of its new positions, from the first.
    pub(super) tail: Option<(usize, usize)>,
}

/// Mixes the values the token sees: `query` (C), `out` (C), `scores` (at least as long as positions seen).
///
/// Per head: softmax(q · keys / √D) · values, positions in their order, so the result does not
/// depend on how tokens were grouped into calls.
pub(super) fn attend(
    cache: &KvCache,
    layer_idx: usize,
    visible: Visible,
    query: &[f32],
    scores: &mut [f32],
    out: &mut [f32],
) {
    let head_dim = cache.head_dim();
    let scale = 1.0 / (head_dim as f32).sqrt();
    let heads = query
        .chunks_exact(head_dim)
        .zip(out.chunks_exact_mut(head_dim));
    for (head, (query, out)) in heads.enumerate() {
        let prompt = cache.prompt(layer_idx, head, visible.prompt);
        let tail = match visible.tail {
            Some((sequence, len)) => cache.tail(layer_idx, sequence, head, len),
            None => HeadView {
                keys: &[],
                values: &[],
            },
        };
        let n_tail = visible.tail.map_or(0, |(_, len)| len);
        let scores = &mut scores[..visible.prompt + n_tail];

        let keys = prompt
            .keys
            .chunks_exact(head_dim)
            .chain(tail.keys.chunks_exact(head_dim));
        for (score, key) in scores.iter_mut().zip(keys) {
            *score = dot(query, key) * scale;
        }
        let total = exp_of_difference_to_max(scores);
        out.fill(0.0);
        let values = prompt
            .values
            .chunks_exact(head_dim)
            .chain(tail.values.chunks_exact(head_dim));
        for (weight, value) in scores.iter().zip(values) {
            for (out, value) in out.iter_mut().zip(value) {
                *out += weight * value;
            }
        }
        for out in out {
            *out /= total;
        }
    }
}
