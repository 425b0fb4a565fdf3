//! The small files of a bot's folder, laid out like a repository of the Hub, as `transformers` of 2020 and of today
//! reads them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::generate::params::GenerationParams;
use crate::json::decimal;
use crate::model::config::Gpt2Config;
use crate::tokenizer::Tokenizer;

use super::EngineError;

/// The generation parameters of a bot on this model: those of the published bots, whose texts begin after the model's own
/// opening token and fit into its context.
pub fn bot_params(config: &Gpt2Config, tokenizer: &Tokenizer) -> GenerationParams {
    let opening = config.opening_token();
    let params = GenerationParams {
        prefix: opening.map_or_else(String::new, |id| tokenizer.token_text(id)),
        ..GenerationParams::default()
    };
    params.clipped(config.n_ctx)
}

/// Name and content of every file but weights, card and runs.
///
/// # Errors
/// [`EngineError::Tokenizer`] if a part of the tokenizer cannot be written.
pub fn bot_files(
    config: &Gpt2Config,
    tokenizer: &Tokenizer,
    params: &GenerationParams,
) -> Result<Vec<(String, Vec<u8>)>, EngineError> {
    let gguf = tokenizer.to_gguf(config.vocab_size)?;
    let mut files = vec![
        ("config.json", pretty(&config_json(config, params))),
        (
            "generation_config.json",
            pretty(&generation_config(config, params)),
        ),
        ("tokenizer.json", tokenizer.to_json()?.into_bytes()),
    ];
    let is_byte_level = gguf.model == "gpt2";
    if is_byte_level {
        let ids = gguf.tokens.iter().enumerate();
        let vocab: BTreeMap<usize, &String> = ids.collect();
        // In the order of ids, as every tool writes it; a map of texts would sort by them.
        let entries = vocab
            .iter()
            .map(|(id, token)| format!("{}: {id}", Value::from(token.as_str())));
        let vocab = format!("{{{}}}", entries.collect::<Vec<_>>().join(", "));
        files.push(("vocab.json", vocab.into_bytes()));
        let merges = format!("#version: 0.2\n{}\n", gguf.merges.join("\n"));
        files.push(("merges.txt", merges.into_bytes()));
    }
    // transformers reads the vocabulary and merges alone of a GPT2Tokenizer's tokenizer.json, and the whole file of the other.
    let class = match is_byte_level && gguf.json.is_none() {
        true => "GPT2Tokenizer",
        false => "PreTrainedTokenizerFast",
    };
    let text = |id: Option<u32>| {
        id.map(|id| tokenizer.token_text(id))
            .filter(|it| !it.is_empty())
    };
    let bos = text(config.opening_token());
    let eos = text(config.eos_token_ids.first().copied()).or(bos.clone());
    let mut special = Map::new();
    for (key, token) in [
        ("bos_token", &bos),
        ("eos_token", &eos),
        ("unk_token", &eos),
    ] {
        if let Some(token) = token {
            special.insert(key.to_owned(), Value::from(token.as_str()));
        }
    }
    let mut of_tokenizer = special.clone();
    of_tokenizer.insert("add_prefix_space".to_owned(), gguf.adds_space_prefix.into());
    if gguf.splits_special_tokens {
        of_tokenizer.insert("split_special_tokens".to_owned(), true.into());
    }
    of_tokenizer.insert("model_max_length".to_owned(), config.n_ctx.into());
    of_tokenizer.insert("tokenizer_class".to_owned(), class.into());
    files.push((
        "tokenizer_config.json",
        pretty(&Value::Object(of_tokenizer)),
    ));
    files.push(("special_tokens_map.json", pretty(&Value::Object(special))));
    let named = files.into_iter();
    Ok(named
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect())
}

/// `config.json` as the published bots had it.
fn config_json(config: &Gpt2Config, params: &GenerationParams) -> Value {
    let mut json = config.to_json();
    for dropout in ["attn_pdrop", "embd_pdrop", "resid_pdrop"] {
        json[dropout] = 0.1.into();
    }
    json["initializer_range"] = 0.02.into();
    json["torch_dtype"] = "float32".into();
    json["use_cache"] = true.into();
    json["task_specific_params"] = json!({
        "text-generation": {
            "do_sample": params.do_sample,
            "max_length": params.max_length,
            "min_length": params.min_length,
            "prefix": params.prefix,
            "temperature": params.temperature,
            "top_p": decimal(params.top_p),
        }
    });
    json
}

/// The same for `transformers` since 5, which reads no `task_specific_params`.
fn generation_config(config: &Gpt2Config, params: &GenerationParams) -> Value {
    let json = config.to_json();
    json!({
        "bos_token_id": json["bos_token_id"],
        "do_sample": params.do_sample,
        "eos_token_id": json["eos_token_id"],
        "max_length": params.max_length,
        "min_length": params.min_length,
        "temperature": params.temperature,
        "top_k": params.top_k,
        "top_p": decimal(params.top_p),
    })
}

fn pretty(json: &Value) -> Vec<u8> {
    // A JSON value can always be written.
    let mut bytes = serde_json::to_vec_pretty(json).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
