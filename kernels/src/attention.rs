//! `Head`: one attention head over the cached keys and values of the prompt and of each token's own sequence.

use crate::kv_cache::{KvCache, LayerView, Slot};
use crate::{CacheMatrix, MAX_COLUMNS as ROWS, Scratch, ops};

/// The cached positions a token attends to, its own included.
#[derive(Debug, Clone, Copy)]
pub struct Visible {
    /// Number of prompt positions, from the first.
    pub prompt: usize,
    /// A sequence and the number of its new positions, from the first.
    pub tail: Option<(usize, usize)>,
}

/// One token of a pass.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its id.
    pub token_id: u32,
    /// Its position in its sequence, which selects the row of `wpe`.
    pub pos: usize,
    /// The place of its key and value.
    pub slot: Slot,
    /// The positions it attends to.
    pub visible: Visible,
}

/// One head of attention in all layers.
pub struct Head {
    cache: KvCache,
    buffers: Buffers,
    scratch: Scratch,
    out: Vec<f32>, // (rows of a pass, D)
}

/// Buffers of one pass over the prompt's keys and values, which `ROWS` tokens share; reused between passes.
struct Buffers {
    query: Vec<f32>,     // (ROWS, D padded)
    prompt: Vec<f32>,    // (ROWS, prompt padded): scores, then attention weights
    tail: Vec<f32>,      // (tail padded): scores, then weights, of one sequence
    mixed: Vec<f32>,     // (ROWS, D): weighted sums of the prompt's values
    own: Vec<f32>,       // (ROWS, D): weighted sums of each token's own sequence
    totals: [f32; ROWS], // sums of the attention weights
}

impl Head {
    /// A head for passes of at most `max_rows` tokens.
    pub fn new(cache: KvCache, max_rows: usize) -> Self {
        let d = cache.head_dim();
        Self {
            buffers: Buffers {
                query: vec![0.0; ROWS * CacheMatrix::padded(d)],
                prompt: vec![0.0; ROWS * CacheMatrix::padded(cache.max_prompt())],
                tail: vec![0.0; CacheMatrix::padded(cache.max_new())],
                mixed: vec![0.0; ROWS * d],
                own: vec![0.0; ROWS * d],
                totals: [0.0; ROWS],
            },
            cache,
            scratch: Scratch::default(),
            out: vec![0.0; max_rows * d],
        }
    }

    /// Bytes of cache and buffers.
    pub fn size_bytes(&self) -> usize {
        let b = &self.buffers;
        let floats = b.query.len() + b.prompt.len() + b.tail.len() + 2 * b.mixed.len();
        self.cache.size_bytes() + 4 * (floats + self.out.len())
    }

    /// Copies the cached new tokens of one sequence over those of another.
    pub fn copy_tail(&mut self, from: usize, to: usize) {
        self.cache.copy_tail(from, to);
    }

    /// Caches the keys and values of `rows` (R ≥ 1) and computes attention for the last `n` of them; [`gather`]
    /// collects the results. `qkv`: (R, 3C); head number `head` owns D columns in each third.
    ///
    /// The formula is softmax(`score_scale` q · keys) · values, where the scale is 1 / √D in plain GPT-2. Each token has one sum over the prompt's positions and one over
    /// its sequence's, both in order, so its result does not depend on the other tokens of the call. A token read as
    /// prompt and the same token generated differ in the last bits.
    pub fn attend(
        &mut self,
        layer_idx: usize,
        head: usize,
        score_scale: f32,
        rows: &[Row],
        n: usize,
        qkv: &[f32],
    ) {
        let Self {
            cache,
            buffers,
            scratch,
            out,
        } = self;
        let d = cache.head_dim();
        let stride = qkv.len() / rows.len();
        let columns =
            |part: usize| part * (stride / 3) + head * d..part * (stride / 3) + (head + 1) * d;
        // All keys first: prompt tokens attend to the earlier ones of the same pass.
        for (qkv, row) in qkv.chunks_exact(stride).zip(rows) {
            cache.write(layer_idx, row.slot, &qkv[columns(1)], &qkv[columns(2)]);
        }
        let prompt = cache.prompt(layer_idx);
        let skipped = rows.len() - n;
        let (rows, qkv) = (&rows[skipped..], &qkv[skipped * stride..]);
        let parts = rows.chunks(ROWS).zip(qkv.chunks(ROWS * stride));
        for ((rows, qkv), out) in parts.zip(out.chunks_mut(ROWS * d)) {
            buffers.load_queries(qkv, stride, columns(0), score_scale);
            let visible = rows.iter().map(|row| row.visible.prompt).max().unwrap_or(0);
            let width = CacheMatrix::padded(visible);
            buffers.score_prompt(prompt, rows.len(), width, scratch);
            for (i, row) in rows.iter().enumerate() {
                let tail = row
                    .visible
                    .tail
                    .map(|(sequence, len)| (cache.tail(layer_idx, sequence), len));
                buffers.weigh(i, width, row.visible.prompt, prompt, tail, scratch);
            }
            buffers.mix_prompt(prompt, rows.len(), width, scratch);
            for (i, out) in out.chunks_exact_mut(d).take(rows.len()).enumerate() {
                buffers.store(i, out);
            }
        }
    }
}

