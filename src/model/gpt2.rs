//! `Gpt2`: the whole model on candle tensors, part by part as in the paper, and differentiable.
//!
//! Shape letters: `B` batch, `T` tokens in this call, `C` n_embd, `H` n_head, `D` head_dim = C / H,
//! `I` n_inner, `V` vocab_size. This is the reference, written to be read; [`crate::infer`] is the same model with a cache
//! and quantized weights.
//!
//! The file uses only operations that carry a gradient. candle's `softmax_last_dim`, fused `layer_norm` and `QMatMul`
//! drop the gradient without an error.
//!
//! Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", §2.3.

use candle_core::{D, DType, IndexOp, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::utils::build_causal_mask;

use super::ModelError;
use super::config::{Activation, Gpt2Config};
use super::linear::Linear;

/// Normalises each position to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug, Clone)]
struct LayerNorm {
    weight: Tensor, // (C)
    bias: Tensor,   // (C)
    epsilon: f64,
}

impl LayerNorm {
    fn new(config: &Gpt2Config, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(Self {
            weight: vb.get(config.n_embd, "weight")?,
            bias: vb.get(config.n_embd, "bias")?,
            epsilon: f64::from(config.layer_norm_epsilon),
        })
    }

    /// (B, T, C) → (B, T, C)
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?; // (B, T, 1)
        centred
            .broadcast_div(&(variance + self.epsilon)?.sqrt()?)?
            .broadcast_mul(&self.weight)?
            .broadcast_add(&self.bias)
    }
}

/// Attention of every position to itself and the positions before it, in H heads.
#[derive(Debug, Clone)]
struct CausalSelfAttention {
    c_attn: Linear, // C → 3C: queries, keys, values side by side
    c_proj: Linear, // C → C
    n_head: usize,
    score_scale: f64, // 1 / √D in plain GPT-2
}

impl CausalSelfAttention {
    fn new(config: &Gpt2Config, layer_idx: usize, vb: VarBuilder) -> candle_core::Result<Self> {
        let c = config.n_embd;
        Ok(Self {
            c_attn: Linear::new(c, 3 * c, vb.pp("c_attn"))?,
            c_proj: Linear::new(c, c, vb.pp("c_proj"))?,
            n_head: config.n_head,
            score_scale: score_scale(config, layer_idx),
        })
    }

    /// (B, T, C) → (B, T, C)
    fn forward(&self, x: &Tensor, mask: &Tensor) -> candle_core::Result<Tensor> {
        let (b, t, c) = x.dims3()?;
        let head_dim = c / self.n_head;
        let qkv = self.c_attn.forward(x)?; // (B, T, 3C)
        let heads = |part: usize| {
            qkv.narrow(D::Minus1, part * c, c)?
                .reshape((b, t, self.n_head, head_dim))?
                .transpose(1, 2)? // (B, H, T, D)
                .contiguous()
        };
        let (q, k, v) = (heads(0)?, heads(1)?, heads(2)?);

        let scores = (q.matmul(&k.t()?)? * self.score_scale)?; // (B, H, T, T)
        let probs = softmax(&masked(&scores, mask)?)?;
        let mixed = probs
            .matmul(&v)? // (B, H, T, D)
            .transpose(1, 2)?
            .reshape((b, t, c))?;
        self.c_proj.forward(&mixed)
    }
}

