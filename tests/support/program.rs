//! Runs the built `huggingtweets` program.

use serde_json::Value;
use std::process::{Command, Output};

/// Status and output of the program with these arguments.
pub fn huggingtweets(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_huggingtweets"))
        .args(args)
        .output()
        .unwrap()
}

/// The output with `--json`: one document and nothing else.
pub fn json(args: &[&str]) -> Value {
    let output = huggingtweets(&[args, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    assert_eq!(error, "", "{args:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
