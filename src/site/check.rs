//! Lints the code that runs in the browser, with the toolchain that builds it.

use super::toolchain::{self, Std, TARGET, Toolchain};
use super::wasm_cargo::WasmCargo;
use super::{Progress, SiteError, SourceTree, apt};
use std::process::Command;

/// Debian's clippy of the same release as its compiler.
const PACKAGE: &str = "rust-web-clippy";

/// Runs clippy for [`TARGET`] with warnings denied.
///
/// # Errors
/// [`SiteError::StepFailed`] with a warning, which is then printed; the errors of [`toolchain::find`] and
/// [`apt::install`].
pub fn check(tree: &SourceTree, progress: Progress) -> Result<(), SiteError> {
    let scratch = tree.scratch();
    std::fs::create_dir_all(&scratch).map_err(SiteError::file("create", &scratch))?;
    let toolchain = toolchain::find(tree, progress)?;
    progress.note(&toolchain.describe());
    let clippy = toolchain.rust.cargo.with_file_name("cargo-clippy");
    if !clippy.is_file() {
        install(&toolchain, tree, progress)?;
    }
    let cargo = WasmCargo::single(tree, &toolchain, progress)?;
    for (step, feature) in [
        ("lint for the browser (clippy)", ""),
        ("lint for browsers with relaxed SIMD (clippy)", "relaxed"),
    ] {
        // The profile of the page, whose macros and build scripts are then compiled once for both.
        let mut lint = cargo.command("clippy");
        lint.args(["--locked", "--profile", "web", "--target", TARGET])
            .args([
                "--workspace",
                "--lib",
                "--bin",
                "app",
                "--bin",
                "maker",
                "--bin",
                "maker_page",
                "--bin",
                "trainer",
                "--bin",
                "worker",
            ])
            .args(["--features", feature])
            .args(["--", "-D", "warnings"]);
        progress.run(step, &mut lint, &tree.log("clippy"), None)?;
    }
    Ok(())
}

fn install(toolchain: &Toolchain, tree: &SourceTree, progress: Progress) -> Result<(), SiteError> {
    match (&toolchain.rust.rustup_name, toolchain.std) {
        (Some(name), Std::Installed) => {
            let mut rustup = Command::new("rustup");
            rustup.args(["component", "add", "clippy", "--toolchain", name]);
            progress.run(
                "add clippy (rustup)",
                &mut rustup,
                &tree.log("rustup"),
                None,
            )
        }
        _ => apt::install(&[PACKAGE], &tree.log("apt"), progress),
    }
}
