//! The metadata of a GPT-2 in a GGUF: reads the configuration, writes configuration and tokenizer.

use super::error::{WeightsError, shown};
use super::gguf::{Header, Value, wrong_type};
use crate::kernels::pack::WeightType;
use crate::model::ModelError;
use crate::model::config::{Activation, Arithmetic, Gpt2Config};
use crate::notice::Notice;
use crate::shown::beginning;

const ARCHITECTURE: &str = "general.architecture";
const N_CTX: &str = "gpt2.context_length";
const N_EMBD: &str = "gpt2.embedding_length";
const N_LAYER: &str = "gpt2.block_count";
const N_INNER: &str = "gpt2.feed_forward_length";
const N_HEAD: &str = "gpt2.attention.head_count";
const EPSILON: &str = "gpt2.attention.layer_norm_epsilon";
/// The key of the token that begins a text.
pub const BOS: &str = "tokenizer.ggml.bos_token_id";
const EOS: &str = "tokenizer.ggml.eos_token_id";
/// Two more tokens at which llama.cpp ends a text.
const EOT: &str = "tokenizer.ggml.eot_token_id";
const EOM: &str = "tokenizer.ggml.eom_token_id";
/// All tokens that end a text, where they are several: GGUF has keys for three.
const ALL_EOS: &str = "huggingtweets.eos_token_ids";

/// The keys of the tokens that end a text.
pub const EOS_KEYS: [&str; 4] = [EOS, EOT, EOM, ALL_EOS];
/// Keys of this program, because GGUF has none for them: what differs from plain GPT-2's arithmetic, as in config.json.
const ACTIVATION: &str = "huggingtweets.activation_function";
const SCALE: &str = "huggingtweets.scale_attn_weights";
const SCALE_BY_LAYER: &str = "huggingtweets.scale_attn_by_inverse_layer_idx";

/// Refuses a file that holds a part of a model, or what changes one.
///
/// # Errors
/// [`WeightsError::SplitGguf`], [`WeightsError::Adapter`].
pub(super) fn check_is_whole_model(header: &Header) -> Result<(), WeightsError> {
    let number = |key: &str| header.metadata.get(key).and_then(Value::as_u64);
    if let Some(count) = number("split.count")
        && count > 1
    {
        let number = number("split.no").unwrap_or_default().saturating_add(1);
        return Err(WeightsError::SplitGguf { number, count });
    }
    match header.metadata.get("general.type").and_then(Value::as_str) {
        Some("adapter") => Err(WeightsError::Adapter),
        _ => Ok(()),
    }
}

