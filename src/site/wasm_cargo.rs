//! `WasmCargo`: the cargo that compiles for the browser, with intermediate results that all clones share.
//!
//! Cargo treats a package of the same name and version in two clones as one package, and takes its results for fresh as
//! long as no source is newer than the last build, in whichever clone. Dependencies are the same in every clone, so the
//! folder is shared; the results of this package itself are removed when another clone has built there last.

use super::cache_folder::cache_folder;
use super::registries::registries;
use super::toolchain::{TARGET, Toolchain};
use super::{Progress, SiteError, SourceTree};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The cargo profile of the programs for the browser.
const PROFILE: &str = "web";
/// The cargo profile of the maker's worker.
pub(super) const MAKER_PROFILE: &str = "maker";

/// The packages of this repository that the programs for the browser are made of.
const PACKAGES: [&str; 5] = [
    env!("CARGO_PKG_NAME"),
    "huggingtweets-kernels",
    MAKER_PACKAGE,
    "huggingtweets-posts",
    WORKER_PACKAGE,
];

/// The package of the worker's program.
pub(super) const WORKER_PACKAGE: &str = "huggingtweets-worker";

/// The package of the maker's worker.
pub(super) const MAKER_PACKAGE: &str = "huggingtweets-maker";

/// The maker's program in the page, and that of its worker; also the names of their files in the page.
pub(super) const MAKER_PROGRAMS: [&str; 2] = ["maker_page", "maker"];

/// The flags of `.cargo/config.toml`, which flags in the environment replace.
pub(super) const RUSTFLAGS: [&str; 7] = [
    "-C",
    "target-feature=+simd128",
    "-C",
    "llvm-args=-disable-lsr",
    "-C",
    "link-arg=--keep-section=target_features",
    "--cfg=erase_components",
];

/// Arguments that select the page's program and the worker's.
pub(super) const PROGRAMS: [&str; 8] = [
    "--package",
    env!("CARGO_PKG_NAME"),
    "--bin",
    "app",
    "--package",
    WORKER_PACKAGE,
    "--bin",
    "worker",
];

/// Cargo with a toolchain and flags. It holds the lock on the intermediate results.
#[derive(Debug)]
pub struct WasmCargo {
    toolchain: Toolchain,
    root: PathBuf,
    target_dir: PathBuf,
    build_dir: Option<PathBuf>,
    rustflags: String,
    // Released when this value is dropped.
    _lock: Option<File>,
}

impl WasmCargo {
    /// The cargo of programs for one thread, with the flags of `.cargo/config.toml`. Waits until no other clone
    /// compiles.
    ///
    /// # Errors
    /// [`SiteError::File`]; [`SiteError::StepFailed`].
    pub fn single(
        tree: &SourceTree,
        toolchain: &Toolchain,
        progress: Progress,
    ) -> Result<Self, SiteError> {
        Self::new(tree, toolchain, "single", &RUSTFLAGS, progress)
    }

    /// The cargo of programs with other `rustflags`, whose folders are named `kind`.
    ///
    /// # Errors
    /// [`SiteError::File`]; [`SiteError::StepFailed`].
    pub(super) fn new(
        tree: &SourceTree,
        toolchain: &Toolchain,
        kind: &str,
        rustflags: &[&str],
        progress: Progress,
    ) -> Result<Self, SiteError> {
        let shared = cache_folder().map(|cache| cache.join("build").join(kind));
        let shared = shared.and_then(|folder| {
            // Where the cache cannot be written to, results stay in the clone.
            fs::create_dir_all(&folder).ok()?;
            Some((File::create(folder.join("lock")).ok()?, folder))
        });
        let mut cargo = Self {
            toolchain: toolchain.clone(),
            root: tree.root().to_owned(),
            target_dir: tree.scratch().join(kind),
            build_dir: None,
            rustflags: encoded(rustflags),
            _lock: None,
        };
        if let Some((lock, folder)) = shared {
            if lock.try_lock().is_err() {
                progress.note("waiting for the build of another clone");
                lock.lock().map_err(SiteError::file("lock", &folder))?;
            }
            cargo._lock = Some(lock);
            cargo.build_dir = Some(folder.clone());
            cargo.take_over(tree, &folder, progress)?;
        }
        Ok(cargo)
    }

