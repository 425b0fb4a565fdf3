//! Builds the page: toolchain, tools, crates, then trunk, which calls cargo and wasm-bindgen; then the worker's
//! other builds, and what is made of the built files.

use super::fingerprint::Fingerprint;
use super::toolchain::{self, TARGET};
use super::{Progress, Shell, SiteError, SourceTree, one_file, relaxed, threads, tools};
use serde::Serialize;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

/// Files of the page are made by these too, which are native and so no sources of it otherwise.
const MADE_BY: (&str, &str) = (include_str!("one_file.rs"), include_str!("shell.rs"));

/// What to build.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The folder to write.
    pub out: PathBuf,
    /// Where it will be reachable: [`BuildOptions::RELATIVE`], or a path or URL.
    pub public_url: String,
}

impl BuildOptions {
    /// Works at any address.
    pub const RELATIVE: &str = "./";

    /// `dist/` of `tree`, reachable anywhere.
    #[must_use]
    pub fn for_tree(tree: &SourceTree) -> Self {
        Self {
            out: tree.dist(),
            public_url: Self::RELATIVE.to_owned(),
        }
    }
}

/// A built page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    /// The folder.
    pub dist: PathBuf,
    /// Whether it was up to date already.
    pub up_to_date: bool,
}

/// Builds the page, or finds that it is built already. One build at a time runs in a source tree.
///
/// # Errors
/// Any [`SiteError`] but those of the server.
pub fn build(
    tree: &SourceTree,
    options: &BuildOptions,
    progress: Progress,
) -> Result<Built, SiteError> {
    let scratch = tree.scratch();
    fs::create_dir_all(&scratch).map_err(SiteError::file("create", &scratch))?;
    let lock_path = scratch.join("lock");
    let lock = File::create(&lock_path).map_err(SiteError::file("write", &lock_path))?;
    // Held until the end of this function.
    lock.lock().map_err(SiteError::file("lock", &lock_path))?;

    let dist = std::path::absolute(&options.out).map_err(SiteError::file("find", &options.out))?;
    let settings = [
        &options.public_url,
        tools::TRUNK_VERSION,
        MADE_BY.0,
        MADE_BY.1,
    ];
    let fingerprint = Fingerprint::of(tree.root(), &settings)?;
    if fingerprint.matches(tree, &dist) {
        progress.note(&format!("{} is up to date", dist.display()));
        return Ok(Built {
            dist,
            up_to_date: true,
        });
    }
    Fingerprint::forget(tree, &dist);

    let toolchain = toolchain::find(tree, progress)?;
    progress.note(&toolchain.describe());
    let bin = tools::install(tree, progress)?;

    let mut fetch = Command::new(&toolchain.rust.cargo);
    fetch
        .current_dir(tree.root())
        .args(["fetch", "--locked", "--target", TARGET]);
    toolchain.apply(&mut fetch, &bin, &scratch);
    progress.run(
        "fetch the page's crates",
        &mut fetch,
        &tree.log("fetch"),
        None,
    )?;

    let mut trunk = Command::new(bin.join("trunk"));
    trunk
        .current_dir(tree.root())
        .args([
            "build",
            "--release",
            "--offline",
            "--locked",
            "--cargo-profile",
            "web",
            "--color",
            "never",
        ])
        .args(["--public-url", &options.public_url])
        .arg("--dist")
        .arg(&dist)
        .env("TRUNK_SKIP_VERSION_CHECK", "true")
        // trunk takes it for an option that contradicts `--color`.
        .env_remove("NO_COLOR");
    toolchain.apply(&mut trunk, &bin, &scratch);
    progress.run(
        "build the page (trunk)",
        &mut trunk,
        &tree.log("trunk"),
        None,
    )?;

    // It holds the worker's first build, and no loader that knows of others.
    one_file::write(tree, &dist)?;
    relaxed::add(tree, &toolchain, &bin, &dist, progress)?;
    threads::add(tree, &bin, &dist, progress)?;
    Shell::of(&dist)?.write(&dist)?;

    fingerprint.record(tree, &dist)?;
    Ok(Built {
        dist,
        up_to_date: false,
    })
}