/// The metadata of a GPT-2 with matrices of type `dtype`: name, shape, first and last token of a text; `more`, which
/// holds the tokenizer, is appended.
pub fn gpt2_metadata(
    name: &str,
    config: &Gpt2Config,
    dtype: WeightType,
    more: Vec<(String, Value)>,
) -> Vec<(String, Value)> {
    let size = |n: usize| Value::UInt(n as u64);
    let text = |text: &str| Value::String(text.to_owned());
    // llama.cpp's `llama_ftype`.
    let file_type = match dtype {
        WeightType::F32 => 0,
        WeightType::F16 => 1,
        WeightType::Q4_0 => 2,
        WeightType::Q8_0 => 7,
        WeightType::Q4K => 14,
        WeightType::Q6K => 18,
    };
    let mut metadata: Vec<(String, Value)> = [
        (ARCHITECTURE, text("gpt2")),
        ("general.name", text(name)),
        ("general.file_type", size(file_type)),
        ("general.quantization_version", size(2)),
        (N_CTX, size(config.n_ctx)),
        (N_EMBD, size(config.n_embd)),
        (N_LAYER, size(config.n_layer)),
        (N_INNER, size(config.n_inner)),
        (N_HEAD, size(config.n_head)),
        (EPSILON, Value::Float(f64::from(config.layer_norm_epsilon))),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    metadata.extend(arithmetic_metadata(&config.arithmetic));
    let id = |id: u32| Value::UInt(u64::from(id));
    let eos = &config.eos_token_ids;
    let mut push = |key: &str, value| metadata.push((key.to_owned(), value));
    if let Some(bos) = config.bos_token_id {
        push(BOS, id(bos));
    }
    for (key, eos) in [EOS, EOT, EOM].into_iter().zip(eos) {
        push(key, id(*eos));
    }
    if eos.len() > 1 {
        let all = eos.iter().filter_map(|eos| i32::try_from(*eos).ok());
        push(ALL_EOS, Value::Ints(all.collect()));
    }
    metadata.extend(more);
    metadata
}

/// The ids that a value names; what is no id is left out.
fn ids(value: Option<&Value>) -> Vec<u32> {
    let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
    match value {
        Some(Value::Ints(list)) => list.iter().filter_map(|n| u32::try_from(*n).ok()).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(id).collect(),
        Some(one) => id(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The settings that differ from plain GPT-2's.
fn arithmetic_metadata(arithmetic: &Arithmetic) -> Vec<(String, Value)> {
    let (plain, name) = (
        Arithmetic::default(),
        arithmetic.activation_function.name().to_owned(),
    );
    let (scale, by_layer) = (
        arithmetic.scale_attn_weights,
        arithmetic.scale_attn_by_inverse_layer_idx,
    );
    let settings = [
        (
            ACTIVATION,
            Value::String(name),
            arithmetic.activation_function != plain.activation_function,
        ),
        (SCALE, Value::Bool(scale), scale != plain.scale_attn_weights),
        (
            SCALE_BY_LAYER,
            Value::Bool(by_layer),
            by_layer != plain.scale_attn_by_inverse_layer_idx,
        ),
    ];
    let changed = settings
        .into_iter()
        .filter(|(_, _, is_changed)| *is_changed);
    changed
        .map(|(key, value, _)| (key.to_owned(), value))
        .collect()
}

/// The arithmetic in the metadata of a GGUF.
///
/// # Errors
/// [`WeightsError::WrongKeyType`]; [`WeightsError::Config`] for an unknown function.
fn arithmetic(header: &Header) -> Result<Arithmetic, WeightsError> {
    let plain = Arithmetic::default();
    let flag = |key: &str, default: bool| match header.metadata.get(key) {
        None => Ok(default),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong_type(key, "true or false")),
    };
    let activation = match header.metadata.get(ACTIVATION) {
        None => plain.activation_function,
        Some(value) => {
            let name = value
                .as_str()
                .ok_or_else(|| wrong_type(ACTIVATION, "text"))?;
            Activation::of_name(name).ok_or_else(|| ModelError::UnsupportedOption {
                option: "activation_function",
                value: shown(name),
            })?
        }
    };
    Ok(Arithmetic {
        activation_function: activation,
        scale_attn_weights: flag(SCALE, plain.scale_attn_weights)?,
        scale_attn_by_inverse_layer_idx: flag(
            SCALE_BY_LAYER,
            plain.scale_attn_by_inverse_layer_idx,
        )?,
    })
}

/// The configuration in the metadata of a GGUF.
///
/// # Errors
/// [`WeightsError::UnsupportedModel`] for another architecture, [`WeightsError::MissingKey`],
/// [`WeightsError::WrongKeyType`], [`WeightsError::MissingTensor`] without the embedding, whose rows are the
/// vocabulary's size, [`WeightsError::Config`].
pub(super) fn config(header: &Header) -> Result<Gpt2Config, WeightsError> {
    match header.value(ARCHITECTURE)?.as_str() {
        Some("gpt2") => {}
        other => {
            return Err(WeightsError::UnsupportedModel {
                architecture: beginning(other.unwrap_or("unnamed"), 40),
            });
        }
    }
    let epsilon = header
        .value(EPSILON)?
        .as_f64()
        .ok_or_else(|| wrong_type(EPSILON, "a number"))?;
    let embedding =
        header
            .tensors
            .get("token_embd.weight")
            .ok_or_else(|| WeightsError::MissingTensor {
                name: "token_embd.weight".to_owned(),
            })?;
    let mut eos_token_ids = Vec::new();
    for id in EOS_KEYS
        .iter()
        .flat_map(|key| ids(header.metadata.get(*key)))
    {
        if !eos_token_ids.contains(&id) {
            eos_token_ids.push(id);
        }
    }
    let config = Gpt2Config {
        vocab_size: usize::try_from(embedding.dims.get(1).copied().unwrap_or(1))
            .unwrap_or(usize::MAX),
        n_ctx: header.size(N_CTX)?,
        n_embd: header.size(N_EMBD)?,
        n_layer: header.size(N_LAYER)?,
        n_head: header.size(N_HEAD)?,
        n_inner: header.size(N_INNER)?,
        layer_norm_epsilon: epsilon as f32,
        bos_token_id: ids(header.metadata.get(BOS)).first().copied(),
        eos_token_ids,
        arithmetic: arithmetic(header)?,
    };
    Ok(config.validated()?)
}

/// The notice that llama.cpp computes another function than the model's.
pub(super) fn notice_of_llama_cpp(config: &Gpt2Config) -> Option<Notice> {
    let changes = config.arithmetic.changes();
    (!config.arithmetic.is_plain()).then(|| {
        Notice::new(
            "config.json",
            format!(
                "{changes}: the GGUF says so under keys of this program; llama.cpp has no such setting for GPT-2, \
                 and will write other texts with it"
            ),
        )
    })
}
