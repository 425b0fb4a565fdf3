//! Repositories as on the Hub, made by `tests/fixtures/make_repositories.py`: each is chosen from, opened by the
//! program, and gives PyTorch's logits.

use crate::support::checkpoints::{assert_close, fixtures, floats, json};
use crate::support::shared::skipped;
use huggingtweets::hub::{Dtype, Listing, choose};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Floats are multiplied as such, in another order than PyTorch's.
const FLOATS: f32 = 1e-4;
/// With quantized weights the inputs of every product are rounded to 8 bits, PyTorch's are not: 0.28 at most was seen,
/// where logits reach 7.
const QUANTIZED: f32 = 0.4;

/// Every kept repository: its folder, the file that [`choose`] takes, how near its logits come.
const KEPT: [(&str, &str, f32); 9] = [
    ("gguf", "tiny-Q8_0.gguf", QUANTIZED),
    ("safetensors-f32", "model.safetensors", FLOATS),
    ("safetensors-f16", "model.safetensors", FLOATS),
    ("safetensors-bf16", "model.safetensors", FLOATS),
    (
        "safetensors-sharded",
        "model-00002-of-00002.safetensors",
        FLOATS,
    ),
    ("pytorch-zip", "pytorch_model.bin", FLOATS),
    ("pytorch-zip-2021", "pytorch_model.bin", FLOATS),
    ("pytorch-legacy", "pytorch_model.bin", FLOATS),
    (
        "pytorch-sharded",
        "pytorch_model-00002-of-00002.bin",
        FLOATS,
    ),
];

/// The further files of the repository `gguf`.
const GGUFS: [(&str, f32); 3] = [
    ("tiny.f16.gguf", FLOATS),
    ("tiny.q5_1.gguf", QUANTIZED),
    ("tiny-q4_0.gguf", QUANTIZED),
];

fn listing(folder: &Path) -> Listing {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    Listing::of_files(entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, Some(entry.metadata().unwrap().len()))
    }))
}

/// Compares the program's logits for `model`, a folder or a GGUF in it, with PyTorch's for its weights.
fn check_logits(folder: &Path, model: &Path, gguf: Option<&str>, tolerance: f32) {
    let expected = json(&folder.join("expected.json"));
    let output = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args([
            "logits",
            "--json",
            "--prompt",
            expected["prompt"].as_str().unwrap(),
            "--model",
        ])
        .arg(model)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", model.display());
    let got: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        got["token_ids"],
        expected["token_ids"],
        "{}",
        model.display()
    );
    let by_file = expected["logits"].as_object().unwrap();
    let logits = match gguf {
        Some(name) => &by_file[name],
        None => by_file.values().next().unwrap(),
    };
    eprintln!("{}", model.display());
    assert_close(&floats(&got["logits"]), &floats(logits), tolerance);
}

/// The folder is opened, of which `file` is chosen.
fn check_repository(folder: &Path, file: &str, tolerance: f32) {
    let gguf = Some(file).filter(|file| file.ends_with(".gguf"));
    check_logits(folder, folder, gguf, tolerance);
}

/// The file itself is opened.
fn check_gguf(folder: &Path, file: &str, tolerance: f32) {
    check_logits(folder, &folder.join(file), Some(file), tolerance);
}

#[test]
fn every_kept_repository_is_checked() {
    let folder = fixtures().join("repositories");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut known = KEPT.map(|(name, _, _)| name);
    known.sort_unstable();
    assert_eq!(names, known);
}

#[test]
fn the_file_of_each_repository_is_chosen() {
    for (name, file, _) in KEPT {
        let listing = listing(&fixtures().join("repositories").join(name));
        let plan = choose(&listing, Dtype::Auto).unwrap();
        assert_eq!(plan.files().last().unwrap().name, file, "{name}");
        assert!(plan.companions.iter().any(|file| file.name == "README.md"));
        assert!(plan.size_bytes().unwrap() > 10_000);
    }
    let gguf = listing(&fixtures().join("repositories/gguf"));
    for (dtype, file) in [
        (Dtype::Q4_0, "tiny-q4_0.gguf"),
        (Dtype::F16, "tiny.f16.gguf"),
        (Dtype::Q4K, "tiny.f16.gguf"),
    ] {
        let plan = choose(&gguf, dtype).unwrap();
        assert_eq!(plan.files().last().unwrap().name, file, "{dtype}");
    }
}

#[test]
fn logits_of_each_repository_are_pytorchs() {
    for (name, file, tolerance) in KEPT {
        check_repository(&fixtures().join("repositories").join(name), file, tolerance);
    }
    for (file, tolerance) in GGUFS {
        check_gguf(&fixtures().join("repositories/gguf"), file, tolerance);
    }
}

#[test]
fn each_card_is_the_bots() {
    let bot = json(&fixtures().join("../../assets/bots/jen_122.json"));
    for (name, _, _) in KEPT {
        let card = fixtures().join("repositories").join(name).join("README.md");
        let output = Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
            .args(["card", "read", "--json"])
            .arg(card)
            .output()
            .unwrap();
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(read, bot, "{name}");
    }
}

#[test]
fn logits_of_real_sizes_are_pytorchs() {
    let Some(folder) = std::env::var_os("HUGGINGTWEETS_REPOSITORIES") else {
        skipped(
            "no repositories of real sizes; make some with `tests/fixtures/make_repositories.py --out \
             DIR/NAME --form … --shape 124M --tokenizer …` and set HUGGINGTWEETS_REPOSITORIES to DIR",
        );
        return;
    };
    let mut n_checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("expected.json").exists() {
            continue;
        }
        let plan = choose(&listing(&folder), Dtype::Auto).unwrap();
        let file = plan.files().last().unwrap().name.clone();
        let tolerance = if file.ends_with(".gguf") {
            QUANTIZED
        } else {
            1e-3
        };
        check_repository(&folder, &file, tolerance);
        n_checked += 1;
    }
    assert!(
        n_checked > 0,
        "HUGGINGTWEETS_REPOSITORIES holds no repository"
    );
}
