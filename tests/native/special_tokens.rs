//! The tokens that begin and end a text, as people's files state them.

use crate::support::tiny::{self, EOS, LOAD, VOCAB_SIZE, run};
use huggingtweets::engine::{Companions, Engine, ModelFile};
use huggingtweets::generate::GenerateError;
use huggingtweets::generate::Generation;
use huggingtweets::generate::params::GenerationParams;
use huggingtweets::model::config::Gpt2Config;
use huggingtweets::weights::gguf::Value as GgufValue;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::Arc;

/// The files of the tiny model: `config.json` with `changes` (a `null` in `without` removes the key), and a
/// `generation_config.json` if one is given. Its vocabulary has 261 tokens, the last of which is `<|endoftext|>`.
fn companions(changes: Value, generation_config: Option<Value>) -> Companions {
    let tokenizer = tiny::tokenizer();
    let tokens = tokenizer.tokens.iter().zip(0..);
    let vocab: serde_json::Map<String, Value> = tokens
        .map(|(token, id): (_, u32)| (token.clone(), json!(id)))
        .collect();
    let mut config = tiny::config().to_json();
    let keys = config.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value == "absent" {
            true => keys.remove(key),
            false => keys.insert(key.clone(), value.clone()),
        };
    }
    let merges = ["#version: 0.2".to_owned()];
    let merges = [&merges[..], &tokenizer.merges].concat().join("\n");
    let mut companions = Companions::default();
    companions.insert("config.json", config.to_string().into_bytes());
    companions.insert("vocab.json", serde_json::to_vec(&vocab).unwrap());
    companions.insert("merges.txt", merges.into_bytes());
    if let Some(stated) = generation_config {
        companions.insert("generation_config.json", stated.to_string().into_bytes());
    }
    companions
}

fn open(companions: &Companions) -> ModelFile {
    let weights = Box::new(Cursor::new(tiny::safetensors()));
    companions.open(vec![weights]).unwrap()
}

/// First token, end tokens, and the notices' texts.
fn ids(file: &ModelFile) -> (Option<u32>, Vec<u32>, Vec<String>) {
    let notices = file.notices.iter().map(ToString::to_string).collect();
    let Gpt2Config {
        bos_token_id,
        eos_token_ids,
        ..
    } = &file.config;
    (*bos_token_id, eos_token_ids.clone(), notices)
}

fn of_folder(
    changes: Value,
    generation_config: Option<Value>,
) -> (Option<u32>, Vec<u32>, Vec<String>) {
    ids(&open(&companions(changes, generation_config)))
}

const NONE: [String; 0] = [];

// https://github.com/QwenLM/Qwen/issues/1001
#[test]
fn several_tokens_end_a_text_and_generation_config_wins() {
    let of = |config: Value, generation: Option<Value>| {
        let (_, eos, notices) = of_folder(json!({ "eos_token_id": config }), generation);
        assert_eq!(notices, NONE);
        eos
    };
    assert_eq!(of(json!([EOS, 10]), None), [EOS, 10]);
    assert_eq!(of(json!(f64::from(EOS)), None), [EOS]);
    assert_eq!(
        of(json!(5), Some(json!({ "eos_token_id": [10, 11] }))),
        [10, 11]
    );
    assert_eq!(
        of(json!([5, 6]), Some(json!({ "eos_token_id": null }))),
        [5, 6]
    );
    assert_eq!(of(json!("absent"), Some(json!({ "eos_token_id": 7 }))), [7]);
    let (bos, ..) = of_folder(
        json!({ "bos_token_id": 5 }),
        Some(json!({ "bos_token_id": 6 })),
    );
    assert_eq!(bos, Some(6));
}

// https://github.com/stefan-it/german-gpt2/issues/9, https://github.com/dbiir/UER-py/issues/120
#[test]
fn an_id_that_cannot_be_drawn_is_passed_over_once_and_the_tokenizer_ends_the_text() {
    for (stated, told) in [
        (
            json!(VOCAB_SIZE),
            format!(
                "eos_token_id {VOCAB_SIZE} is passed over, because the vocabulary has 261 tokens"
            ),
        ),
        (
            json!(50256),
            "eos_token_id 50256 is passed over, because the vocabulary has 261 tokens".to_owned(),
        ),
        (json!(-1), "eos_token_id -1 is passed over".to_owned()),
        (
            json!("</s>"),
            "eos_token_id \"</s>\" is passed over".to_owned(),
        ),
        (json!([1.5]), "eos_token_id 1.5 is passed over".to_owned()),
    ] {
        let (_, eos, notices) = of_folder(json!({ "eos_token_id": stated }), None);
        assert_eq!(
            (eos, notices),
            (vec![EOS], vec![format!("config.json: {told}")])
        );
    }
    // Of several ids the others count, and config.json's where none of the other file's does.
    let (_, eos, notices) = of_folder(
        json!({ "eos_token_id": [900, 9] }),
        Some(json!({ "eos_token_id": [800] })),
    );
    assert_eq!((eos, notices.len()), (vec![9], 2));
    // Nothing is told of a default that no file states.
    for absent in [json!("absent"), Value::Null] {
        let (bos, eos, notices) = of_folder(
            json!({ "eos_token_id": absent, "bos_token_id": absent }),
            None,
        );
        assert_eq!((bos, eos, notices), (None, vec![EOS], Vec::new()));
    }
}

