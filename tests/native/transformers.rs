//! Folders drawn from combinations of what people publish: opened here as by transformers, with the same ids and the
//! same greedy continuation.
//!
//! `tests/fixtures/draw_folders.py` draws them and asks transformers, in `python3` or the interpreter named by
//! `HUGGINGTWEETS_PYTHON`.

use crate::support::checkpoints::fixtures;
use crate::support::program::huggingtweets;
use crate::support::shared::skipped;
use serde_json::Value;
use std::process::{Command, Stdio};

/// The share of drawn folders that may differ, each by a difference that the README names.
const MOST_DIFFERENT: f64 = 0.01;

#[test]
fn forty_drawn_folders_open_and_write_as_in_transformers() {
    compare(40, 1);
}

#[test]
#[ignore = "nightly: draws and opens four hundred folders for minutes"]
fn four_hundred_drawn_folders_open_and_write_as_in_transformers() {
    compare(400, 2);
}

fn compare(count: usize, seed: u32) {
    let python = std::env::var("HUGGINGTWEETS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = Command::new(&python)
        .args([
            "-c",
            "import torch, tokenizers, transformers; assert transformers.__version__ >= '5'",
        ])
        .stderr(Stdio::null())
        .status();
    if !import.is_ok_and(|status| status.success()) {
        skipped(&format!(
            "`{python}` has no torch, tokenizers and transformers 5; install them, or set HUGGINGTWEETS_PYTHON to a python that has them"
        ));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let drawn = Command::new(&python)
        .arg(fixtures().join("draw_folders.py"))
        .arg(folder.path())
        .args([count.to_string(), seed.to_string()])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&drawn.stderr);
    assert!(drawn.status.success(), "{error}");
    let expected = std::fs::read(folder.path().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let folders = expected["folders"].as_array().unwrap();
    assert_eq!(folders.len(), count);
    assert!(
        folders
            .iter()
            .filter(|it| it["verdict"] == "opened")
            .count()
            * 10
            > count * 9
    );
    let differences: Vec<String> = folders
        .iter()
        .filter_map(|asked| {
            Some(format!(
                "{}: {}",
                asked["choices"],
                difference(asked, &expected)?
            ))
        })
        .collect();
    println!(
        "{} of {count} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(differences.len() as f64 <= MOST_DIFFERENT * count as f64);
}

/// How the answers about one folder differ.
fn difference(asked: &Value, expected: &Value) -> Option<String> {
    let folder = asked["folder"].as_str().unwrap();
    let ask = |args: &[&str]| {
        let output = huggingtweets(&[args, &["--model", folder, "--json"]].concat());
        match output.status.success() {
            true => Ok(serde_json::from_slice::<Value>(&output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    };
    let prompt = expected["prompt"].as_str().unwrap();
    let limit = asked["limit"].as_u64().map(|limit| limit.to_string());
    let mut args = vec!["generate", "--prompt", prompt, "--greedy"];
    args.extend(
        limit
            .iter()
            .flat_map(|limit| ["--max-new-tokens", limit.as_str()]),
    );
    let written = ask(&args);
    match (&written, asked["verdict"] == "opened") {
        (Err(_), false) => return None,
        (Err(error), true) => return Some(format!("refused: {error}")),
        (Ok(_), false) => {
            return Some(format!(
                "opened, and not by transformers: {}",
                asked["reason"]
            ));
        }
        (Ok(_), true) => {}
    }
    let texts = expected["texts"].as_array().unwrap();
    for (text, ids) in texts.iter().zip(asked["ids"].as_array().unwrap()) {
        let got =
            ask(&["tokenize", "--text", text.as_str().unwrap()]).map(|it| it["token_ids"].clone());
        if got.as_ref() != Ok(ids) {
            return Some(format!("{text}: {got:?}, and {ids} in transformers"));
        }
    }
    let (got, greedy) = (&written.unwrap()[0]["token_ids"], &asked["greedy"]);
    let (got, greedy) = (got.as_array().unwrap(), greedy.as_array().unwrap());
    (got != greedy).then(|| format!("writes {got:?}, and {greedy:?} in transformers"))
}
