//! `Gpt2Config`: the validated shape of a GPT-2, from `config.json` or GGUF metadata.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ModelError;
use super::token_ids::{TokenIds, as_in_config};
use crate::json::{self, decimal};
pub use crate::kernels::Activation;
use crate::notice::Notice;
use crate::shown::beginning;

/// Most characters of a stated value that a message quotes.
const MOST_QUOTED: usize = 40;

/// The name of the file in notices.
const FILE: &str = "config.json";

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
    /// What differs from plain GPT-2's arithmetic.
    #[serde(default, skip_serializing_if = "Arithmetic::is_plain")]
    pub arithmetic: Arithmetic,
}

/// What a configuration may change in GPT-2's arithmetic; the default is plain GPT-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arithmetic {
    /// The function inside the MLP.
    #[serde(with = "activation_name")]
    pub activation_function: Activation,
    /// Whether attention scores are divided by √D.
    pub scale_attn_weights: bool,
    /// Whether the scores of layer i, counted from 1, are divided by i as well.
    pub scale_attn_by_inverse_layer_idx: bool,
}

impl Default for Arithmetic {
    fn default() -> Self {
        Self {
            activation_function: Activation::default(),
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
        }
    }
}

impl Arithmetic {
    /// Whether it is that of plain GPT-2, the only one that llama.cpp computes for the architecture `gpt2`.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The settings that differ from plain GPT-2's, as in `activation_function relu`.
    pub fn changes(&self) -> String {
        let plain = Self::default();
        let mut changes = Vec::new();
        if self.activation_function != plain.activation_function {
            changes.push(format!(
                "activation_function {}",
                self.activation_function.name()
            ));
        }
        if self.scale_attn_weights != plain.scale_attn_weights {
            changes.push("scale_attn_weights false".to_owned());
        }
        if self.scale_attn_by_inverse_layer_idx != plain.scale_attn_by_inverse_layer_idx {
            changes.push("scale_attn_by_inverse_layer_idx true".to_owned());
        }
        changes.join(", ")
    }
}

/// An activation as its name.
mod activation_name {
    use super::Activation;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &Activation, to: S) -> Result<S::Ok, S::Error> {
        value.name().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Activation, D::Error> {
        let name = String::deserialize(from)?;
        Activation::of_name(&name)
            .ok_or_else(|| D::Error::custom(format_args!("unknown activation {name}")))
    }
}

/// Hugging Face's `config.json`; an absent key has its default of `transformers`, and so has a key that is null.
///
/// Most keys are values of any type, because each is read by itself: a key that nobody needs may hold anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HfConfig {
    model_type: Value,
    architectures: Value,
    vocab_size: Value,
    n_positions: Value,
    max_position_embeddings: Value,
    n_ctx: Value,
    n_embd: Value,
    hidden_size: Value,
    n_layer: Value,
    num_hidden_layers: Value,
    n_head: Value,
    num_attention_heads: Value,
    n_inner: Value,
    activation_function: Value,
    layer_norm_epsilon: Value,
    #[serde(default = "end_of_text")]
    bos_token_id: Value,
    #[serde(default = "end_of_text")]
    eos_token_id: Value,
    scale_attn_weights: Value,
    scale_attn_by_inverse_layer_idx: Value,
    add_cross_attention: Value,
    tie_word_embeddings: Value,
}

/// The id that `transformers` assumes where a configuration has no key for it; `null` is no id.
fn end_of_text() -> Value {
    Value::from(50256)
}

impl HfConfig {
    fn parse(json: &[u8]) -> Result<Self, ModelError> {
        // Read as a map first: of a key that stands twice the last value counts, as in Python.
        let map: serde_json::Map<String, Value> =
            json::from_slice(json).map_err(|source| ModelError::BadConfigJson { source })?;
        Self::deserialize(Value::Object(map)).map_err(|source| ModelError::BadConfigJson {
            source: source.into(),
        })
    }

