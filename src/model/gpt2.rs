//! `Gpt2`: the whole model on candle tensors, part by part as in the paper, and differentiable.
//!
//! Shape letters: `B` batch, `T` tokens in this call, `C` n_embd, `H` n_head, `D` head_dim = C / H,
//! `I` n_inner, `V` vocab_size. This is the reference, written to be read; [`crate::infer`] is the same model with a cache
//! and quantized weights.
//!
//! [`Operations::block`] is a layer, one line per operation. [`super::plain`] has the formulas; [`crate::finetune`] has
//! other operations with the same results.
//!
//! Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", §2.3.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::ModelError;
use super::config::Gpt2Config;
use super::linear::{LayerNorm, Linear};
use super::operations::{Block, BlockOf, Heads, LayerNormOf, LinearOf, Operations};
use super::plain::Plain;

/// The weights of the layer with this index.
fn block<O: Operations>(
    config: &Gpt2Config,
    layer_idx: usize,
    weights: &O,
) -> Result<BlockOf<O>, ModelError> {
    let (c, i) = (config.n_embd, config.n_inner);
    let name = |part: &str| format!("h.{layer_idx}.{part}");
    Ok(Block {
        ln_1: layer_norm(weights, config, &name("ln_1"))?,
        c_attn: linear(weights, &name("attn.c_attn"), c, 3 * c)?,
        attn_c_proj: linear(weights, &name("attn.c_proj"), c, c)?,
        ln_2: layer_norm(weights, config, &name("ln_2"))?,
        c_fc: linear(weights, &name("mlp.c_fc"), c, i)?,
        mlp_c_proj: linear(weights, &name("mlp.c_proj"), i, c)?,
        heads: Heads {
            n_head: config.n_head,
            score_scale: config.score_scale(layer_idx),
        },
        activation: config.arithmetic.activation_function,
    })
}

fn layer_norm<O: Operations>(
    weights: &O,
    config: &Gpt2Config,
    name: &str,
) -> Result<LayerNormOf<O>, ModelError> {
    Ok(LayerNorm {
        weight: weights.vector(&format!("{name}.weight"), config.n_embd)?,
        bias: weights.vector(&format!("{name}.bias"), config.n_embd)?,
        epsilon: config.layer_norm_epsilon,
    })
}

fn linear<O: Operations>(
    weights: &O,
    name: &str,
    n_in: usize,
    n_out: usize,
) -> Result<LinearOf<O>, ModelError> {
    Ok(Linear {
        weight: matrix(weights, &format!("{name}.weight"), n_in, n_out)?,
        bias: weights.vector(&format!("{name}.bias"), n_out)?,
    })
}

fn matrix<O: Operations>(
    weights: &O,
    name: &str,
    rows: usize,
    cols: usize,
) -> Result<O::Matrix, ModelError> {
    weights.matrix(name, rows, cols)?.ok_or_else(|| {
        ModelError::Tensor(
            candle_core::Error::CannotFindTensor {
                path: name.to_owned(),
            }
            .bt(),
        )
    })
}

/// GPT-2: embeddings, `n_layer` blocks, a final LayerNorm and a head, computed with the operations `O`.
pub struct Gpt2<O: Operations = Plain<'static>> {
    config: Gpt2Config,
    ops: O,
    wte: O::Matrix, // (V, C)
    wpe: O::Matrix, // (n_ctx, C)
    blocks: Vec<BlockOf<O>>,
    ln_f: LayerNormOf<O>,
    lm_head: O::Matrix, // (V, C); the same as `wte` when tied
}

impl<'a> Gpt2<Plain<'a>> {
    /// The model with the tensors of `vb`, under Hugging Face's names (`wte.weight`, `h.0.attn.c_attn.weight`, …). The
    /// head is `lm_head.weight` if `vb` has that tensor, else `wte.weight`.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] if a tensor is missing or has another shape.
    pub fn new(config: &Gpt2Config, vb: VarBuilder<'a>) -> Result<Self, ModelError> {
        Self::with_operations(config, Plain::new(vb))
    }

    /// Scores for the token after each position.
    ///
    /// `tokens`: (B, T), u32, ids below V, 1 ≤ T ≤ n_ctx. Result: (B, T, V), F32.
    ///
    /// # Errors
    /// [`ModelError::ContextFull`] if T > n_ctx; [`ModelError::Tensor`] for an id outside the vocabulary.
    pub fn forward(&self, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let x = self.residual_stream(tokens)?;
        self.ops.logits(&self.ln_f, &self.lm_head, &x)
    }
}

impl<O: Operations> Gpt2<O> {
    /// The model with the weights and operations of `ops`.
    ///
    /// # Errors
    /// [`ModelError::Tensor`] if a tensor is missing or has another shape.
    pub fn with_operations(config: &Gpt2Config, ops: O) -> Result<Self, ModelError> {
        let (v, c) = (config.vocab_size, config.n_embd);
        let wte = matrix(&ops, "wte.weight", v, c)?;
        let blocks = 0..config.n_layer;
        Ok(Self {
            wpe: matrix(&ops, "wpe.weight", config.n_ctx, c)?,
            blocks: blocks
                .map(|layer_idx| block(config, layer_idx, &ops))
                .collect::<Result<_, _>>()?,
            ln_f: layer_norm(&ops, config, "ln_f")?,
            lm_head: match ops.matrix("lm_head.weight", v, c)? {
                Some(head) => head,
                None => wte.clone(),
            },
            wte,
            config: config.clone(),
            ops,
        })
    }

    /// The model's shape.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// What it is computed with.
    pub fn operations(&self) -> &O {
        &self.ops
    }

    /// What it is computed with, to be changed.
    pub fn operations_mut(&mut self) -> &mut O {
        &mut self.ops
    }

    /// Scores for the token after the last position of each row.
    ///
    /// `tokens`: (B, T), u32, ids below V, 1 ≤ T ≤ n_ctx. Result: (B, 1, V), F32.
    ///
    /// # Errors
    /// As [`Gpt2::forward`].
    pub fn last_logits(&self, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let x = self.residual_stream(tokens)?;
        let last = x.dim(1)? - 1;
        let x = x.narrow(1, last, 1)?.contiguous()?;
        self.ops.logits(&self.ln_f, &self.lm_head, &x)
    }

    /// The mean cross-entropy of every token but the first of each row, given those before it; a scalar.
    ///
    /// `tokens`: (B, T), u32, ids below V, 2 ≤ T ≤ n_ctx.
    ///
    /// # Errors
    /// As [`Gpt2::forward`].
    pub fn loss(&self, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let x = self.residual_stream(tokens)?;
        self.ops.loss(&self.ln_f, &self.lm_head, &x, tokens)
    }

    /// (B, T) → (B, T, C)
    fn residual_stream(&self, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let (_, t) = tokens.dims2()?;
        if t > self.config.n_ctx {
            return Err(ModelError::ContextFull {
                wanted: t,
                n_ctx: self.config.n_ctx,
            });
        }
        let mut x = self.ops.embed(&self.wte, &self.wpe, tokens)?;
        for block in &self.blocks {
            x = self.ops.block(block, &x)?;
        }
        Ok(x)
    }
}
