//! Reads a LoRA adapter in peft's layout, to be computed beside the open model.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use crate::infer::{Adapter, LinearMap};
use crate::kernels::low_rank::LowRank;
use crate::model::config::Gpt2Config;
use crate::shown::beginning;
use crate::weights::dtype::StoredType;

/// What stands before the names of a model's tensors in an adapter.
const PREFIX: &str = "base_model.model.transformer.h.";
/// Most bytes of `adapter_model.safetensors`: rank 256 on every matrix of GPT-2 medium has 200 MB.
const MAX_BYTES: usize = 1 << 28;
/// Most characters of a text of the file in a message.
const SHOWN: usize = 120;
/// Largest rank.
const MAX_RANK: usize = 1024;

/// Why an adapter is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// It is longer than any adapter of a GPT-2.
    #[error("the adapter has {0} bytes, more than an adapter of GPT-2")]
    TooLarge(usize),
    /// `adapter_config.json` is not peft's.
    #[error("adapter_config.json cannot be read: {0}")]
    Config(String),
    /// Another method than LoRA, or a form of it that is not computed here.
    #[error("the adapter uses {0}, which is not computed here")]
    Unsupported(String),
    /// `adapter_model.safetensors` is damaged, or of another kind.
    #[error("adapter_model.safetensors cannot be read: {0}")]
    Weights(String),
    /// Its matrices do not fit the open model.
    #[error("`{0}` of the adapter does not fit the open model")]
    OtherModel(String),
}

impl AdapterError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge(_) | Self::Config(_) | Self::Weights(_) => {
                "take the folder `adapter` of a bot, or the two files that peft saves"
            }
            Self::Unsupported(_) => {
                "merge it into its base model with merge_and_unload of peft, and open the result"
            }
            Self::OtherModel(_) => "open the model that the adapter was trained on first",
        }
    }
}

/// The parts of `adapter_config.json` that change what is computed.
#[derive(Deserialize)]
struct Config {
    peft_type: String,
    r: usize,
    lora_alpha: f32,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f32>,
}

/// Reads the adapter of a model with this `config` from the two files that peft saves.
///
/// # Errors
/// [`AdapterError`].
pub fn read(
    config: &Gpt2Config,
    config_json: &[u8],
    weights: &[u8],
) -> Result<Adapter, AdapterError> {
    if weights.len() > MAX_BYTES {
        return Err(AdapterError::TooLarge(weights.len()));
    }
    let lora: Config = serde_json::from_slice(config_json)
        .map_err(|error| AdapterError::Config(error.to_string()))?;
    if lora.peft_type != "LORA" || lora.use_dora {
        let method = if lora.use_dora {
            "DoRA"
        } else {
            &lora.peft_type
        };
        return Err(AdapterError::Unsupported(beginning(method, SHOWN)));
    }
    if !lora.rank_pattern.is_empty() || !lora.alpha_pattern.is_empty() {
        let what = "a rank or alpha of its own for some matrices";
        return Err(AdapterError::Unsupported(what.to_owned()));
    }
    if !(1..=MAX_RANK).contains(&lora.r) || !lora.lora_alpha.is_finite() {
        return Err(AdapterError::Config(format!(
            "r is {}, lora_alpha is {}",
            lora.r, lora.lora_alpha
        )));
    }
    let tensors = SafeTensors::deserialize(weights)
        .map_err(|error| AdapterError::Weights(error.to_string()))?;
    let divisor = match lora.use_rslora {
        true => (lora.r as f32).sqrt(),
        false => lora.r as f32,
    };
    let mut used = 0;
    let adapter = Adapter::new(config, |block, map| {
        let (n_in, n_out) = map.shape(config);
        let name = |which| format!("{PREFIX}{block}.{}.lora_{which}.weight", map.name());
        let a = matrix(&tensors, &name('A'), [lora.r, n_in])?;
        let b = matrix(&tensors, &name('B'), [n_out, lora.r])?;
        match (a, b) {
            (Some(a), Some(b)) => {
                used += 1;
                Ok(Some(LowRank::new(lora.r, a, &b, lora.lora_alpha / divisor)))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(AdapterError::Weights(format!("`{}` is missing", name('B')))),
            (None, Some(_)) => Err(AdapterError::Weights(format!("`{}` is missing", name('A')))),
        }
    })?;
    // Anything else in the file would be left out of what is computed.
    match tensors
        .names()
        .iter()
        .find(|name| !is_of_block(config, name))
    {
        Some(other) => Err(AdapterError::OtherModel(beginning(other, SHOWN))),
        None if used == 0 => Err(AdapterError::Weights("it has no matrices".to_owned())),
        None => Ok(adapter),
    }
}

/// Whether [`read`] looks for a tensor of this name.
fn is_of_block(config: &Gpt2Config, name: &str) -> bool {
    let Some((block, rest)) = name.strip_prefix(PREFIX).and_then(|it| it.split_once('.')) else {
        return false;
    };
    let is_block = block
        .parse()
        .is_ok_and(|block: usize| block < config.n_layer);
    let is_map = LinearMap::ALL.iter().any(|map| {
        let rest = rest.strip_prefix(map.name());
        matches!(rest, Some(".lora_A.weight" | ".lora_B.weight"))
    });
    is_block && is_map
}

fn matrix(
    tensors: &SafeTensors,
    name: &str,
    shape: [usize; 2],
) -> Result<Option<Vec<f32>>, AdapterError> {
    let Ok(tensor) = tensors.tensor(name) else {
        return Ok(None);
    };
    if tensor.shape() != shape {
        return Err(AdapterError::OtherModel(name.to_owned()));
    }
    let stored = match tensor.dtype() {
        Dtype::F32 => StoredType::F32,
        Dtype::F16 => StoredType::F16,
        Dtype::BF16 => StoredType::BF16,
        other => {
            return Err(AdapterError::Unsupported(format!(
                "numbers of type {other:?}"
            )));
        }
    };
    let mut values = Vec::with_capacity(shape[0] * shape[1]);
    stored.decode(tensor.data(), &mut values);
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(Some(values)),
        false => Err(AdapterError::Weights(format!(
            "`{name}` has infinite numbers"
        ))),
    }
}
