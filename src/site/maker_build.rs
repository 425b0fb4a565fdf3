//! Builds the maker's two programs: its part of the page, and its worker. A page opens without them.

use super::bindings::{ScriptKind, bind};
use super::toolchain::TARGET;
use super::wasm_cargo::{MAKER_PACKAGE, MAKER_PROFILE, MAKER_PROGRAMS, WasmCargo};
use super::worker_build::put_programs;
use super::{Progress, SiteError, SourceTree};
use std::path::Path;

/// Compiles both with `cargo` and puts their files into `dist`.
///
/// # Errors
/// [`SiteError::StepFailed`] if the sources do not compile; [`SiteError::NotBound`]; [`SiteError::File`].
pub(super) fn add(
    tree: &SourceTree,
    cargo: &WasmCargo,
    dist: &Path,
    progress: Progress,
) -> Result<(), SiteError> {
    let package = env!("CARGO_PKG_NAME");
    let [of_page, of_worker] = MAKER_PROGRAMS;
    for (profile, package, bin) in [
        ("web", package, of_page),
        (MAKER_PROFILE, MAKER_PACKAGE, of_worker),
    ] {
        let mut command = cargo.background("build");
        command
            .args(["--locked", "--profile", profile, "--target", TARGET])
            .args(["--package", package, "--bin", bin]);
        progress.run(&format!("build {bin}"), &mut command, &tree.log(bin), None)?;
    }
    let page = cargo.program_folder().join(format!("{of_page}.wasm"));
    let worker = cargo.maker_folder().join(format!("{of_worker}.wasm"));
    put_programs(dist, |folder| {
        bind(&page, ScriptKind::Module, of_page, folder)?;
        bind(&worker, ScriptKind::Classic, of_worker, folder)
    })
}
