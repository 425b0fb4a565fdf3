//! The worker's build with relaxed SIMD, for one thread.

use super::toolchain::{TARGET, Toolchain};
use super::worker::Worker;
use super::{Progress, SiteError, SourceTree};
use std::path::Path;
use std::process::Command;

/// The line of `www/worker_loader.js` that says there is no such build.
const ABSENT: &str = "const HAS_RELAXED = false;";

/// Builds it into `dist`, a built page, and tells its loader.
///
/// # Errors
/// [`SiteError::StepFailed`] if the sources do not compile; [`SiteError::File`].
pub fn add(
    tree: &SourceTree,
    toolchain: &Toolchain,
    tools: &Path,
    dist: &Path,
    progress: Progress,
) -> Result<(), SiteError> {
    let target = tree.scratch();
    let mut cargo = Command::new(&toolchain.rust.cargo);
    cargo
        .current_dir(tree.root())
        .args(["rustc", "--locked", "--offline", "--target", TARGET]);
    toolchain.apply(&mut cargo, tools, &target);
    Worker::Relaxed.ask_for(&mut cargo);
    Worker::Relaxed.make(tree, cargo, &target, tools, dist, progress)?;
    Worker::tell_loader(dist, ABSENT, "const HAS_RELAXED = true;")
}
