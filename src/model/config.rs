//! `Gpt2Config`: the validated shape of a GPT-2, from `config.json` or GGUF metadata.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ModelError;
use super::token_ids::{TokenIds, as_in_config};

/// The largest values accepted in a shape. GPT-2 XL (1.5B) is far below all of them.
const MAX_VOCAB_SIZE: usize = 1 << 20;
const MAX_N_CTX: usize = 1 << 17;
const MAX_N_EMBD: usize = 1 << 14;
const MAX_N_LAYER: usize = 512;
const MAX_N_INNER: usize = 1 << 16;

/// The shape of a GPT-2 model; the constructors check every field.
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
    /// The token that starts a text; GPT-2: 50256.
    #[serde(default)]
    pub bos_token_id: Option<u32>,
    /// The tokens that end a text; GPT-2: 50256 alone.
    #[serde(default, rename = "eos_token_id", with = "as_in_config")]
    pub eos_token_ids: Vec<u32>,
}

/// Hugging Face's `config.json`; an absent key has its default of `transformers`.
#[derive(Debug, Deserialize)]
struct HfConfig {
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    vocab_size: Option<usize>,
    #[serde(default)]
    n_positions: Option<usize>,
    #[serde(default)]
    n_ctx: Option<usize>,
    #[serde(default)]
    n_embd: Option<usize>,
    #[serde(default)]
    n_layer: Option<usize>,
    #[serde(default)]
    n_head: Option<usize>,
    #[serde(default)]
    n_inner: Option<usize>,
    #[serde(default)]
    activation_function: Option<String>,
    #[serde(default)]
    layer_norm_epsilon: Option<f64>,
    #[serde(default = "end_of_text")]
    bos_token_id: Value,
    #[serde(default = "end_of_text")]
    eos_token_id: Value,
    #[serde(default)]
    scale_attn_weights: Option<bool>,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: Option<bool>,
    #[serde(default)]
    reorder_and_upcast_attn: Option<bool>,
    #[serde(default)]
    add_cross_attention: Option<bool>,
    #[serde(default)]
    tie_word_embeddings: Option<bool>,
}

/// The id that `transformers` assumes where a configuration has no key for it; `null` is no id.
fn end_of_text() -> Value {
    json!(50256)
}

impl HfConfig {
    fn parse(json: &[u8]) -> Result<Self, ModelError> {
        serde_json::from_slice(json).map_err(|source| ModelError::BadConfigJson { source })
    }
}

impl Gpt2Config {
    /// The configuration in a Hugging Face `config.json`.
    ///
    /// # Errors
    /// [`ModelError::BadConfigJson`] if the JSON cannot be parsed; [`ModelError::NotGpt2`] and
    /// [`ModelError::UnsupportedOption`] if it describes another computation; else as [`Self::validated`].
    pub fn from_json(json: &[u8]) -> Result<Self, ModelError> {
        let hf = HfConfig::parse(json)?;
        match hf.model_type.as_deref() {
            Some("gpt2") => {}
            other => {
                return Err(ModelError::NotGpt2 {
                    model_type: shortened(other.unwrap_or("nothing")),
                });
            }
        }
        let unsupported = |option, value: &str| {
            Err(ModelError::UnsupportedOption {
                option,
                value: shortened(value),
            })
        };
        match hf.activation_function.as_deref() {
            None | Some("gelu_new" | "gelu_pytorch_tanh") => {}
            Some(other) => return unsupported("activation_function", other),
        }
        if hf.scale_attn_weights == Some(false) {
            return unsupported("scale_attn_weights", "false");
        }
        if hf.scale_attn_by_inverse_layer_idx == Some(true) {
            return unsupported("scale_attn_by_inverse_layer_idx", "true");
        }
        if hf.reorder_and_upcast_attn == Some(true) {
            return unsupported("reorder_and_upcast_attn", "true");
        }
        if hf.add_cross_attention == Some(true) {
            return unsupported("add_cross_attention", "true");
        }
        let n_embd = hf.n_embd.unwrap_or(768);
        Self {
            vocab_size: hf.vocab_size.unwrap_or(50257),
            n_ctx: hf.n_positions.or(hf.n_ctx).unwrap_or(1024),
            n_embd,
            n_layer: hf.n_layer.unwrap_or(12),
            n_head: hf.n_head.unwrap_or(12),
            n_inner: hf.n_inner.unwrap_or(n_embd.saturating_mul(4)),
            layer_norm_epsilon: hf.layer_norm_epsilon.unwrap_or(1e-5) as f32,
            bos_token_id: TokenIds::of(&hf.bos_token_id).ids.first().copied(),
            eos_token_ids: TokenIds::of(&hf.eos_token_id).ids,
        }
        .validated()
    }

