//! `Linear`: an affine map, stored like the `Conv1D` of Hugging Face's GPT-2.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

/// y = x · W + b.
#[derive(Debug, Clone)]
pub struct Linear {
    /// (in, out): the transpose of the weight of PyTorch's `nn.Linear`.
    weight: Tensor,
    /// (out)
    bias: Tensor,
}

impl Linear {
    /// The map with the tensors `weight` (in, out) and `bias` (out) of `vb`.
    ///
    /// # Errors
    /// candle's, if a tensor is missing or has another shape.
    pub fn new(n_in: usize, n_out: usize, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            weight: vb.get((n_in, n_out), "weight")?,
            bias: vb.get(n_out, "bias")?,
        })
    }

    /// (B, T, in) → (B, T, out).
    ///
    /// # Errors
    /// candle's.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (b, t, n_in) = x.dims3()?;
        // One product of (B·T, in) with (in, out), because broadcasting W over B copies it.
        x.reshape((b * t, n_in))?
            .matmul(&self.weight)?
            .broadcast_add(&self.bias)?
            .reshape((b, t, ()))
    }
}
