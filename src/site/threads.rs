//! The worker's builds with shared memory: their standard library is built from sources, with atomics.
//!
//! A page without it works, on one thread; so where no sources are to be had that is said, and no more.

use super::toolchain::{self, OLDEST, PACKAGES, Rust, Std, StdSources, TARGET, Toolchain};
use super::worker::Worker;
use super::{Progress, SiteError, SourceTree, apt};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What shared memory takes, for the whole program; as `.cargo/config.toml` has it besides.
const RUSTFLAGS: &str = concat!(
    "-Ctarget-feature=+simd128,+atomics,+bulk-memory,+mutable-globals",
    // Between flags.
    "\u{1f}",
    "-Cllvm-args=-disable-lsr",
    "\u{1f}",
    "-Clink-arg=--keep-section=target_features"
);
/// What helpers find their stack and thread-local memory by.
const EXPORTS: [&str; 5] = [
    "__heap_base",
    "__wasm_init_tls",
    "__tls_size",
    "__tls_align",
    "__tls_base",
];
/// Room for the program's own data; the memory grows with the model.
const INITIAL_BYTES: u64 = 16 << 20;
/// As much as the build without threads can have. A browser that will not reserve it gets that build.
const MOST_BYTES: u64 = 4 << 30;
const PAGE_BYTES: u64 = 64 << 10;
/// The line of `www/worker_loader.js` that says there is no such build.
const ABSENT: &str = "const SHARED_MEMORY = null;";
/// rustup either answers soon or its server is out of reach.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// What was tried in vain to come to a standard library's sources.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    /// rustup does not have them.
    pub rustup: bool,
    /// Packages with them have been installed, or cannot be.
    pub packages: bool,
    /// Compilers whose sources lack their dependencies, which could not be fetched.
    pub rustcs: Vec<PathBuf>,
}

/// What to do next for a standard library's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Build with this one.
    Use(Rust),
    /// Let rustup add them to the toolchain of this name.
    AddSources(String),
    /// Install [`PACKAGES`].
    InstallPackages,
    /// Build no threads.
    GiveUp,
}

/// Sources that are there first, then those rustup adds, then packages.
#[must_use]
pub fn choose(rusts: &[Rust], tried: &Tried) -> Choice {
    let usable = || {
        rusts
            .iter()
            .filter(|rust| rust.release >= OLDEST && rust.linker != toolchain::Linker::Missing)
    };
    if let Some(rust) = usable()
        .find(|rust| rust.std_sources != StdSources::Missing && !tried.rustcs.contains(&rust.rustc))
    {
        return Choice::Use(rust.clone());
    }
    let without = |rust: &&Rust| rust.std_sources == StdSources::Missing;
    if !tried.rustup
        && let Some(name) = usable()
            .filter(without)
            .find_map(|rust| rust.rustup_name.clone())
    {
        return Choice::AddSources(name);
    }
    if tried.packages {
        Choice::GiveUp
    } else {
        Choice::InstallPackages
    }
}

/// Builds the workers with threads into `dist`, a built page, and tells their loader.
///
/// # Errors
/// [`SiteError::StepFailed`] if the sources do not compile; [`SiteError::File`].
pub fn add(
    tree: &SourceTree,
    tools: &Path,
    dist: &Path,
    progress: Progress,
) -> Result<(), SiteError> {
    let Some(toolchain) = find(tree, tools, progress)? else {
        progress.note(
            "no sources of Rust's standard library to be had: the page computes on one thread",
        );
        return Ok(());
    };
    for build in [Worker::Threads, Worker::ThreadsRelaxed] {
        let mut cargo = cargo(tree, &toolchain, tools, "rustc");
        build.ask_for(&mut cargo);
        // Only for the program itself, so that another limit does not rebuild everything.
        cargo.args(["--", "-Clink-arg=--shared-memory"]);
        cargo.arg("-Clink-arg=--import-memory");
        cargo.arg(format!("-Clink-arg=--initial-memory={INITIAL_BYTES}"));
        cargo.arg(format!("-Clink-arg=--max-memory={MOST_BYTES}"));
        cargo.args(EXPORTS.map(|name| format!("-Clink-arg=--export={name}")));
        build.make(tree, cargo, &target_dir(tree), tools, dist, progress)?;
    }
    // wasm-bindgen adds a page of its own; more than the program declares is allowed.
    let (initial, maximum) = (INITIAL_BYTES / PAGE_BYTES + 1, MOST_BYTES / PAGE_BYTES);
    let present = format!("const SHARED_MEMORY = {{ initial: {initial}, maximum: {maximum} }};");
    Worker::tell_loader(dist, ABSENT, &present)
}

/// A toolchain whose standard library can be built here; its crates and the program's are fetched.
fn find(
    tree: &SourceTree,
    tools: &Path,
    progress: Progress,
) -> Result<Option<Toolchain>, SiteError> {
    // Asked again only when the build folder is made anew.
    let refused = tree.scratch().join("rustup-has-no-std-sources");
    let mut tried = Tried {
        rustup: refused.exists(),
        ..Tried::default()
    };
    loop {
        match choose(&toolchain::installed(), &tried) {
            Choice::Use(rust) => {
                let toolchain = Toolchain {
                    rust,
                    std: Std::FromSources,
                };
                let mut fetch = cargo(tree, &toolchain, tools, "fetch");
                let step = "fetch the standard library's crates";
                let log = tree.log("threads-fetch");
                if progress.attempt(step, &mut fetch, &log, None)?.is_none() {
                    return Ok(Some(toolchain));
                }
                tried.rustcs.push(toolchain.rust.rustc);
            }
            Choice::AddSources(name) => {
                let mut rustup = Command::new("rustup");
                rustup
                    .args(["component", "add", "rust-src", "--toolchain", &name])
                    .env("RUSTUP_MAX_RETRIES", "1");
                let step = format!("add rust-src to {name} (rustup)");
                let log = tree.log("rustup");
                let failed = progress.attempt(&step, &mut rustup, &log, Some(RUSTUP_LIMIT))?;
                if failed.is_some() {
                    fs::write(&refused, "").map_err(SiteError::file("write", &refused))?;
                }
                tried.rustup = true;
            }
            Choice::InstallPackages => {
                match apt::install(&PACKAGES, &tree.log("apt"), progress) {
                    // What cannot be installed is not found in the next turn.
                    Ok(()) | Err(SiteError::PackagesMissing { .. }) => tried.packages = true,
                    Err(error) => return Err(error),
                }
            }
            Choice::GiveUp => return Ok(None),
        }
    }
}

/// `cargo VERB` for the program with threads, in a folder of its own.
fn cargo(tree: &SourceTree, toolchain: &Toolchain, tools: &Path, verb: &str) -> Command {
    let mut cargo = Command::new(&toolchain.rust.cargo);
    cargo
        .current_dir(tree.root())
        .args([verb, "--locked", "--target", TARGET]);
    toolchain.apply(&mut cargo, tools, &target_dir(tree));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS);
    cargo
}

fn target_dir(tree: &SourceTree) -> PathBuf {
    tree.scratch().join("threads")
}