    /// Removes this package's results of another clone from the shared `folder`.
    fn take_over(
        &self,
        tree: &SourceTree,
        folder: &Path,
        progress: Progress,
    ) -> Result<(), SiteError> {
        let last_clone = folder.join("last-clone");
        let this_clone = clone_name(tree)?;
        if fs::read_to_string(&last_clone).is_ok_and(|last| last == this_clone) {
            return Ok(());
        }
        if last_clone.exists() {
            for profile in [PROFILE, MAKER_PROFILE] {
                let mut clean = self.command("clean");
                clean.args(["--locked", "--profile", profile, "--target", TARGET]);
                clean.args(PACKAGES.into_iter().flat_map(|name| ["--package", name]));
                progress.run(
                    &format!("take over the crates that another clone compiled ({profile})"),
                    &mut clean,
                    &tree.log("clean"),
                    None,
                )?;
            }
        }
        fs::write(&last_clone, this_clone).map_err(SiteError::file("write", &last_clone))
    }

    /// `cargo VERB` in the repository.
    #[must_use]
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.toolchain.rust.cargo);
        command.arg(verb);
        self.configure(&mut command);
        command
    }

    /// `cargo VERB` that yields to other programs, where the system has `nice`.
    pub(super) fn background(&self, verb: &str) -> Command {
        let cargo = &self.toolchain.rust.cargo;
        if !Path::new(NICE).exists() {
            return self.command(verb);
        }
        let mut command = Command::new(NICE);
        command.args(["-n", "10"]).arg(cargo).arg(verb);
        self.configure(&mut command);
        command
    }

    /// The folder of finished programs.
    pub(super) fn program_folder(&self) -> PathBuf {
        self.target_dir.join(TARGET).join(PROFILE)
    }

    /// The folder of the maker's finished worker.
    pub(super) fn maker_folder(&self) -> PathBuf {
        self.target_dir.join(TARGET).join(MAKER_PROFILE)
    }

    /// Makes `command`, or the cargo that it starts, build in the repository with this toolchain and these flags.
    pub fn configure(&self, command: &mut Command) {
        command.current_dir(&self.root);
        self.toolchain.apply(command, &self.target_dir);
        if let Some(folder) = &self.build_dir {
            command.env("CARGO_BUILD_BUILD_DIR", folder);
        }
        command.env("CARGO_ENCODED_RUSTFLAGS", &self.rustflags);
    }
}

/// `flags` in cargo's form, and flags that name a downloaded crate without the folders of this machine. Their names would be
/// in every program, in the places of panics: what a site publishes is the same wherever it is built.
fn encoded(flags: &[&str]) -> String {
    let flags = flags.iter().map(|flag| (*flag).to_owned());
    let remapped = registries()
        .into_iter()
        .filter_map(|folder| Some(format!("--remap-path-prefix={}=crates", folder.to_str()?)));
    flags.chain(remapped).collect::<Vec<_>>().join("\u{1f}")
}

/// The program that runs another program with a lower priority.
const NICE: &str = "/usr/bin/nice";

/// A name of this clone that no other clone has, made once and lost with the build folder.
fn clone_name(tree: &SourceTree) -> Result<String, SiteError> {
    let path = tree.scratch().join("clone-name");
    if let Ok(name) = fs::read_to_string(&path) {
        return Ok(name);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = now.unwrap_or_default().as_nanos();
    let name = format!(
        "{} {nanoseconds} {}",
        tree.root().display(),
        std::process::id()
    );
    fs::write(&path, &name).map_err(SiteError::file("write", &path))?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    #[test]
    fn flags_are_those_of_the_configuration() {
        let tree = SourceTree::find().unwrap();
        let text = fs::read_to_string(tree.root().join(".cargo/config.toml")).unwrap();
        let (_, list) = text.split_once("\nrustflags = [\n").unwrap();
        let (list, _) = list.split_once("\n]").unwrap();
        let configured: Vec<&str> = list
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .collect();
        assert_eq!(configured, RUSTFLAGS);
    }
}
