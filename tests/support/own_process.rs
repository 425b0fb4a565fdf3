//! Claims about a whole process, such as its peak memory, each in a process of its own.

use std::process::Command;

const CLAIM: &str = "HUGGINGTWEETS_CLAIM_ALONE";

/// Runs `claim` in a new process of this test program that runs the test `name` alone, `module::function`.
pub fn run(name: &str, claim: impl FnOnce()) {
    if std::env::var_os(CLAIM).is_some() {
        return claim();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--include-ignored"])
        .env(CLAIM, name)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    eprint!("{errors}");
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{name} alone: {}\n{printed}",
        output.status
    );
}
