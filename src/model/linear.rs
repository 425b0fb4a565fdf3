//! `Linear` and `LayerNorm`: the weights of a GPT-2's layers, stored as Hugging Face's GPT-2 has them.

/// The weights of y = x · W + b, of matrices `M` and vectors `V`.
#[derive(Debug, Clone)]
pub struct Linear<M, V> {
    /// (in, out): the transpose of the weight of PyTorch's `nn.Linear`.
    pub weight: M,
    /// (out)
    pub bias: V,
}

/// The weights of a LayerNorm, which normalises each position to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug, Clone)]
pub struct LayerNorm<V> {
    /// (C)
    pub weight: V,
    /// (C)
    pub bias: V,
    /// Added to the variance.
    pub epsilon: f32,
}
