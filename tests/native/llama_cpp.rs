//! llama.cpp reads the files of `quantize`: the same tokens, the same scores, the same greedy choice.
//!
//! llama.cpp is called through its Python package, in `python3` or the interpreter named by `HUGGINGTWEETS_PYTHON`.

use crate::support::checkpoints::{floats, ids, model_files};
use crate::support::shared::shared;
use crate::support::{program, python};
use huggingtweets::model::config::Gpt2Config;
use serde_json::{Value, json};
use std::path::Path;

/// Both programs round the inputs of a product to 8 bits, in different ways.
/// Largest difference seen: 0.03 of the widest logit.
const TOLERANCE: f32 = 0.05;
const DTYPES: [&str; 6] = ["q8_0", "q4_0", "q4_k", "q6_k", "f16", "f32"];
const PROMPT: &str = "My dream is";
const TEXTS: [&str; 6] = [
    "My dream is",
    "  Hello  world!\n\n\tI don't, you'll   ",
    "12345 🤖 naïve 東京 e\u{301} 👩\u{200d}🚀",
    "a<|endoftext|>b <|endoftext|>",
    "",
    "http://x.y/?z=1#_-_ ...!!!??? ｆｕｌｌ\u{a0}width",
];

fn llama_cpp(python: &str, model: &str, ids: &[u32]) -> Value {
    let question = json!({ "model": model, "ids": ids, "texts": TEXTS });
    python::ask(python, "ask_llama_cpp.py", &question)
}

/// Asserts that both programs make the same tokens of every text. `prefix`: the beginning of every text by the model's
/// own parameters, which llama.cpp puts in front too.
fn check_tokens(model: &str, prefix: &str, answer: &Value) {
    let tokenize = |text: &str| {
        let ours = program::json(&["tokenize", "--model", model, "--text", text]);
        ours["token_ids"].clone()
    };
    for (text, theirs) in TEXTS.iter().zip(answer["token_ids"].as_array().unwrap()) {
        assert_eq!(tokenize(text), *theirs, "{text:?}");
    }
    assert_eq!(answer["opened"], tokenize(&format!("{prefix}a")));
    assert_eq!(json!([answer["eos"]]), tokenize("<|endoftext|>"));
    assert_eq!(answer["is_eos_the_end"], true);
}

/// Compares both programs on `source`, whose texts begin with `prefix`, in one type.
fn check(python: &str, source: &Path, dtype: &str, prefix: &str) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("out.gguf");
    let model = model.to_str().unwrap();
    let source = source.to_str().unwrap();
    program::json(&["quantize", source, model, "--dtype", dtype, "--no-score"]);

    let args = ["--model", model, "--prompt", PROMPT];
    let scored = program::json(&[&["logits"], &args[..]].concat());
    let prompt = ids(&scored["token_ids"]);
    let greedy = [
        "--greedy",
        "--n",
        "1",
        "--max-new-tokens",
        "12",
        "--prefix",
        "",
    ];
    let texts = program::json(&[&["generate"], &args[..], &greedy].concat());
    let chosen = ids(&texts[0]["token_ids"]);
    assert!(chosen.len() > 5, "{chosen:?}");

    let answer = llama_cpp(python, model, &[&prompt[..], &chosen].concat());
    // The tokenizer is the same in every type.
    if dtype == DTYPES[0] {
        check_tokens(model, prefix, &answer);
    }
    let text = texts[0]["generated_text"].as_str().unwrap();
    // Generated ids may end inside a character.
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    assert!(
        answer["text"].as_str().unwrap().starts_with(text),
        "{answer} {text:?}"
    );

    let rows: Vec<_> = answer["logits"]
        .as_array()
        .unwrap()
        .iter()
        .map(floats)
        .collect();
    let ours = floats(&scored["logits"]);
    let theirs = &rows[prompt.len() - 1];
    let widest = theirs.iter().fold(0.0, |max, x| f32::max(max, x.abs()));
    let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    let apart = apart.fold(0.0, f32::max) / widest;
    // The token chosen here is the best there or equally good, except for an end of text before the minimum length.
    let eos = answer["eos"].as_u64().unwrap() as usize;
    let mut worst = 0.0;
    for (mut row, token_id) in rows.into_iter().skip(prompt.len() - 1).zip(&chosen) {
        if *token_id as usize != eos {
            row[eos] = f32::NEG_INFINITY;
        }
        let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        worst = f32::max(worst, (best - row[*token_id as usize]) / widest);
    }
    eprintln!("{dtype}: logits apart by {apart:.4}, choices by {worst:.4} of {widest:.1}");
    assert!(
        apart < TOLERANCE && worst < TOLERANCE,
        "{dtype}: {apart}, {worst}"
    );
}

#[test]
fn the_bundled_model_in_each_type_is_the_same_in_llama_cpp() {
    let Some(python) = python::with("llama_cpp") else {
        return;
    };
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/model/bundled.gguf");
    for dtype in DTYPES {
        check(&python, &model, dtype, "<|endoftext|>");
    }
}

/// 320 is no multiple of 256, as the 1600 of GPT-2 XL; the 1280 of the inner layer is one.
#[test]
fn gpt2s_vocabulary_and_mixed_types_are_the_same_in_llama_cpp() {
    let (Some(python), Some(tokenizer)) = (python::with("llama_cpp"), shared("data/gpt2-bpe"))
    else {
        return;
    };
    let config = Gpt2Config {
        vocab_size: 50257,
        n_ctx: 64,
        n_embd: 320,
        n_layer: 2,
        n_head: 5,
        n_inner: 1280,
        layer_norm_epsilon: 1e-5,
        bos_token_id: Some(50256),
        eos_token_ids: vec![50256],
        arithmetic: Default::default(),
    };
    let (config, weights) = model_files(&config);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("config.json", &config);
    write("model.safetensors", &weights);
    for name in ["vocab.json", "merges.txt"] {
        write(name, &std::fs::read(tokenizer.join(name)).unwrap());
    }
    for dtype in DTYPES {
        check(&python, folder.path(), dtype, "");
    }
}
