//! `finetune` and `runs`: the bot learns, its folder opens in other programs with the same texts, its runs open in readers
//! of TensorBoard's files.
//!
//! Python is called as `python3` or by the name in `HUGGINGTWEETS_PYTHON`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::author;
use crate::support::program::huggingtweets;
use crate::support::python;
use serde_json::{Value, json};
use tempfile::TempDir;

const PROMPT: &str = "Dear gulls,";
const N: usize = 40;

/// The document that `--json` prints. Notes on standard error, such as of little text, are allowed.
fn json(args: &[&str]) -> Value {
    let output = huggingtweets(&[args, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder with the author's posts, one per line.
fn posts(n: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harbour.txt");
    fs::write(&path, author::posts(n, 1).join("\n")).unwrap();
    (folder, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Trains on the posts and gives the result.
fn finetune(data: &Path, out: &Path, more: &[&str]) -> Value {
    let args = [
        "finetune",
        "--data",
        text(data),
        "--out",
        text(out),
        "--seed",
        "7",
    ];
    json(&[&args, more].concat())
}

/// The ids of the prompt behind its prefix, and the new tokens of the most probable text.
fn greedy(model: &Path) -> (Value, Vec<u64>) {
    let prompt = format!("<|endoftext|>{PROMPT}");
    let ids = json(&["tokenize", "--model", text(model), "--text", &prompt]);
    let n = N.to_string();
    let options = ["--greedy", "--max-new-tokens", &n, "--min-length", "0"];
    let args = ["generate", "--model", text(model), "--prompt", PROMPT];
    let texts = json(&[&args[..], &options].concat());
    let tokens = texts[0]["token_ids"].as_array().unwrap();
    let tokens: Vec<u64> = tokens.iter().map(|id| id.as_u64().unwrap()).collect();
    (ids["token_ids"].clone(), tokens)
}

/// The tokens before the end of text, where programs differ in whether they give it too.
fn before_end(tokens: &Value, eos: u64) -> Vec<u64> {
    let tokens = tokens.as_array().unwrap().iter();
    let tokens = tokens.map(|id| id.as_u64().unwrap());
    tokens.take_while(|id| *id != eos).collect()
}

fn eos_of(folder: &Path) -> u64 {
    let config = fs::read(folder.join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    config["eos_token_id"].as_u64().unwrap()
}

fn bits_per_byte(model: Option<&Path>, held_out: &Path) -> f64 {
    let model = model.map(|model| ["--model", text(model)]);
    let args = ["perplexity", "--text-file", text(held_out)];
    let args = [&args[..], model.as_ref().map_or(&[], |it| &it[..])].concat();
    json(&args)["bits_per_byte"].as_f64().unwrap()
}

#[test]
fn the_bundled_model_learns_an_author_of_strong_habits() {
    let (folder, data) = posts(150);
    let out = folder.path().join("bot");
    let held_out = folder.path().join("held_out.txt");
    fs::write(&held_out, author::posts(40, 2).join("\n\n")).unwrap();
    let trained = finetune(&data, &out, &["--epochs", "2"]);
    eprintln!("{trained}");
    assert!(trained["last_loss"].as_f64() < trained["first_loss"].as_f64());
    let before = bits_per_byte(None, &held_out);
    let after = bits_per_byte(Some(&out), &held_out);
    eprintln!(
        "bits per byte {before:.3} to {after:.3}: {:.1} % less",
        100.0 * (1.0 - after / before)
    );
    assert!(after <= 0.75 * before, "{before} to {after}");
    let texts = json(&[
        "generate",
        "--model",
        text(&out),
        "--prompt",
        "Dear",
        "--n",
        "5",
        "--seed",
        "1",
    ]);
    let texts: Vec<&str> = texts
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["generated_text"].as_str().unwrap())
        .collect();
    let with_habit = texts.iter().filter(|it| it.contains("harbourlife")).count();
    assert!(with_habit >= 3, "{texts:#?}");
}

#[test]
#[ignore = "PyTorch takes minutes beside other work"]
fn held_out_posts_are_predicted_as_after_pytorchs_training() {
    let (folder, data) = posts(150);
    let out = folder.path().join("bot");
    let held_out = folder.path().join("held_out.txt");
    fs::write(&held_out, author::posts(40, 2).join("\n\n")).unwrap();
    let trained = finetune(&data, &out, &["--epochs", "2"]);
    let before = bits_per_byte(None, &held_out);
    let after = bits_per_byte(Some(&out), &held_out);
    let Some(python) = python::with("torch") else {
        return;
    };
    // The base as a folder: a training that changes nothing.
    let base = folder.path().join("base");
    finetune(
        &data,
        &base,
        &[
            "--lr", "0", "--epochs", "1", "--block", "8", "--batch", "1000",
        ],
    );
    let dataset = folder.path().join("text.txt");
    json(&[
        "dataset",
        text(&data),
        "--seed",
        "7",
        "--out",
        text(&dataset),
    ]);
    let question = json!({
        "folder": base, "seed": 7, "text": fs::read_to_string(&dataset).unwrap(), "held_out": author::posts(40, 2),
    });
    let theirs = python::ask(&python, "train_as_huggingtweets.py", &question);
    eprintln!("PyTorch: {theirs}");
    assert_eq!(theirs["steps"], trained["steps"]);
    let (their_before, their_after) = (
        theirs["before"].as_f64().unwrap(),
        theirs["after"].as_f64().unwrap(),
    );
    // The base there has unpacked weights and exact inputs.
    assert!(
        (before / their_before - 1.0).abs() < 0.02,
        "{before}, {their_before}"
    );
    assert!(
        (after / their_after - 1.0).abs() < 0.1,
        "{after}, {their_after}"
    );
}

#[test]
fn a_bot_is_laid_out_like_a_repository_of_the_hub() {
    let (folder, data) = posts(120);
    let out = folder.path().join("bot");
    finetune(&data, &out, &["--epochs", "1"]);
    let mut names: Vec<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "README.md",
            "config.json",
            "generation_config.json",
            "harbour-q8_0.gguf",
            "merges.txt",
            "model.safetensors",
            "runs",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.json",
        ]
    );
    let read = |name: &str| fs::read(out.join(name)).unwrap();
    let config: Value = serde_json::from_slice(&read("config.json")).unwrap();
    assert_eq!(
        config["task_specific_params"]["text-generation"],
        json!({
            "do_sample": true, "max_length": 129, "min_length": 10, "temperature": 1.0, "top_p": 0.95,
            "prefix": "<|endoftext|>",
        })
    );
    let card = String::from_utf8(read("README.md")).unwrap();
    assert!(card.contains("| Tweets kept | 120 |"), "{card}");
    // A second training into the same folder keeps the runs of the first.
    let again = ["--epochs", "1", "--block", "64", "--consent", "agreed"];
    finetune(&data, &out, &again);
    let runs = json(&["runs", "list", text(&out)]);
    let runs = runs.as_array().unwrap();
    let kinds: Vec<&str> = runs
        .iter()
        .map(|it| it["job_type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds.iter().filter(|it| **it == "train").count(),
        2,
        "{runs:?}"
    );
    assert_eq!(
        kinds.iter().filter(|it| **it == "preprocess").count(),
        2,
        "{runs:?}"
    );
    // Whose posts they are is on the record only where it was said.
    let said = runs
        .iter()
        .filter(|it| it["job_type"] == "preprocess")
        .map(|it| {
            let run = json(&["runs", "show", text(&out), it["id"].as_str().unwrap()]);
            run["run"]["config"]["consent"].clone()
        });
    assert_eq!(said.collect::<Vec<_>>(), [Value::Null, "agreed".into()]);
    let trains: Vec<&Value> = runs.iter().filter(|it| it["job_type"] == "train").collect();
    assert_eq!(
        trains[0]["inputs"],
        json!(["dataset-harbour:v0", "pretrained-bundled:v0"])
    );
    assert_eq!(trains[0]["outputs"], json!(["model-harbour:v0"]));
    assert_eq!(trains[1]["outputs"], json!(["model-harbour:v1"]));
    let id = |i: usize| trains[i]["id"].as_str().unwrap();
    let compared = json(&["runs", "compare", text(&out), id(0), id(1)]);
    let differing: Vec<&str> = compared["config"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(differing.contains(&"training.block_len"), "{differing:?}");
    let shown = json(&["runs", "show", text(&out), id(0)]);
    assert_eq!(shown["run"]["metrics"][0]["step"], 1);
    assert_eq!(
        shown["artifacts"][2]["files"][0]["name"],
        "model.safetensors"
    );
}

#[test]
fn a_training_killed_between_steps_ends_with_the_same_weights() {
    let (folder, data) = posts(120);
    let whole = folder.path().join("whole");
    finetune(&data, &whole, &["--epochs", "2"]);
    let checkpoint = folder.path().join("state");
    let out = folder.path().join("bot");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args([
            "finetune",
            "--data",
            text(&data),
            "--out",
            text(&out),
            "--seed",
            "7",
            "--epochs",
            "2",
        ])
        .args(["--checkpoint", text(&checkpoint), "--checkpoint-every", "1"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !checkpoint.is_file() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its first checkpoint"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.exists());
    finetune(
        &data,
        &out,
        &["--epochs", "2", "--checkpoint", text(&checkpoint)],
    );
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(weights(&out) == weights(&whole), "the weights differ");
    assert!(!checkpoint.exists());
    let metrics = |folder: &Path| {
        let runs = json(&["runs", "list", text(folder)]);
        let train = runs
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["job_type"] == "train")
            .unwrap();
        let shown = json(&["runs", "show", text(folder), train["id"].as_str().unwrap()]);
        let metrics = shown["run"]["metrics"].as_array().unwrap().iter();
        metrics
            .map(|it| it["step"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(metrics(&out), metrics(&whole));
}

#[test]
fn a_full_bot_writes_the_same_in_transformers_and_llama_cpp() {
    let (folder, data) = posts(120);
    let out = folder.path().join("bot");
    finetune(&data, &out, &["--epochs", "2", "--dtype", "f32"]);
    let (ids, ours) = greedy(&out);
    assert!(ours.len() > 10, "{ours:?}");
    let eos = eos_of(&out);
    let ours = before_end(&json!(ours), eos);
    let prompt = format!("<|endoftext|>{PROMPT}");
    if let Some(python) = python::with("transformers") {
        let texts = ["It's 12 o'clock, naïve 東京 🤖", "  two  spaces\n\nlines"];
        let question = json!({ "ask": "transformers", "folder": out, "prompt": prompt, "n": N, "texts": texts });
        let theirs = python::ask(&python, "ask_bot.py", &question);
        eprintln!("{theirs}");
        assert_eq!(theirs["prompt"], ids);
        assert_eq!(before_end(&theirs["greedy"], eos), ours);
        assert_eq!(theirs["model_max_length"], 128);
        assert_eq!(theirs["eos"], "<|endoftext|>");
        assert_eq!(theirs["generation"], json!([true, 129, 10, 0.95]));
        for (text_, theirs) in texts.iter().zip(theirs["texts"].as_array().unwrap()) {
            let tokens = json(&["tokenize", "--model", text(&out), "--text", text_]);
            assert_eq!(tokens["token_ids"], *theirs, "{text_}");
        }
    }
    if let Some(python) = python::with("llama_cpp") {
        let model = out.join("harbour-f32.gguf");
        let question = json!({ "ask": "llama_cpp", "model": model, "ids": ids, "n": N });
        let theirs = python::ask(&python, "ask_bot.py", &question);
        assert_eq!(before_end(&theirs["greedy"], eos), ours);
    }
}

#[test]
fn an_adapter_writes_the_same_in_peft_and_llama_cpp() {
    let (folder, data) = posts(120);
    let (base, out) = (folder.path().join("base"), folder.path().join("bot"));
    finetune(
        &data,
        &base,
        &[
            "--lr", "0", "--epochs", "1", "--block", "8", "--batch", "1000", "--dtype", "f32",
        ],
    );
    let lora = [
        "--method",
        "lora",
        "--base",
        text(&base),
        "--epochs",
        "2",
        "--dtype",
        "f32",
    ];
    finetune(&data, &out, &lora);
    let adapter = out.join("adapter");
    let (ids, ours) = greedy(&out);
    let eos = eos_of(&out);
    let ours = before_end(&json!(ours), eos);
    assert_ne!(
        ours,
        before_end(&json!(greedy(&base).1), eos),
        "the adapter changes nothing"
    );
    let prompt = format!("<|endoftext|>{PROMPT}");
    if let Some(python) = python::with("peft") {
        let question =
            json!({ "ask": "peft", "base": base, "adapter": adapter, "prompt": prompt, "n": N });
        let theirs = python::ask(&python, "ask_bot.py", &question);
        assert_eq!(before_end(&theirs["greedy"], eos), ours);
    }
    if let Some(python) = python::with("llama_cpp") {
        let question = json!({
            "ask": "llama_cpp", "model": base.join("harbour-f32.gguf"),
            "adapter": adapter.join("harbour-lora-f16.gguf"), "ids": ids, "n": N,
        });
        let theirs = python::ask(&python, "ask_bot.py", &question);
        assert_eq!(before_end(&theirs["greedy"], eos), ours);
    }
}

#[test]
fn runs_open_in_tensorboard_tbparse_and_trackio() {
    let (folder, data) = posts(120);
    let (out, exported) = (folder.path().join("bot"), folder.path().join("exported"));
    finetune(&data, &out, &["--epochs", "1"]);
    json(&["runs", "export", text(&out), "--out", text(&exported)]);
    let runs = json(&["runs", "list", text(&exported)]);
    let train = runs
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["job_type"] == "train")
        .unwrap();
    let id = train["id"].as_str().unwrap();
    let shown = json(&["runs", "show", text(&exported), id]);
    let losses: Vec<(u64, f64)> = shown["run"]["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["step"].as_u64().unwrap(),
                it["values"]["train/loss"].as_f64().unwrap(),
            )
        })
        .collect();
    assert!(losses.len() >= 3, "{losses:?}");
    let folder = exported.join(id);
    let csv = fs::read_to_string(folder.join("metrics.csv")).unwrap();
    assert_eq!(csv.lines().count(), losses.len() + 1);
    if let Some(python) = python::with("tensorboard") {
        let theirs = python::ask(
            &python,
            "ask_bot.py",
            &json!({ "ask": "tensorboard", "folder": folder }),
        );
        let scalars = theirs["scalars"]["train/loss"].as_array().unwrap();
        let scalars: Vec<(u64, f64)> = scalars
            .iter()
            .map(|it| (it[0].as_u64().unwrap(), it[1].as_f64().unwrap()))
            .collect();
        assert_eq!(scalars.len(), losses.len());
        for (got, expected) in scalars.iter().zip(&losses) {
            assert!(
                got.0 == expected.0 && (got.1 - expected.1).abs() < 1e-5,
                "{got:?}, {expected:?}"
            );
        }
        let config = theirs["tensors"]["config/text_summary"]
            .as_str()
            .or(theirs["tensors"]["config"].as_str());
        assert!(config.unwrap().contains("learning_rate"), "{theirs}");
    }
    if let Some(python) = python::with("tbparse") {
        let theirs = python::ask(
            &python,
            "ask_bot.py",
            &json!({ "ask": "tbparse", "folder": folder }),
        );
        assert_eq!(theirs["rows"].as_u64().unwrap() as usize, 5 * losses.len());
    }
    if let Some(python) = python::with("trackio") {
        let theirs = python::ask(
            &python,
            "ask_bot.py",
            &json!({ "ask": "trackio", "folder": folder }),
        );
        for form in ["csv", "tensorboard"] {
            let steps: Vec<(u64, f64)> = serde_json::from_value(theirs[form].clone()).unwrap();
            assert_eq!(steps.len(), losses.len(), "{form}: {theirs}");
            let near = steps
                .iter()
                .zip(&losses)
                .all(|(theirs, ours)| theirs.0 == ours.0 && (theirs.1 - ours.1).abs() < 1e-5);
            assert!(near, "{form}: {theirs}");
        }
    }
}

#[test]
fn wrong_use_is_refused_with_a_hint() {
    let (folder, data) = posts(3);
    let out = folder.path().join("bot");
    let refused = |args: &[&str], what: &str| {
        let output = huggingtweets(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
        assert!(
            error.contains(what) && error.contains("\nhint: "),
            "{error}"
        );
    };
    let args = ["finetune", "--data", text(&data), "--out", text(&out)];
    refused(&args, "fewer than 6000");
    refused(
        &[
            &args[..],
            &["--little-text", "--epochs", "1", "--block", "128"],
        ]
        .concat(),
        "of one block",
    );
    refused(
        &[&args[..], &["--little-text", "--block", "1000"]].concat(),
        "block_len is 1000",
    );
    fs::create_dir(&out).unwrap();
    fs::write(out.join("letter.txt"), "private").unwrap();
    refused(
        &[&args[..], &["--little-text"]].concat(),
        "files that this program did not write",
    );
    refused(&["runs", "show", text(&out), "abcdefgh"], "has no run");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}
