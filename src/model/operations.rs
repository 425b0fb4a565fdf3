//! `Operations`: what a GPT-2 is computed with. [`Plain`](super::plain::Plain) has them in candle's own operations;
//! training has its own, which cost less time and memory and are tested against these.

use candle_core::Tensor;

use super::ModelError;
use super::config::Activation;
use super::linear::{LayerNorm, Linear};

/// The heads of one layer's attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heads {
    /// H
    pub n_head: usize,
    /// The factor of the scores: 1 / √D in plain GPT-2.
    pub score_scale: f32,
}

/// The linear map of some operations.
pub type LinearOf<O> = Linear<<O as Operations>::Matrix, <O as Operations>::Vector>;
/// The LayerNorm of some operations.
pub type LayerNormOf<O> = LayerNorm<<O as Operations>::Vector>;

/// The weights of a transformer layer, of matrices `M` and vectors `V`.
#[derive(Debug, Clone)]
pub struct Block<M, V> {
    /// Before attention.
    pub ln_1: LayerNorm<V>,
    /// C → 3C: queries, keys, values side by side.
    pub c_attn: Linear<M, V>,
    /// C → C, the end of attention.
    pub attn_c_proj: Linear<M, V>,
    /// Before the MLP.
    pub ln_2: LayerNorm<V>,
    /// C → I, the beginning of the MLP.
    pub c_fc: Linear<M, V>,
    /// I → C, its end.
    pub mlp_c_proj: Linear<M, V>,
    /// The heads of its attention.
    pub heads: Heads,
    /// The function inside the MLP: GELU in plain GPT-2.
    pub activation: Activation,
}

/// The layer of some operations.
pub type BlockOf<O> = Block<<O as Operations>::Matrix, <O as Operations>::Vector>;

/// Weights, and the differentiable operations on them. Shape letters as in [`gpt2`](super::gpt2).
pub trait Operations {
    /// The weight of a linear map or an embedding.
    type Matrix: Clone;
    /// The weight or bias of a LayerNorm, or the bias of a linear map.
    type Vector;

    /// The matrix (rows, cols) with Hugging Face's name, such as `h.0.attn.c_attn.weight`; `None` if there is none.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] if it has another shape.
    fn matrix(
        &self,
        name: &str,
        rows: usize,
        cols: usize,
    ) -> Result<Option<Self::Matrix>, ModelError>;

    /// The vector (len) with this name.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] if it is missing or has another length.
    fn vector(&self, name: &str, len: usize) -> Result<Self::Vector, ModelError>;

    /// The sum of token and position embeddings.
    ///
    /// `tokens`: (B, T), u32; `wte`: (V, C); `wpe`: (`n_ctx`, C). Result: (B, T, C).
    ///
    /// # Errors
    /// [`ModelError::Tensor`] for an id outside the vocabulary.
    fn embed(
        &self,
        wte: &Self::Matrix,
        wpe: &Self::Matrix,
        tokens: &Tensor,
    ) -> Result<Tensor, ModelError>;

    /// Attention and MLP; each reads the normalised residual stream and adds its result to the stream.
    ///
    /// (B, T, C) → (B, T, C).
    ///
    /// # Errors
    /// [`ModelError::Tensor`].
    fn block(&self, block: &BlockOf<Self>, x: &Tensor) -> Result<Tensor, ModelError> {
        let qkv = self.linear_of_norm(&block.ln_1, &block.c_attn, x)?; // (B, T, 3C)
        let mixed = self.attention(block.heads, &qkv)?; // (B, T, C)
        let x = self.add_linear(x, &block.attn_c_proj, Activation::Linear, &mixed)?;
        let hidden = self.linear_of_norm(&block.ln_2, &block.c_fc, &x)?; // (B, T, I)
        self.add_linear(&x, &block.mlp_c_proj, block.activation, &hidden)
    }

    /// norm(x) · W + b; (B, T, C) → (B, T, out).
    ///
    /// # Errors
    /// [`ModelError::Tensor`].
    fn linear_of_norm(
        &self,
        norm: &LayerNormOf<Self>,
        linear: &LinearOf<Self>,
        x: &Tensor,
    ) -> Result<Tensor, ModelError>;

    /// Attention of every position to itself and the positions before it.
    ///
    /// `qkv`: (B, T, 3C), queries, keys and values side by side. Result: (B, T, C).
    ///
    /// # Errors
    /// [`ModelError::Tensor`].
    fn attention(&self, heads: Heads, qkv: &Tensor) -> Result<Tensor, ModelError>;

    /// x + f(y) · W + b with the activation f; (B, T, C) + (B, T, in) → (B, T, C).
    ///
    /// # Errors
    /// [`ModelError::Tensor`].
    fn add_linear(
        &self,
        x: &Tensor,
        linear: &LinearOf<Self>,
        activation: Activation,
        y: &Tensor,
    ) -> Result<Tensor, ModelError>;

    /// Scores for the token after each position.
    ///
    /// `head`: (V, C); `x`: (B, T, C), before the last LayerNorm. Result: (B, T, V). Not every implementation has
    /// gradients of it.
    ///
    /// # Errors
    /// [`ModelError::Tensor`].
    fn logits(
        &self,
        norm: &LayerNormOf<Self>,
        head: &Self::Matrix,
        x: &Tensor,
    ) -> Result<Tensor, ModelError>;

    /// The mean cross-entropy of every token but the first of each row, given those before it.
    ///
    /// `head`: (V, C); `x`: (B, T, C), before the last LayerNorm; `tokens`: (B, T), u32, T ≥ 2. Result: a scalar.
    ///
    /// # Errors
    /// [`ModelError::Tensor`].
    fn loss(
        &self,
        norm: &LayerNormOf<Self>,
        head: &Self::Matrix,
        x: &Tensor,
        tokens: &Tensor,
    ) -> Result<Tensor, ModelError>;
}
