//! `cargo test` uses the crates compiled for `cargo run`: the tests enable no further features of a dependency.
//!
//! One feature of a crate below the derive macros is enough to compile everything a second time, for minutes.

use std::collections::BTreeSet;
use std::process::Command;

/// Every package with its version and features, by these kinds of dependencies.
fn packages(kinds: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", kinds])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn no_crate_of_the_program_is_compiled_again_for_its_tests() {
    let program = packages("normal,build");
    let tests = packages("normal,build,dev");
    assert!(program.len() > 100, "{program:?}");
    let again: Vec<_> = program.difference(&tests).collect();
    assert!(
        again.is_empty(),
        "with other features in the tests: {again:#?}"
    );
}
