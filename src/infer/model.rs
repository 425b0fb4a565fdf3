//! `Model`: the packed weights of a GPT-2, with its LayerNorm and linear operations.

use crate::kernels::pack::{PackedWeight, WeightType};
use crate::kernels::{self, Scratch, ops};
use crate::model::config::Gpt2Config;

/// The configuration and packed weights of a GPT-2. All its [`Session`](super::Session)s share one.
pub struct Model {
    /// The model's shape.
    pub config: Gpt2Config,
    pub(super) wte: PackedWeight, // (V, C)
    pub(super) wpe: Vec<f32>,     // (n_ctx, C)
    pub(super) blocks: Vec<Block>,
    pub(super) ln_f: LayerNorm,
    pub(super) lm_head: Option<PackedWeight>, // (V, C); `None`: the head is `wte`
}

pub(super) struct LayerNorm {
    pub(super) weight: Vec<f32>, // (C)
    pub(super) bias: Vec<f32>,   // (C)
}

pub(super) struct Linear {
    pub(super) weight: PackedWeight, // (out, in)
    pub(super) bias: Vec<f32>,       // (out)
}

pub(super) struct Block {
    pub(super) ln_1: LayerNorm,
    pub(super) c_attn: Linear,      // C → 3C
    pub(super) attn_c_proj: Linear, // C → C
    pub(super) ln_2: LayerNorm,
    pub(super) c_fc: Linear,       // C → I
    pub(super) mlp_c_proj: Linear, // I → C
}

impl Model {
    /// Bytes of the weights in memory.
    pub fn size_bytes(&self) -> usize {
        let vectors = |norm: &LayerNorm| norm.weight.len() + norm.bias.len();
        let linear = |l: &Linear| l.weight.size_bytes() + 4 * l.bias.len();
        let blocks: usize = self
            .blocks
            .iter()
            .map(|b| {
                4 * (vectors(&b.ln_1) + vectors(&b.ln_2))
                    + linear(&b.c_attn)
                    + linear(&b.attn_c_proj)
                    + linear(&b.c_fc)
                    + linear(&b.mlp_c_proj)
            })
            .sum();
        self.wte.size_bytes()
            + 4 * (self.wpe.len() + vectors(&self.ln_f))
            + blocks
            + self.lm_head.as_ref().map_or(0, PackedWeight::size_bytes)
    }

    /// Every matrix that a token is multiplied by, in order: the four of each block, then the head.
    pub fn matrices(&self) -> impl Iterator<Item = &PackedWeight> {
        let blocks = self.blocks.iter();
        blocks
            .flat_map(|b| [&b.c_attn, &b.attn_c_proj, &b.c_fc, &b.mlp_c_proj])
            .map(|linear| &linear.weight)
            .chain([self.head()])
    }

    pub(super) fn head(&self) -> &PackedWeight {
        self.lm_head.as_ref().unwrap_or(&self.wte)
    }

    /// The storage type of the token embedding, the largest matrix.
    pub fn dtype(&self) -> WeightType {
        self.wte.dtype()
    }
}

impl LayerNorm {
    pub(super) fn forward(&self, epsilon: f32, x: &[f32], out: &mut [f32]) {
        let c = self.weight.len();
        for (x, out) in x.chunks_exact(c).zip(out.chunks_exact_mut(c)) {
            ops::layer_norm(x, &self.weight, &self.bias, epsilon, out);
        }
    }
}

impl Linear {
    /// `out` (n, out) = `x` (n, in) · weightᵀ + bias, then `then` applied to each part of `out` with the part's start.
    pub(super) fn forward(
        &self,
        x: &[f32],
        n: usize,
        out: &mut [f32],
        scratch: &mut Scratch,
        then: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        kernels::matmul_then(&self.weight, x, n, out, scratch, &|start, part| {
            ops::add(part, &self.bias[start % self.bias.len()..]);
            then(start, part);
        });
    }
}
