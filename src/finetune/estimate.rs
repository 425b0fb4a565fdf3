//! How much memory a training takes, before it begins.

use super::ops::layer::Keep;
use super::params::{FineTuneParams, Frozen, Method};
use crate::model::config::Gpt2Config;

/// Bytes that a training takes at its peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// The model, its gradients and the optimiser's moments.
    pub weights: u64,
    /// What the passes of a block keep and need.
    pub activations: u64,
}

impl MemoryEstimate {
    /// The memory for a model of this shape.
    ///
    /// A layer keeps 6 C + I numbers per token, or the C of its input alone.
    pub fn new(config: &Gpt2Config, params: &FineTuneParams, keep: Keep) -> Self {
        let n_params = config.n_params();
        let (c, i, l) = (
            config.n_embd as u64,
            config.n_inner as u64,
            config.n_layer as u64,
        );
        let t = params.block_len(config.n_ctx) as u64;
        let weights = match &params.method {
            Method::Full => 16 * n_params,
            Method::Lora(lora) => {
                let vectors = config.n_ctx as u64 * c + l * (9 * c + i + 4 * c) + 2 * c;
                let matrices = n_params.saturating_sub(vectors);
                let frozen = match lora.frozen {
                    Frozen::Quantized => matrices * 34 / 32,
                    Frozen::Floats => 4 * matrices,
                };
                let r = lora.rank as u64;
                let adapters = l * r * (4 * c + 2 * c + 2 * (c + i));
                frozen + 4 * vectors + 16 * adapters
            }
        };
        let of_layer = 5 * c + i;
        let kept = match keep {
            Keep::All => 4 * t * (l * (of_layer + c) + c),
            Keep::Input => 4 * t * (of_layer + l * c + c),
        };
        // Logits of a slice, and the largest gradients of a block with their packed copies.
        let v = config.vocab_size as u64;
        let slice = 4 * v * t.min((50_304 << 8) / v.max(1));
        let passing = 4 * t * (4 * i + 4 * c) + 4 * c * i;
        Self {
            weights,
            activations: kept + slice.max(passing) + (16 << 20),
        }
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.activations
    }
}
