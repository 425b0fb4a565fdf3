//! The tokens that begin and end a model's texts, found in its files as people write them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::json;
use crate::model::config::Gpt2Config;
use crate::model::token_ids::TokenIds;
use crate::notice::Notice;
use crate::tokenizer::{END_OF_TEXT, Tokenizer};
use crate::weights::gguf::Value;
use crate::weights::gguf_metadata::{BOS, EOS_KEYS};

const CONFIG: &str = "config.json";
const GENERATION_CONFIG: &str = "generation_config.json";

/// The name of a GGUF in a notice: its reader does not know what the file is called.
pub const GGUF: &str = "the GGUF";

/// Sets the ids in `config` by the files of a folder, and tells which of the stated ids are passed over.
///
/// `files`: bytes of `config.json` and `generation_config.json`. As in `transformers`, the second wins. If neither has an
/// id that can be drawn, the tokenizer's own token ends a text; `eos_token` is its text, where the tokenizer's files name
/// it.
pub fn of_folder(
    config: &mut Gpt2Config,
    files: (&[u8], Option<&[u8]>),
    tokenizer: &Tokenizer,
    eos_token: Option<&str>,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let files = [(GENERATION_CONFIG, files.1), (CONFIG, Some(files.0))];
    let files = files.map(|(name, bytes)| {
        let object: Option<Map<String, Json>> =
            bytes.and_then(|bytes| json::from_slice(bytes).ok());
        (name, object.unwrap_or_default())
    });
    let mut stated = |key: &str| {
        files.iter().find_map(|(name, object)| {
            let ids = drawable(object.get(key)?, name, key, config.vocab_size, &mut notices);
            (!ids.is_empty()).then_some(ids)
        })
    };
    // Without a key the configuration has the default of `transformers`, which `config.json`'s reader knows.
    let (bos, eos) = (stated("bos_token_id"), stated("eos_token_id"));
    if let Some(bos) = bos {
        config.bos_token_id = bos.first().copied();
    }
    if let Some(eos) = eos {
        config.eos_token_ids = eos;
    }
    end_by_tokenizer(config, tokenizer, eos_token);
    notices.extend(without_end(config, CONFIG));
    notices
}

/// Completes the ids in `config`, which was read from a GGUF, and tells which of the stated ids are passed over.
pub fn of_gguf(
    config: &mut Gpt2Config,
    metadata: &BTreeMap<String, Value>,
    tokenizer: &Tokenizer,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    for key in EOS_KEYS.into_iter().chain([BOS]) {
        if let Some(value) = metadata.get(key) {
            drawable(&value.to_json(), GGUF, key, config.vocab_size, &mut notices);
        }
    }
    end_by_tokenizer(config, tokenizer, None);
    if config.eos_token_ids.is_empty() {
        // Most GPT-2 begin and end a text with the same token.
        config.eos_token_ids.extend(config.bos_token_id);
    }
    notices.extend(without_end(config, GGUF));
    notices
}

/// The ids of a value that a text can have; a notice tells of the others.
fn drawable(
    value: &Json,
    file: &str,
    key: &str,
    vocab_size: usize,
    notices: &mut Vec<Notice>,
) -> Vec<u32> {
    let read = TokenIds::of(value);
    let mut ids = read.ids;
    for other in &read.others {
        notices.push(Notice::passed_over(file, key, other));
    }
    ids.retain(|id| {
        let is_token = (*id as usize) < vocab_size;
        if !is_token {
            notices.push(Notice::beyond(file, key, *id, vocab_size));
        }
        is_token
    });
    ids
}

fn end_by_tokenizer(config: &mut Gpt2Config, tokenizer: &Tokenizer, eos_token: Option<&str>) {
    if config.eos_token_ids.is_empty() {
        let names = eos_token.into_iter().chain([END_OF_TEXT]);
        let id = names.filter_map(|name| tokenizer.token_id(name)).next();
        let id = id.filter(|id| (*id as usize) < config.vocab_size);
        config.eos_token_ids.extend(id);
    }
}

fn without_end(config: &Gpt2Config, file: &str) -> Option<Notice> {
    let fact = "no token ends a text, so every text ends by its length";
    config
        .eos_token_ids
        .is_empty()
        .then(|| Notice::new(file, fact))
}
