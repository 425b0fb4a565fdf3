//! `Session`: the forward passes of prefill and decode, for n sequences that share one prompt's keys and values.
//!
//! Prefill and decode are one function over rows; a row is one token of any sequence. The arithmetic of a row depends
//! only on that row and on the positions it attends to. Five sequences computed together therefore equal five computed
//! alone, bit for bit, and a prompt computed in pieces equals the whole prompt. (A broken model is the exception: an
//! infinite value reaches earlier tokens of the same pass.) Attention over the prompt and over a sequence's own tokens
//! is summed separately, so a token that was read as prompt and the same token generated differ in the last bits.

mod adapter;
mod loader;
mod model;

use std::sync::Arc;

pub use adapter::{Adapter, LinearMap, Mix};
pub use loader::{LoadProgress, Loader, TensorPart, TensorSource};
pub use model::Model;

use crate::kernels::pack::WeightType;
use crate::kernels::{self, CacheType, Scratch, ops};
use crate::parallel::Threads;
use kernels::attention::{self, Head, Row, Visible};
use kernels::kv_cache::{KvCache, Slot};

/// Most prompt tokens computed in one pass over the weights, in panels of five; it sets the size of the activations.
/// A caller that has to stay responsive passes at most this many tokens per [`Session::prefill`].
pub const PREFILL_CHUNK: usize = 65;

/// Why a forward pass was refused. After an error nothing is appended.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// More tokens than there is room for: in the model's context, or in what was made ready of it.
    #[error("{wanted} tokens are more than the {capacity} that there is room for")]
    ContextFull {
        /// Requested tokens.
        wanted: usize,
        /// Tokens there is room for.
        capacity: usize,
    },
    /// An allocation failed.
    #[error("there is not enough memory for {n_sequences} sequences of {positions} tokens")]
    OutOfMemory {
        /// Requested sequences.
        n_sequences: usize,
        /// Tokens of each sequence, the prompt included.
        positions: usize,
    },
    /// A token id outside the vocabulary.
    #[error("token id {token_id} is outside the vocabulary of {vocab_size}")]
    TokenOutOfRange {
        /// The id.
        token_id: u32,
        /// V.
        vocab_size: usize,
    },
}

impl InferError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ContextFull { .. } => "shorten the prompt or ask for fewer new tokens",
            Self::OutOfMemory { .. } => "ask for fewer or shorter sequences",
            Self::TokenOutOfRange { .. } => "take the tokenizer from the model's own repository",
        }
    }
}

/// Cached keys and values and scratch buffers of up to n sequences that continue one prompt.
pub struct Session {
    model: Arc<Model>,
    heads: Vec<Head>, // (H)
    max_prompt: usize,
    max_new: usize,
    prompt_len: usize,
    tail_lens: Vec<usize>, // (n)
    rows: Vec<Row>,        // at most max_rows
    activations: Activations,
    logits: Vec<f32>, // (n_logits); longer after a larger pass
    n_logits: usize,
    adapters: Mix,
    scratch: Scratch,
}

/// Buffers of one pass over R rows.
struct Activations {
    residual: Vec<f32>, // (R, C)
    next: Vec<f32>,     // (R, C): the residual after the current operation
    normed: Vec<f32>,   // (R, C)
    qkv: Vec<f32>,      // (R, 3C)
    mixed: Vec<f32>,    // (R, C)
    hidden: Vec<f32>,   // (R, I)
    change: Vec<f32>,   // (R, I) with adapters, else empty: what they change of the hidden layer
}

/// The positions of a prefill that get logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logits {
    /// The last position: (V).
    Last,
    /// Every position: (T, V). The result has T × V × 4 bytes, so callers pass few tokens at a time.
    All,
    /// No position, because more of the prompt follows.
    Skip,
}

impl Session {
    /// A session with room for a prompt of `max_prompt` tokens and `max_new` tokens of each of `n_sequences`.
    ///
    /// # Errors
    /// [`InferError::ContextFull`] if `max_prompt + max_new > n_ctx`; [`InferError::OutOfMemory`].
    pub fn new(
        model: Arc<Model>,
        n_sequences: usize,
        max_prompt: usize,
        max_new: usize,
    ) -> Result<Self, InferError> {
        let config = &model.config;
        let positions = max_prompt.saturating_add(max_new);
        if positions > config.n_ctx {
            return Err(InferError::ContextFull {
                wanted: positions,
                capacity: config.n_ctx,
            });
        }
        // Quantized models cache keys and values in 8 bits, the precision of Q8_0 weights. Float models cache floats,
        // so that their results stay exact.
        let cache_type = match model.dtype() {
            WeightType::F32 | WeightType::F16 => CacheType::F32,
            WeightType::Q8_0 | WeightType::Q4_0 | WeightType::Q4K | WeightType::Q6K => {
                CacheType::Q8
            }
        };
        let max_rows = PREFILL_CHUNK.min(max_prompt).max(n_sequences);
        let c = config.n_embd;
        let shape = (config.n_layer, config.head_dim());
        let head = |_| {
            let cache = KvCache::new(cache_type, shape, n_sequences, max_prompt, max_new)?;
            Some(Head::new(cache, max_rows))
        };
        let heads = (0..config.n_head).map(head).collect::<Option<_>>();
        let heads = heads.ok_or(InferError::OutOfMemory {
            n_sequences,
            positions,
        })?;
        Ok(Self {
            heads,
            max_prompt,
            max_new,
            prompt_len: 0,
            tail_lens: vec![0; n_sequences],
            rows: Vec::with_capacity(max_rows),
            activations: Activations {
                residual: vec![0.0; max_rows * c],
                next: vec![0.0; max_rows * c],
                normed: vec![0.0; max_rows * c],
                qkv: vec![0.0; max_rows * 3 * c],
                mixed: vec![0.0; max_rows * c],
                hidden: vec![0.0; max_rows * config.n_inner],
                change: Vec::new(),
            },
            logits: Vec::with_capacity(n_sequences * config.vocab_size),
            n_logits: 0,
            adapters: Mix::new(),
            scratch: Scratch::default(),
            model,
        })
    }

