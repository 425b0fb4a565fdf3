//! `www/huggingtweets.d.ts` checked by TypeScript, where npm can install it.

use crate::support::shared;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TYPESCRIPT: &str = "typescript@5.9.3";
/// Limit for npm on a network that does not answer.
const INSTALL_LIMIT: Duration = Duration::from_secs(120);

/// The script of the compiler, installed once into `target/tmp/`; `None` without npm or network.
fn compiler() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("typescript");
    let script = folder.join("node_modules/typescript/bin/tsc");
    if script.exists() {
        return Some(script);
    }
    std::fs::create_dir_all(&folder).unwrap();
    let mut install = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ])
        .arg(&folder)
        .arg(TYPESCRIPT)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while install.try_wait().unwrap().is_none() {
        if started.elapsed() > INSTALL_LIMIT {
            install.kill().unwrap();
            install.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    script.exists().then_some(script)
}

#[test]
fn typescript_takes_what_the_module_offers_and_refuses_what_it_does_not() {
    let Some(compiler) = compiler() else {
        return shared::skipped("TypeScript is not there; it takes npm and a network");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node")
        .arg(compiler)
        .args(["--noEmit", "--strict", "--exactOptionalPropertyTypes"])
        .args(["--noUncheckedIndexedAccess", "--target", "es2022"])
        .args(["--lib", "es2022,dom"])
        .args(["--module", "esnext", "--moduleResolution", "bundler"])
        .arg(root.join("www/huggingtweets.d.ts"))
        .arg(root.join("tests/fixtures/module/usage.ts"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