#[test]
fn the_tokenizers_files_name_the_end_of_a_text() {
    let mut companions = companions(json!({ "eos_token_id": null }), None);
    let map = json!({ "eos_token": { "content": "a", "lstrip": false } });
    companions.insert("special_tokens_map.json", map.to_string().into_bytes());
    assert_eq!(ids(&open(&companions)).1, [u32::from(b'a')]);
    companions.insert("tokenizer_config.json", br#"{"eos_token": "b"}"#.to_vec());
    assert_eq!(ids(&open(&companions)).1, [u32::from(b'b')]);
    // A token that the vocabulary lacks ends nothing.
    companions.insert(
        "tokenizer_config.json",
        br#"{"eos_token": "no such token"}"#.to_vec(),
    );
    companions.insert("special_tokens_map.json", b"{}".to_vec());
    let (_, eos, _) = ids(&open(&companions));
    assert!(eos.iter().all(|id| (*id as usize) < VOCAB_SIZE), "{eos:?}");
}

#[test]
fn without_any_end_texts_end_by_length_and_that_is_told() {
    let mut files = companions(json!({ "eos_token_id": null, "bos_token_id": null }), None);
    // Only tokenizers like GPT-2's have an end of text without naming it.
    let json = json!({
        "version": "1.0", "added_tokens": [],
        "model": { "type": "WordLevel", "vocab": { "a": 0, "b": 1 }, "unk_token": "b" },
        "pre_tokenizer": { "type": "Whitespace" },
    });
    files.insert("tokenizer.json", json.to_string().into_bytes());
    let file = open(&files);
    let (bos, eos, notices) = ids(&file);
    assert_eq!((bos, eos), (None, Vec::new()));
    assert_eq!(
        notices,
        ["config.json: no token ends a text, so every text ends by its length"]
    );
    // A text without a prompt needs a token to begin after.
    let mut engine = Engine::new();
    engine.load_model_file(LOAD, file, "tiny", 1, 0.0);
    run(&mut engine);
    let model = engine.open_model().unwrap();
    let params = GenerationParams::of_the_library();
    let begin = |prompt| {
        let (model, tokenizer) = (Arc::clone(&model.model), Arc::clone(&model.tokenizer));
        Generation::new(model, tokenizer, prompt, &params, 1).map(|_| ())
    };
    assert!(matches!(begin(""), Err(GenerateError::EmptyText)));
    begin("a").unwrap();
}

#[test]
fn a_gguf_without_ids_ends_as_its_tokenizer_says() {
    let keys = ["tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"];
    type Change<'c> = &'c dyn Fn(&mut Vec<(String, GgufValue)>);
    let opened = |change: Change<'_>| {
        let bytes = tiny::gguf(|metadata| change(metadata));
        ids(&ModelFile::from_gguf(Box::new(Cursor::new(bytes))).unwrap())
    };
    let without = opened(&|metadata| metadata.retain(|(key, _)| !keys.contains(&key.as_str())));
    assert_eq!(without, (None, vec![EOS], Vec::new()));
    let beyond = opened(&|metadata| {
        for (key, value) in metadata {
            if keys.contains(&key.as_str()) {
                *value = GgufValue::UInt(50256);
            }
        }
    });
    assert_eq!((beyond.0, beyond.1, beyond.2.len()), (None, vec![EOS], 2));
    // The tokens that end a turn and a message end a text in llama.cpp too.
    let more = opened(&|metadata| {
        metadata.push((
            "tokenizer.ggml.eot_token_id".to_owned(),
            GgufValue::UInt(10),
        ));
    });
    assert_eq!(more, (Some(EOS), vec![EOS, 10], Vec::new()));
}

#[test]
fn the_gguf_of_a_folder_has_its_ids_settings_and_notices() {
    use huggingtweets::engine::conversion;
    use huggingtweets::kernels::pack::WeightType;
    let stated = json!({
        "eos_token_id": [EOS, 10, 11, 12, 13], "no_repeat_ngram_size": 2, "bad_words_ids": [[1, 2], [3]],
        "num_beams": 3, "early_stopping": true, "top_k": -8, "do_sample": true, "penalty_alpha": 0.6,
    });
    let companions = companions(json!({}), Some(stated));
    let folder = open(&companions);
    let (mut conversion, notices) =
        conversion::of_floats(&companions, "tiny", WeightType::F32, 1, None).unwrap();
    let mut bytes = Vec::new();
    conversion.push(&tiny::safetensors(), &mut bytes).unwrap();
    conversion.end_file().unwrap();
    let gguf = ModelFile::from_gguf(Box::new(Cursor::new(bytes))).unwrap();
    assert_eq!(gguf.config, folder.config);
    assert_eq!(gguf.config.eos_token_ids, [EOS, 10, 11, 12, 13]);
    assert_eq!(gguf.defaults, folder.defaults);
    assert_eq!(gguf.notices, folder.notices);
    assert_eq!(notices, folder.notices);
    let told: Vec<String> = notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "generation_config.json: penalty_alpha 0.6 is passed over",
            "generation_config.json: top_k -8 is passed over",
        ]
    );
}

#[test]
fn a_configuration_states_its_ids_as_config_json_does() {
    for (eos, written) in [
        (vec![], Value::Null),
        (vec![5], json!(5)),
        (vec![5, 6], json!([5, 6])),
    ] {
        let config = Gpt2Config {
            bos_token_id: None,
            eos_token_ids: eos,
            ..tiny::config()
        };
        let sent = serde_json::to_value(&config).unwrap();
        assert_eq!(
            (&sent["eos_token_id"], &sent["bos_token_id"]),
            (&written, &Value::Null)
        );
        assert_eq!(serde_json::from_value::<Gpt2Config>(sent).unwrap(), config);
        let json = config.to_json();
        assert_eq!(json["eos_token_id"], written);
        let read = Gpt2Config::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(read, config);
    }
}