    /// The session, computing on `threads`. Results do not depend on the number of threads.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.scratch = Scratch::with_threads(threads);
        self
    }

    /// The session with adapters of its model, of which each changes the weights by its share.
    #[must_use]
    pub fn with_adapters(mut self, adapters: Mix) -> Self {
        let activations = &mut self.activations;
        if !adapters.is_empty() {
            activations.change = vec![0.0; activations.hidden.len()];
        }
        self.adapters = adapters;
        self
    }

    /// Appends `tokens` (T) to the shared prompt and returns the logits that `logits` selects: (V), (T, V) or none.
    /// The caller may overwrite them. Several calls equal one call with all tokens.
    ///
    /// # Errors
    /// As [`InferError`].
    ///
    /// # Panics
    /// If a sequence already has tokens, which occupy the positions after the prompt.
    pub fn prefill(&mut self, tokens: &[u32], logits: Logits) -> Result<&mut [f32], InferError> {
        assert!(
            self.tail_lens.iter().all(|len| *len == 0),
            "the prompt is complete before the first decode"
        );
        self.check_ids(tokens.iter().copied())?;
        let wanted = self.prompt_len + tokens.len();
        if wanted > self.max_prompt {
            return Err(InferError::ContextFull {
                wanted,
                capacity: self.max_prompt,
            });
        }
        self.n_logits = 0;
        let n_chunks = tokens.len().div_ceil(PREFILL_CHUNK);
        for (chunk_idx, chunk) in tokens.chunks(PREFILL_CHUNK).enumerate() {
            self.rows.clear();
            for token_id in chunk {
                let pos = self.prompt_len;
                self.rows.push(Row {
                    token_id: *token_id,
                    pos,
                    slot: Slot::Prompt(pos),
                    visible: Visible {
                        prompt: pos + 1,
                        tail: None,
                    },
                });
                self.prompt_len += 1;
            }
            let n = chunk.len();
            let scored = match logits {
                Logits::All => n,
                Logits::Last if chunk_idx + 1 == n_chunks => 1,
                Logits::Last | Logits::Skip => 0,
            };
            self.forward(scored);
        }
        Ok(&mut self.logits[..self.n_logits])
    }

    /// Appends one token to each listed sequence, `(sequence, token_id)`, and returns the logits (n, V) in the order of
    /// `tokens`. The caller may overwrite them. The sequences are distinct and below `n_sequences`; the weights are
    /// read once for all of them.
    ///
    /// # Errors
    /// As [`InferError`].
    ///
    /// # Panics
    /// If a sequence does not exist or is listed twice.
    pub fn decode(&mut self, tokens: &[(usize, u32)]) -> Result<&mut [f32], InferError> {
        self.check_ids(tokens.iter().map(|(_, token_id)| *token_id))?;
        for (i, (sequence, _)) in tokens.iter().enumerate() {
            assert!(*sequence < self.tail_lens.len(), "the sequence exists");
            assert!(
                tokens[..i].iter().all(|(other, _)| other != sequence),
                "each sequence takes one token per pass"
            );
            let wanted = self.tail_lens[*sequence] + 1;
            if wanted > self.max_new {
                return Err(InferError::ContextFull {
                    wanted,
                    capacity: self.max_new,
                });
            }
        }
        self.rows.clear();
        for (sequence, token_id) in tokens {
            let tail_len = self.tail_lens[*sequence];
            self.rows.push(Row {
                token_id: *token_id,
                pos: self.prompt_len + tail_len,
                slot: Slot::Tail(*sequence, tail_len),
                visible: Visible {
                    prompt: self.prompt_len,
                    tail: Some((*sequence, tail_len + 1)),
                },
            });
            self.tail_lens[*sequence] += 1;
        }
        self.n_logits = 0;
        self.forward(tokens.len());
        Ok(&mut self.logits[..self.n_logits])
    }

    /// Makes the sequence `to` a copy of the sequence `from`.
    ///
    /// # Panics
    /// If one of them does not exist.
    pub fn copy_sequence(&mut self, from: usize, to: usize) {
        let len = self.tail_lens[from];
        self.tail_lens[to] = len;
        if len > 0 && from != to {
            self.heads
                .iter_mut()
                .for_each(|head| head.copy_tail(from, to));
        }
    }

    /// Number of tokens in the shared prompt.
    pub fn prompt_len(&self) -> usize {
        self.prompt_len
    }

    /// Number of tokens that `sequence` has after the prompt.
    ///
    /// # Panics
    /// If the sequence does not exist.
    pub fn new_len(&self, sequence: usize) -> usize {
        self.tail_lens[sequence]
    }

    /// The session's model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Bytes of cache, activations and logits, without the weights.
    pub fn memory_bytes(&self) -> usize {
        let a = &self.activations;
        self.heads.iter().map(Head::size_bytes).sum::<usize>()
            + 4 * (a.residual.len()
                + a.next.len()
                + a.normed.len()
                + a.qkv.len()
                + a.mixed.len()
                + a.hidden.len()
                + a.change.len()
                + self.logits.capacity())
    }

    fn check_ids(&self, mut tokens: impl Iterator<Item = u32>) -> Result<(), InferError> {
        let vocab_size = self.model.config.vocab_size;
        match tokens.find(|token_id| *token_id as usize >= vocab_size) {
            Some(token_id) => Err(InferError::TokenOutOfRange {
                token_id,
                vocab_size,
            }),
            None => Ok(()),
        }
    }

    /// One pass of `self.rows` (R) through the model; appends the logits (scored, V) of the last `scored` rows.
    ///
    /// In the last layer the other rows only write their keys and values: no later computation reads the rest. For
    /// GPT-2 124M this saves a fourteenth of the work of a prefill.
    fn forward(&mut self, scored: usize) {
        let Self {
            model,
            heads,
            rows,
            activations,
            logits,
            n_logits,
            adapters,
            scratch,
            ..
        } = self;
        let config = &model.config;
        let (n, c, epsilon) = (rows.len(), config.n_embd, config.layer_norm_epsilon);
        let activation = config.arithmetic.activation_function;
        if n == 0 {
            return;
        }
        let mut residual = &mut activations.residual[..n * c];
        let mut next = &mut activations.next[..n * c];
        let normed = &mut activations.normed[..n * c];
        let qkv = &mut activations.qkv[..n * 3 * c];
        let mixed = &mut activations.mixed[..n * c];
        let hidden = &mut activations.hidden[..n * config.n_inner];

        for (x, row) in residual.chunks_exact_mut(c).zip(rows.iter()) {
            model.wte.row(row.token_id as usize, x);
            ops::add(x, &model.wpe[row.pos * c..(row.pos + 1) * c]);
        }
        for (layer_idx, block) in model.blocks.iter().enumerate() {
            block.ln_1.forward(epsilon, residual, normed);
            block.c_attn.forward(normed, n, qkv, scratch, |_, _| {});
            adapter::add(adapters, layer_idx, LinearMap::CAttn, normed, qkv);
            let n = match layer_idx + 1 == model.blocks.len() {
                true => scored,
                false => n,
            };
            let score_scale = config.score_scale(layer_idx);
            scratch.threads().for_each(heads, |head, state| {
                state.attend(layer_idx, head, score_scale, rows, n, qkv);
            });
            if n == 0 {
                return;
            }
            let skipped = residual.len() - n * c;
            residual = &mut residual[skipped..];
            next = &mut next[..n * c];
            let normed = &mut normed[..n * c];
            let mixed = &mut mixed[..n * c];
            let hidden = &mut hidden[..n * config.n_inner];
            attention::gather(heads, mixed);
            let add = |start: usize, out: &mut [f32]| ops::add(out, &residual[start..]);
            block.attn_c_proj.forward(mixed, n, next, scratch, add);
            adapter::add(adapters, layer_idx, LinearMap::AttnCProj, mixed, next);
            std::mem::swap(&mut residual, &mut next);

            block.ln_2.forward(epsilon, residual, normed);
            let change = match adapters.is_empty() {
                true => &mut [][..],
                false => &mut activations.change[..hidden.len()],
            };
            change.fill(0.0);
            adapter::add(adapters, layer_idx, LinearMap::CFc, normed, change);
            let activate = |start: usize, out: &mut [f32]| {
                if let Some(change) = change.get(start..start + out.len()) {
                    ops::add(out, change);
                }
                ops::activate(activation, out);
            };
            block.c_fc.forward(normed, n, hidden, scratch, activate);
            let add = |start: usize, out: &mut [f32]| ops::add(out, &residual[start..]);
            block.mlp_c_proj.forward(hidden, n, next, scratch, add);
            adapter::add(adapters, layer_idx, LinearMap::MlpCProj, hidden, next);
            std::mem::swap(&mut residual, &mut next);
        }
        if scored > 0 {
            let normed = &mut normed[..scored * c];
            model.ln_f.forward(epsilon, residual, normed);
            let start = *n_logits;
            *n_logits += scored * config.vocab_size;
            if logits.len() < *n_logits {
                logits.resize(*n_logits, 0.0);
            }
            let logits = &mut logits[start..*n_logits];
            kernels::matmul(model.head(), normed, scored, logits, scratch);
        }
    }
}
