//! `Plain`: a GPT-2's operations in candle's own, written to be read, and the reference for all others.
//!
//! The file uses only operations that carry a gradient. candle's `softmax_last_dim`, fused `layer_norm` and `QMatMul`
//! drop the gradient without an error.

use candle_core::{D, DType, IndexOp, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::utils::build_causal_mask;

use super::ModelError;
use super::config::Activation;
use super::linear::{LayerNorm, Linear};
use super::operations::{Heads, Operations};

/// The weights of `vb`, under Hugging Face's names.
pub struct Plain<'a> {
    vb: VarBuilder<'a>,
}

impl<'a> Plain<'a> {
    /// Operations on these weights.
    pub fn new(vb: VarBuilder<'a>) -> Self {
        Self { vb }
    }
}

impl Operations for Plain<'_> {
    type Matrix = Tensor;
    type Vector = Tensor;

    fn logits(
        &self,
        norm: &LayerNorm<Tensor>,
        head: &Tensor,
        x: &Tensor,
    ) -> Result<Tensor, ModelError> {
        let (b, t, c) = x.dims3()?;
        let x = layer_norm(norm, x)?.reshape((b * t, c))?; // (B·T, C)
        Ok(x.matmul(&head.t()?)?.reshape((b, t, ()))?)
    }

    fn matrix(&self, name: &str, rows: usize, cols: usize) -> Result<Option<Tensor>, ModelError> {
        // Asked for first: a `VarMap` makes what it does not have.
        match self.vb.get((rows, cols), name) {
            Ok(matrix) => Ok(Some(matrix)),
            Err(_) if !self.vb.contains_tensor(name) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn vector(&self, name: &str, len: usize) -> Result<Tensor, ModelError> {
        Ok(self.vb.get(len, name)?)
    }

    fn embed(&self, wte: &Tensor, wpe: &Tensor, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let (b, t) = tokens.dims2()?;
        let ids = tokens.to_dtype(DType::U32)?.flatten_all()?;
        let of_tokens = wte.index_select(&ids, 0)?.reshape((b, t, ()))?;
        Ok(of_tokens.broadcast_add(&wpe.i(..t)?)?)
    }

    fn linear_of_norm(
        &self,
        norm: &LayerNorm<Tensor>,
        map: &Linear<Tensor, Tensor>,
        x: &Tensor,
    ) -> Result<Tensor, ModelError> {
        Ok(linear(map, &layer_norm(norm, x)?)?)
    }

    fn attention(&self, heads: Heads, qkv: &Tensor) -> Result<Tensor, ModelError> {
        let (b, t, c) = (qkv.dim(0)?, qkv.dim(1)?, qkv.dim(2)? / 3);
        let head_dim = c / heads.n_head;
        let part = |part: usize| {
            qkv.narrow(D::Minus1, part * c, c)?
                .reshape((b, t, heads.n_head, head_dim))?
                .transpose(1, 2)? // (B, H, T, D)
                .contiguous()
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);

        let scores = (q.matmul(&k.t()?)? * f64::from(heads.score_scale))?; // (B, H, T, T)
        let mask = build_causal_mask(t, 0, qkv.device())?; // (T, T)
        let probs = softmax(&masked(&scores, &mask)?)?;
        Ok(probs
            .matmul(&v)? // (B, H, T, D)
            .transpose(1, 2)?
            .reshape((b, t, c))?)
    }

    fn add_linear(
        &self,
        x: &Tensor,
        map: &Linear<Tensor, Tensor>,
        activation: Activation,
        y: &Tensor,
    ) -> Result<Tensor, ModelError> {
        Ok((x + linear(map, &activate(activation, y)?)?)?)
    }

    fn loss(
        &self,
        norm: &LayerNorm<Tensor>,
        head: &Tensor,
        x: &Tensor,
        tokens: &Tensor,
    ) -> Result<Tensor, ModelError> {
        let (b, t) = tokens.dims2()?;
        let logits = self.logits(norm, head, x)?; // (B, T, V)
        let logits = logits.narrow(1, 0, t - 1)?.reshape((b * (t - 1), ()))?;
        let targets = tokens.narrow(1, 1, t - 1)?.flatten_all()?;
        Ok(candle_nn::loss::cross_entropy(&logits, &targets)?)
    }
}

/// (B, T, C) → (B, T, C)
fn layer_norm(norm: &LayerNorm<Tensor>, x: &Tensor) -> candle_core::Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?; // (B, T, 1)
    centred
        .broadcast_div(&(variance + f64::from(norm.epsilon))?.sqrt()?)?
        .broadcast_mul(&norm.weight)?
        .broadcast_add(&norm.bias)
}

