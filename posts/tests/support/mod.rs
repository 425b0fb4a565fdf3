//! What several test programs use: generated posts, the Python of the reference.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each program uses a part of it, and in a test a panic is the report"
)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use posts::random::PythonRandom;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

#[derive(Deserialize)]
struct Pieces {
    pieces: Vec<String>,
    spaces: Vec<String>,
}

/// The folder of the references and their fixtures.
pub fn reference() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

/// A fixture of the references.
pub fn fixture<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = reference().join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The posts that `clean.py` generates from `seed`.
pub fn generated(seed: u64, n: usize) -> Vec<String> {
    let Pieces { pieces, spaces } = fixture("pieces.json");
    let mut random = PythonRandom::new(seed);
    let mut draw = |n: usize| random.next_u32() as usize % n;
    (0..n)
        .map(|_| {
            let mut text = String::new();
            for _ in 0..draw(14) {
                text.push_str(&pieces[draw(pieces.len())]);
                text.push_str(&spaces[draw(spaces.len())]);
            }
            text
        })
        .collect()
}

/// What a script of the references prints; `None`, with a note, where there is no Python.
pub fn python(script: &str, args: &[String]) -> Option<String> {
    let output = Command::new("python3")
        .arg(reference().join(script))
        .args(args)
        .output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap()),
        Ok(output) => panic!("{script}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!(
                "SKIPPED: no live comparison with {script}: python3 cannot be started: {error}"
            );
            None
        }
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}
