//! Attention of one token over the keys and values of its prompt and of its own sequence.

use super::kv_cache::KvCache;
use super::ops::exp_of_difference_to_max;

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
        let (sequence, n_tail) = visible.tail.unwrap_or_default();
        let tail = cache.tail(layer_idx, sequence, head, n_tail);
        let scores = &mut scores[..visible.prompt + n_tail];

        let (prompt_scores, tail_scores) = scores.split_at_mut(visible.prompt);
        prompt.keys.scores(query, scale, prompt_scores);
        tail.keys.scores(query, scale, tail_scores);
        let total = exp_of_difference_to_max(scores);
        let (prompt_weights, tail_weights) = scores.split_at(visible.prompt);
        out.fill(0.0);
        prompt.values.add_mixed(prompt_weights, out);
        tail.values.add_mixed(tail_weights, out);
        for out in out {
            *out /= total;
        }
    }
}