    /// Refuses a configuration of another kind of model. The files of 2019 name none: there the model's class counts,
    /// and without it the keys that only GPT and GPT-2 have.
    fn check_kind(&self) -> Result<(), ModelError> {
        let not_gpt2 = |model_type: String| Err(ModelError::NotGpt2 { model_type });
        match &self.model_type {
            Value::Null => {}
            Value::String(name) if name == "gpt2" => return Ok(()),
            Value::String(other) => return not_gpt2(beginning(other, MOST_QUOTED)),
            other => return not_gpt2(beginning(&other.to_string(), MOST_QUOTED)),
        }
        let classes = match &self.architectures {
            Value::Array(classes) => classes.as_slice(),
            class => std::slice::from_ref(class),
        };
        let mut classes = classes.iter().filter_map(Value::as_str).peekable();
        match classes.peek().copied() {
            Some(_) if classes.any(|class| class.contains("GPT2")) => Ok(()),
            Some(other) => not_gpt2(beginning(other, MOST_QUOTED)),
            None if !self.n_embd.is_null() && !self.n_layer.is_null() && !self.n_head.is_null() => {
                Ok(())
            }
            None => not_gpt2("nothing".to_owned()),
        }
    }

    fn arithmetic(&self) -> Result<Arithmetic, ModelError> {
        let plain = Arithmetic::default();
        let name = "activation_function";
        let activation = match &self.activation_function {
            Value::Null => plain.activation_function,
            value => {
                let text = value.as_str().ok_or_else(|| bad(name, value, "a name"))?;
                Activation::of_name(text).ok_or_else(|| ModelError::UnsupportedOption {
                    option: name,
                    value: beginning(text, MOST_QUOTED),
                })?
            }
        };
        let scale = flag("scale_attn_weights", &self.scale_attn_weights)?;
        let by_layer = flag(
            "scale_attn_by_inverse_layer_idx",
            &self.scale_attn_by_inverse_layer_idx,
        )?;
        Ok(Arithmetic {
            activation_function: activation,
            scale_attn_weights: scale.unwrap_or(plain.scale_attn_weights),
            scale_attn_by_inverse_layer_idx: by_layer
                .unwrap_or(plain.scale_attn_by_inverse_layer_idx),
        })
    }

    fn is_head_tied(&self) -> Result<bool, ModelError> {
        Ok(flag("tie_word_embeddings", &self.tie_word_embeddings)?.unwrap_or(true))
    }
}

/// The error of a key with a value that cannot be used.
fn bad(key: &'static str, value: &Value, expected: &'static str) -> ModelError {
    ModelError::BadValue {
        key,
        value: beginning(&value.to_string(), MOST_QUOTED),
        expected,
    }
}