/// Concatenates the heads' results into `out` (R, C).
pub fn gather(heads: &[Head], out: &mut [f32]) {
    for (head, state) in heads.iter().enumerate() {
        let d = state.cache.head_dim();
        let rows = out.chunks_exact_mut(heads.len() * d);
        for (out, mixed) in rows.zip(state.out.chunks_exact(d)) {
            out[head * d..][..d].copy_from_slice(mixed);
        }
    }
}

impl Buffers {
    /// Copies the queries, multiplied by `scale`.
    fn load_queries(
        &mut self,
        qkv: &[f32],
        stride: usize,
        columns: std::ops::Range<usize>,
        scale: f32,
    ) {
        let d = columns.len();
        let queries = self.query.chunks_exact_mut(CacheMatrix::padded(d));
        for (query, qkv) in queries.zip(qkv.chunks_exact(stride)) {
            for (q, x) in query.iter_mut().zip(&qkv[columns.clone()]) {
                *q = x * scale;
            }
        }
    }

    /// Scores of the prompt's first `width` positions for `n` queries, not yet multiplied by the keys' steps.
    fn score_prompt(&mut self, prompt: LayerView, n: usize, width: usize, scratch: &mut Scratch) {
        let (keys, head) = prompt.keys();
        let d = CacheMatrix::padded(prompt.head_dim());
        let out = &mut self.prompt[..n * width];
        keys.product(head, (width, d), &self.query[..n * d], out, scratch);
    }

    /// Turns token `i`'s scores into weights of the values' integers, and sums its own sequence's values.
    fn weigh(
        &mut self,
        i: usize,
        width: usize,
        n_prompt: usize,
        prompt: LayerView,
        tail: Option<(LayerView, usize)>,
        scratch: &mut Scratch,
    ) {
        let d = prompt.head_dim();
        let prompt_weights = &mut self.prompt[i * width..][..width];
        let (seen, hidden) = prompt_weights.split_at_mut(n_prompt);
        hidden.fill(0.0);
        let mut max = ops::scale_by(seen, prompt.key_steps());
        let tail_weights = match tail {
            Some((tail, n_tail)) => {
                let tail_width = CacheMatrix::padded(n_tail);
                let weights = &mut self.tail[..tail_width];
                let (keys, head) = tail.keys();
                let query_len = CacheMatrix::padded(d);
                let query = &self.query[i * query_len..][..query_len];
                keys.product(head, (tail_width, query_len), query, weights, scratch);
                weights[n_tail..].fill(0.0);
                max = max.max(ops::scale_by(&mut weights[..n_tail], tail.key_steps()));
                weights
            }
            None => &mut self.tail[..0],
        };
        let mut total = ops::exp_of_difference(seen, max);
        ops::scale_by(seen, prompt.value_steps());
        let own = &mut self.own[i * d..][..d];
        if let Some((tail, n_tail)) = tail {
            let seen = &mut tail_weights[..n_tail];
            total += ops::exp_of_difference(seen, max);
            ops::scale_by(seen, tail.value_steps());
            let (values, head) = tail.values();
            let shape = (d, tail_weights.len());
            values.product(head, shape, tail_weights, own, scratch);
        } else {
            own.fill(0.0);
        }
        self.totals[i] = total;
    }

    /// Weighted sums of the prompt's values for `n` tokens.
    fn mix_prompt(&mut self, prompt: LayerView, n: usize, width: usize, scratch: &mut Scratch) {
        let (values, head) = prompt.values();
        let d = prompt.head_dim();
        let out = &mut self.mixed[..n * d];
        values.product(head, (d, width), &self.prompt[..n * width], out, scratch);
    }

    /// Writes the result of token `i`, both sums divided by the total weight.
    fn store(&self, i: usize, out: &mut [f32]) {
        let d = out.len();
        let (mixed, own) = (&self.mixed[i * d..], &self.own[i * d..]);
        for ((out, mixed), own) in out.iter_mut().zip(mixed).zip(own) {
            *out = (mixed + own) / self.totals[i];
        }
    }
}
