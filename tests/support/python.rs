//! Programs of Python that a test compares with: found, and asked by a script of `tests/fixtures`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::checkpoints::fixtures;
use super::shared::skipped;

/// `python3`, or the interpreter that `HUGGINGTWEETS_PYTHON` names, if it has this package.
pub fn with(package: &str) -> Option<String> {
    let python = std::env::var("HUGGINGTWEETS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = Command::new(&python)
        .args(["-c", &format!("import {package}")])
        .stderr(Stdio::null())
        .status();
    if import.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    skipped(&format!(
        "`{python}` has no {package}; set HUGGINGTWEETS_PYTHON to a python that has it"
    ));
    None
}

/// The answer of a script.
pub fn ask(python: &str, script: &str, question: &Value) -> Value {
    let mut child = Command::new(python)
        .arg(fixtures().join(script))
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let question = question.to_string();
    let mut stdin = child.stdin.take().unwrap();
    let asking = std::thread::spawn(move || stdin.write_all(question.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    asking.join().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}
