//! The environment of a test: the reference data beside the repository, and the peak memory of the process.

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

/// Peak resident memory of this process, in bytes; Linux alone.
pub fn peak_bytes() -> Option<u64> {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
    };
    let peak = peak();
    if peak.is_none() {
        skipped("this system does not say what a process's peak memory was");
    }
    peak
}

/// Reports a test that does not run. Standard error is written directly, because the test runner captures the macros.
pub fn skipped(why: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
