//! The reference data that comes beside the repository, where it is there.
#![allow(dead_code, reason = "shared by tests that each use a part of it")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file or folder of `../shared`, or of the folder that `HUGGINGTWEETS_SHARED` names.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HUGGINGTWEETS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!(
        "{} is not there; set HUGGINGTWEETS_SHARED to the folder that has it",
        path.display()
    ));
    None
}

/// Says that a test did not run, past the test runner, which keeps what passing tests print to itself.
pub fn skipped(why: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