/// 1 / √D, in the variants of GPT-2 without the root or with a further division by the layer's number from 1.
fn score_scale(config: &Gpt2Config, layer_idx: usize) -> f64 {
    let arithmetic = &config.arithmetic;
    let mut scale = 1.0;
    if arithmetic.scale_attn_weights {
        scale /= (config.head_dim() as f64).sqrt();
    }
    if arithmetic.scale_attn_by_inverse_layer_idx {
        scale /= (layer_idx + 1) as f64;
    }
    scale
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

/// Two linear maps with a function between them: GELU in plain GPT-2.
#[derive(Debug, Clone)]
struct Mlp {
    c_fc: Linear,   // C → I
    c_proj: Linear, // I → C
    activation: Activation,
}

impl Mlp {
    fn new(config: &Gpt2Config, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(Self {
            c_fc: Linear::new(config.n_embd, config.n_inner, vb.pp("c_fc"))?,
            c_proj: Linear::new(config.n_inner, config.n_embd, vb.pp("c_proj"))?,
            activation: config.arithmetic.activation_function,
        })
    }

    /// (B, T, C) → (B, T, C)
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.c_proj
            .forward(&activate(self.activation, &self.c_fc.forward(x)?)?)
    }
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

/// Attention and MLP; each reads the normalised residual stream and adds its result to the stream.
#[derive(Debug, Clone)]
struct Block {
    ln_1: LayerNorm,
    attn: CausalSelfAttention,
    ln_2: LayerNorm,
    mlp: Mlp,
}

impl Block {
    fn new(config: &Gpt2Config, layer_idx: usize, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(Self {
            ln_1: LayerNorm::new(config, vb.pp("ln_1"))?,
            attn: CausalSelfAttention::new(config, layer_idx, vb.pp("attn"))?,
            ln_2: LayerNorm::new(config, vb.pp("ln_2"))?,
            mlp: Mlp::new(config, vb.pp("mlp"))?,
        })
    }

    /// (B, T, C) → (B, T, C)
    fn forward(&self, x: &Tensor, mask: &Tensor) -> candle_core::Result<Tensor> {
        let x = (x + self.attn.forward(&self.ln_1.forward(x)?, mask)?)?;
        &x + self.mlp.forward(&self.ln_2.forward(&x)?)?
    }
}

/// GPT-2: embeddings, `n_layer` blocks, a final LayerNorm and a head.
#[derive(Debug, Clone)]
pub struct Gpt2 {
    config: Gpt2Config,
    wte: Tensor, // (V, C)
    wpe: Tensor, // (n_ctx, C)
    blocks: Vec<Block>,
    ln_f: LayerNorm,
    lm_head: Tensor, // (V, C); the same tensor as `wte` when tied
}

impl Gpt2 {
    /// The model with the tensors of `vb`, under Hugging Face's names (`wte.weight`, `h.0.attn.c_attn.weight`, …). The
    /// head is `lm_head.weight` if `vb` has that tensor, else `wte.weight`.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] if a tensor is missing or has another shape.
    pub fn new(config: &Gpt2Config, vb: VarBuilder) -> Result<Self, ModelError> {
        let wte = vb.get((config.vocab_size, config.n_embd), "wte.weight")?;
        let lm_head = if vb.contains_tensor("lm_head.weight") {
            vb.get((config.vocab_size, config.n_embd), "lm_head.weight")?
        } else {
            wte.clone()
        };
        let blocks = (0..config.n_layer)
            .map(|layer_idx| Block::new(config, layer_idx, vb.pp(format!("h.{layer_idx}"))))
            .collect::<candle_core::Result<_>>()?;
        Ok(Self {
            config: config.clone(),
            wte,
            wpe: vb.get((config.n_ctx, config.n_embd), "wpe.weight")?,
            blocks,
            ln_f: LayerNorm::new(config, vb.pp("ln_f"))?,
            lm_head,
        })
    }

    /// The model's shape.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// Scores for the token after each position.
    ///
    /// `tokens`: (B, T), u32, ids below V, 1 ≤ T ≤ n_ctx. Result: (B, T, V), F32.
    ///
    /// # Errors
    /// [`ModelError::ContextFull`] if T > n_ctx; [`ModelError::Tensor`] for an id outside the vocabulary.
    pub fn forward(&self, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let (b, t) = tokens.dims2()?;
        if t > self.config.n_ctx {
            return Err(ModelError::ContextFull {
                wanted: t,
                n_ctx: self.config.n_ctx,
            });
        }
        let ids = tokens.to_dtype(DType::U32)?.flatten_all()?;
        let token_embeddings =
            self.wte
                .index_select(&ids, 0)?
                .reshape((b, t, self.config.n_embd))?;
        let position_embeddings = self.wpe.i(..t)?; // (T, C)
        let mask = build_causal_mask(t, 0, tokens.device())?; // (T, T)

        let mut x = token_embeddings.broadcast_add(&position_embeddings)?; // (B, T, C)
        for block in &self.blocks {
            x = block.forward(&x, &mask)?;
        }
        let x = self.ln_f.forward(&x)?.reshape((b * t, ()))?; // (B·T, C)
        Ok(x.matmul(&self.lm_head.t()?)?
            .reshape((b, t, self.config.vocab_size))?)
    }
}