    /// Whether a `config.json` ties the output head to the token embedding, as is `transformers`' default.
    ///
    /// # Errors
    /// [`ModelError::BadConfigJson`].
    pub fn is_head_tied(json: &[u8]) -> Result<bool, ModelError> {
        Ok(HfConfig::parse(json)?.tie_word_embeddings.unwrap_or(true))
    }

    /// Checks the shape and returns it. Ids outside the vocabulary, which no text can have, are left out.
    ///
    /// # Errors
    /// [`ModelError::OutOfRange`] for a size that is 0 or too large;
    /// [`ModelError::UnevenHeads`]; [`ModelError::BadEpsilon`].
    pub fn validated(mut self) -> Result<Self, ModelError> {
        for (field, value, max) in [
            ("vocab_size", self.vocab_size, MAX_VOCAB_SIZE),
            ("n_ctx", self.n_ctx, MAX_N_CTX),
            ("n_embd", self.n_embd, MAX_N_EMBD),
            ("n_layer", self.n_layer, MAX_N_LAYER),
            ("n_head", self.n_head, self.n_embd),
            ("n_inner", self.n_inner, MAX_N_INNER),
        ] {
            if value == 0 || value > max {
                return Err(ModelError::OutOfRange {
                    field,
                    value: value as u64,
                    min: 1,
                    max: max as u64,
                });
            }
        }
        if !self.n_embd.is_multiple_of(self.n_head) {
            return Err(ModelError::UnevenHeads {
                n_embd: self.n_embd,
                n_head: self.n_head,
            });
        }
        let is_token = |id: &u32| (*id as usize) < self.vocab_size;
        self.bos_token_id = self.bos_token_id.filter(is_token);
        self.eos_token_ids.retain(is_token);
        if !(self.layer_norm_epsilon > 0.0 && self.layer_norm_epsilon < 1.0) {
            return Err(ModelError::BadEpsilon {
                value: self.layer_norm_epsilon,
            });
        }
        Ok(self)
    }

    /// A `config.json` that `transformers` reads as this model with a tied head.
    pub fn to_json(&self) -> Value {
        json!({
            "activation_function": "gelu_new",
            "architectures": ["GPT2LMHeadModel"],
            "bos_token_id": self.bos_token_id,
            "eos_token_id": match self.eos_token_ids[..] {
                [] => Value::Null,
                [one] => json!(one),
                _ => json!(self.eos_token_ids),
            },
            "layer_norm_epsilon": decimal(self.layer_norm_epsilon),
            "model_type": "gpt2",
            "n_ctx": self.n_ctx,
            "n_embd": self.n_embd,
            "n_head": self.n_head,
            "n_inner": self.n_inner,
            "n_layer": self.n_layer,
            "n_positions": self.n_ctx,
            "tie_word_embeddings": true,
            "vocab_size": self.vocab_size,
        })
    }

    /// The token that a text without a prompt begins after: the first, else one that ends a text.
    pub fn opening_token(&self) -> Option<u32> {
        self.bos_token_id.or(self.eos_token_ids.first().copied())
    }

    /// The tokens that begin or end a text.
    pub fn special_ids(&self) -> impl Iterator<Item = u32> {
        self.bos_token_id
            .into_iter()
            .chain(self.eos_token_ids.iter().copied())
    }

    /// D: the width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.n_embd / self.n_head
    }

    /// The number of weights, the tied head counted once.
    pub fn n_params(&self) -> u64 {
        let (c, i) = (self.n_embd as u64, self.n_inner as u64);
        let block = 4 * c + 3 * c * c + 3 * c + c * c + c + 2 * c * i + i + c;
        (self.vocab_size as u64 + self.n_ctx as u64) * c + self.n_layer as u64 * block + 2 * c
    }
}

/// The shortest decimal of an `f32` as `f64`: 1e-5 for `1e-5_f32`, where `as f64` gives a longer number.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// The start of an untrusted text, short enough for a message.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