/// (B, T, in) → (B, T, out)
fn linear(map: &Linear<Tensor, Tensor>, x: &Tensor) -> candle_core::Result<Tensor> {
    let (b, t, n_in) = x.dims3()?;
    // One product of (B·T, in) with (in, out), because broadcasting W over B copies it.
    x.reshape((b * t, n_in))?
        .matmul(&map.weight)?
        .broadcast_add(&map.bias)?
        .reshape((b, t, ()))
}

/// Scores where `mask` (T, T) is 0, minus infinity where it is 1.
fn masked(scores: &Tensor, mask: &Tensor) -> candle_core::Result<Tensor> {
    let minus_infinity = Tensor::new(f32::NEG_INFINITY, scores.device())?
        .to_dtype(scores.dtype())?
        .broadcast_as(scores.shape())?;
    mask.broadcast_as(scores.shape())?
        .where_cond(&minus_infinity, scores)
}

/// Softmax over the last dimension. The subtracted maximum cancels out, so it needs no gradient.
fn softmax(scores: &Tensor) -> candle_core::Result<Tensor> {
    let max = scores.max_keepdim(D::Minus1)?.detach();
    let exp = scores.broadcast_sub(&max)?.exp()?;
    exp.broadcast_div(&exp.sum_keepdim(D::Minus1)?)
}

/// The activation of every number.
fn activate(activation: Activation, x: &Tensor) -> candle_core::Result<Tensor> {
    match activation {
        Activation::GeluNew => gelu_new(x),
        Activation::Gelu => x * normal_distribution(x)?,
        Activation::Gelu10 => (x * normal_distribution(x)?)?.clamp(-10.0, 10.0),
        Activation::QuickGelu => x * sigmoid(&(x * 1.702)?)?,
        Activation::Relu => x.relu(),
        Activation::Relu2 => x.relu()?.sqr(),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu => x.relu()? - (x.neg()?.relu()? * 0.01)?,
        Activation::Silu => x * sigmoid(x)?,
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        // ln(1 + eˣ) = x + ln(1 + e⁻ˣ) for x ≥ 0, and ln(1 + eˣ) below: eˣ alone would overflow.
        Activation::Mish => {
            let rest = ((x.abs()?.neg()?.exp()? + 1.0)?).log()?;
            x * (x.relu()? + rest)?.tanh()?
        }
        Activation::Hardswish => (x * (x + 3.0)?.clamp(0.0, 6.0)?)? / 6.0,
        Activation::Laplace => {
            let x = (x - f64::from(Activation::LAPLACE_MEAN))?;
            normal_distribution(&(x / f64::from(Activation::LAPLACE_DEVIATION))?)
        }
        Activation::Linear => Ok(x.clone()),
    }
}

/// Φ(x) = (1 + erf(x / √2)) / 2.
fn normal_distribution(x: &Tensor) -> candle_core::Result<Tensor> {
    ((x / std::f64::consts::SQRT_2)?.erf()? + 1.0)? * 0.5
}

/// 1 / (1 + e⁻ˣ).
fn sigmoid(x: &Tensor) -> candle_core::Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), the form GPT-2 was trained with.
fn gelu_new(x: &Tensor) -> candle_core::Result<Tensor> {
    let inner = ((x + (x.powf(3.0)? * 0.044_715)?)? * (2.0 / std::f64::consts::PI).sqrt())?;
    (x * 0.5)? * (inner.tanh()? + 1.0)?
}
