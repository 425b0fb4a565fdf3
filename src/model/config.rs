//! `Gpt2Config`: the shape of a GPT-2, read from `config.json` or GGUF metadata and validated.

use serde::{Deserialize, Serialize};

/// The shape of one GPT-2 model; every field is checked by its constructor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gpt2Config {
    /// V: rows of the token embedding.
    pub vocab_size: usize,
    /// Most tokens one sequence may hold.
    pub n_ctx: usize,
    /// C: width of the residual stream.
    pub n_embd: usize,
    /// Transformer blocks.
    pub n_layer: usize,
    /// H: attention heads; `n_embd` is a multiple of it.
    pub n_head: usize,
    /// Width of the MLP, usually 4 × `n_embd`.
    pub n_inner: usize,
    /// Added to the variance in every LayerNorm.
    pub layer_norm_epsilon: f32,
    /// Token that opens a text; GPT-2: 50256.
    pub bos_token_id: u32,
    /// Token that ends a text; GPT-2: 50256.
    pub eos_token_id: u32,
}
