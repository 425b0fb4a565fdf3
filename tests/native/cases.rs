//! Model folders as people have them, rebuilt from public reports: `cases/make_models.py` beside the repository.
//!
//! The folders are made with `python3`, or the interpreter that `HUGGINGTWEETS_PYTHON` names; it needs numpy and gguf.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::program::json;
use crate::support::shared::{shared, skipped};

/// The folders of these cases; `None`, said aloud, where they cannot be made.
fn made(cases: &[&str]) -> Option<tempfile::TempDir> {
    let script = shared("cases/make_models.py")?;
    let python = std::env::var("HUGGINGTWEETS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = Command::new(&python)
        .args(["-c", "import numpy, gguf"])
        .stderr(Stdio::null())
        .status();
    if !import.is_ok_and(|status| status.success()) {
        skipped(&format!(
            "`{python}` has no numpy or gguf; `pip install numpy gguf`, or set HUGGINGTWEETS_PYTHON to a python that has them"
        ));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(&python)
        .arg("-B")
        .arg(script)
        .args(cases)
        .env("CASES", folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(folder)
}

fn ids(model: &Path, text: &str) -> Vec<u32> {
    let model = model.to_str().unwrap();
    let answer = json(&["tokenize", "--model", model, "--text", text]);
    serde_json::from_value(answer["token_ids"].clone()).unwrap()
}

/// The greedy text of at most five tokens after a prompt, without a prefix.
fn text(model: &Path, prompt: &str) -> String {
    let model = model.to_str().unwrap();
    let answer = json(&[
        "generate",
        "--model",
        model,
        "--prompt",
        prompt,
        "--prefix",
        "",
        "--greedy",
        "--n",
        "1",
        "--max-new-tokens",
        "5",
    ]);
    answer[0]["generated_text"].as_str().unwrap().to_owned()
}

#[test]
fn the_folders_of_the_reports_and_the_ggufs_made_of_them_have_the_same_tokens_and_texts() {
    /// Case, texts with their ids, and a prompt with the greedy text after it.
    type Case<'c> = (&'c str, &'c [(&'c str, &'c [u32])], (&'c str, &'c str));
    const CASES: [Case<'_>; 6] = [
        // https://github.com/ggml-org/llama.cpp/issues/15842
        (
            "c31-quantize-loses-added",
            &[("<|startoftext|>Hello<|user|>", &[50257, 15496, 50258])],
            ("Hello", "Hello my dream is<|user|>"),
        ),
        (
            "c06-gguf-control-tokens/bot.gguf",
            &[("<|startoftext|>Hello<|user|>", &[50257, 15496, 50258])],
            (
                "<|startoftext|>Hello",
                "<|startoftext|>Hello my dream is<|user|>",
            ),
        ),
        // https://github.com/ggml-org/ggml/issues/371
        (
            "c04-added-tokens-json",
            &[("<|startoftext|>Hello<|pad|>", &[50257, 15496, 50258])],
            ("<|startoftext|>Hello", "<|startoftext|>Hello my dream is"),
        ),
        // https://github.com/huggingface/transformers/issues/2155, https://github.com/huggingface/transformers/issues/7901
        (
            "c05-slash-s",
            &[("<s>hi</s>", &[0, 76, 77, 2])],
            ("h", "hhi"),
        ),
        // https://github.com/huggingface/transformers/issues/33371
        (
            "c15-added-flags",
            &[
                ("a <mask> b", &[64, 50257, 275]),
                ("a <sep> b", &[64, 50258, 65]),
                (
                    "xqrobot xqbot xqbots",
                    &[87, 80, 305, 13645, 220, 50259, 2124, 80, 42478],
                ),
            ],
            ("a", "a"),
        ),
        // https://github.com/huggingface/tokenizers/issues/1392
        (
            "c13-added-accent",
            &[("il\u{d6}veyou \u{111}em", &[50257, 220, 50258])],
            ("Hello", "Helloil\u{d6}veyou\u{111}em"),
        ),
    ];
    let names = CASES.map(|(case, ..)| case.split('/').next().unwrap());
    let Some(folder) = made(&names) else { return };
    for (case, texts, (prompt, continued)) in CASES {
        let model = folder.path().join(case);
        let gguf = folder.path().join("made.gguf");
        let (from, to) = (model.to_str().unwrap(), gguf.to_str().unwrap());
        json(&["quantize", from, to, "--dtype", "f32", "--no-score"]);
        for model in [&model, &gguf] {
            for (text, expected) in texts {
                assert_eq!(ids(model, text), *expected, "{case}: {text:?}");
            }
            assert_eq!(text(model, prompt), continued, "{case}");
        }
    }
}

/// <https://github.com/minimaxir/gpt-2-simple/issues/178>
#[test]
fn the_first_names_of_vocabulary_and_merges_are_known() {
    let Some(folder) = made(&["c22-no-tokenizer"]) else {
        return;
    };
    let model = folder.path().join("c22b-encoder-json");
    assert_eq!(ids(&model, "My dream is"), [3666, 4320, 318]);
}