/// The first size that is stated by one of these keys; some programs write it as a float.
fn size(keys: &[(&'static str, &Value)]) -> Result<Option<usize>, ModelError> {
    let Some((key, value)) = keys.iter().find(|(_, value)| !value.is_null()) else {
        return Ok(None);
    };
    /// Every whole number up to this one has a float of its own.
    const MAX_EXACT: f64 = (1_u64 << 53) as f64;
    let float = value
        .as_f64()
        .filter(|float| float.fract() == 0.0 && (0.0..=MAX_EXACT).contains(float));
    let whole = value.as_u64().or(float.map(|float| float as u64));
    match whole {
        Some(whole) => Ok(Some(usize::try_from(whole).unwrap_or(usize::MAX))),
        None => Err(bad(key, value, "a whole number")),
    }
}

/// A truth value; Python's 0 and 1 count.
fn flag(key: &'static str, value: &Value) -> Result<Option<bool>, ModelError> {
    match (value, value.as_f64()) {
        (Value::Null, _) => Ok(None),
        (Value::Bool(value), _) => Ok(Some(*value)),
        (_, Some(0.0)) => Ok(Some(false)),
        (_, Some(1.0)) => Ok(Some(true)),
        _ => Err(bad(key, value, "true or false")),
    }
}

impl Gpt2Config {
    /// The configuration in a Hugging Face `config.json`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_json(json: &[u8]) -> Result<Self, ModelError> {
        Ok(Self::read(json)?.0)
    }

    /// The configuration in a Hugging Face `config.json`, and what is passed over in it.
    ///
    /// # Errors
    /// [`ModelError::BadConfigJson`] if the JSON cannot be parsed; [`ModelError::NotGpt2`] and
    /// [`ModelError::UnsupportedOption`] if it describes another computation; [`ModelError::BadValue`] if a key that is
    /// needed has a value of another kind; else as [`Self::validated`].
    pub fn read(json: &[u8]) -> Result<(Self, Vec<Notice>), ModelError> {
        let hf = HfConfig::parse(json)?;
        hf.check_kind()?;
        let mut notices = Vec::new();
        if flag("add_cross_attention", &hf.add_cross_attention)? == Some(true) {
            notices.push(Notice::new(
                FILE,
                "add_cross_attention is passed over, because there is no encoder to attend to",
            ));
        }
        // Where both names of a size are there, transformers takes the newer one.
        let n_embd = size(&[("hidden_size", &hf.hidden_size), ("n_embd", &hf.n_embd)])?;
        let n_embd = n_embd.unwrap_or(768);
        let n_ctx = size(&[
            ("max_position_embeddings", &hf.max_position_embeddings),
            ("n_positions", &hf.n_positions),
            ("n_ctx", &hf.n_ctx),
        ])?;
        let n_layer = size(&[
            ("num_hidden_layers", &hf.num_hidden_layers),
            ("n_layer", &hf.n_layer),
        ])?;
        let n_head = size(&[
            ("num_attention_heads", &hf.num_attention_heads),
            ("n_head", &hf.n_head),
        ])?;
        let epsilon = match &hf.layer_norm_epsilon {
            Value::Null => 1e-5,
            value => {
                let number = value.as_f64();
                number.ok_or_else(|| bad("layer_norm_epsilon", value, "a number"))?
            }
        };
        let config = Self {
            vocab_size: size(&[("vocab_size", &hf.vocab_size)])?.unwrap_or(50257),
            n_ctx: n_ctx.unwrap_or(1024),
            n_embd,
            n_layer: n_layer.unwrap_or(12),
            n_head: n_head.unwrap_or(12),
            n_inner: size(&[("n_inner", &hf.n_inner)])?.unwrap_or(n_embd.saturating_mul(4)),
            layer_norm_epsilon: epsilon as f32,
            bos_token_id: TokenIds::of(&hf.bos_token_id).ids.first().copied(),
            eos_token_ids: TokenIds::of(&hf.eos_token_id).ids,
            arithmetic: hf.arithmetic()?,
        }
        .validated()?;
        Ok((config, notices))
    }

    /// Whether a `config.json` ties the output head to the token embedding, as is `transformers`' default.
    ///
    /// # Errors
    /// [`ModelError::BadConfigJson`], [`ModelError::BadValue`].
    pub fn is_head_tied(json: &[u8]) -> Result<bool, ModelError> {
        HfConfig::parse(json)?.is_head_tied()
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
        // With 0 a constant row divides by zero; there it does so in transformers, too.
        if !(self.layer_norm_epsilon >= 0.0 && self.layer_norm_epsilon < 1.0) {
            return Err(ModelError::BadEpsilon {
                value: self.layer_norm_epsilon,
            });
        }
        Ok(self)
    }

    /// A `config.json` that `transformers` reads as this model with a tied head.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "activation_function": self.arithmetic.activation_function.name(),
            "architectures": ["GPT2LMHeadModel"],
            "bos_token_id": self.bos_token_id,
            "eos_token_id": match self.eos_token_ids[..] {
                [] => Value::Null,
                [one] => Value::from(one),
                _ => serde_json::json!(self.eos_token_ids),
            },
            "layer_norm_epsilon": decimal(self.layer_norm_epsilon),
            "model_type": "gpt2",
            "n_ctx": self.n_ctx,
            "n_embd": self.n_embd,
            "n_head": self.n_head,
            "n_inner": self.n_inner,
            "n_layer": self.n_layer,
            "n_positions": self.n_ctx,
            "scale_attn_by_inverse_layer_idx": self.arithmetic.scale_attn_by_inverse_layer_idx,
            "scale_attn_weights": self.arithmetic.scale_attn_weights,
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

    /// The factor of attention scores in the layer with this index.
    pub fn score_scale(&self, layer_idx: usize) -> f32 {
        let scale = match self.arithmetic.scale_attn_weights {
            true => 1.0 / (self.head_dim() as f32).sqrt(),
            false => 1.0,
        };
        match self.arithmetic.scale_attn_by_inverse_layer_idx {
            true => scale / (layer_idx + 1) as f32,
            false => scale,
        }
    }

    /// The number of weights, the tied head counted once.
    pub fn n_params(&self) -> u64 {
        let (c, i) = (self.n_embd as u64, self.n_inner as u64);
        let block = 4 * c + 3 * c * c + 3 * c + c * c + c + 2 * c * i + i + c;
        (self.vocab_size as u64 + self.n_ctx as u64) * c + self.n_layer as u64 * block + 2 * c
    }
}
