//! The needs of the worker's builds with threads: shared memory, and a standard library built from its sources with
//! atomics.
//!
//! The page works on one thread without these builds: where the sources are not available, a line says so and the build
//! continues.

use super::toolchain::{
    self, OLDEST, PACKAGES, RUSTUP_LIMIT, Rust, Std, StdSources, TARGET, Toolchain,
};
use super::wasm_cargo::WasmCargo;
use super::{Progress, SiteError, SourceTree, apt};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Those of the programs for one thread, and the instructions that shared memory needs. The page is not among them.
const RUSTFLAGS: [&str; 3] = [
    "-Ctarget-feature=+simd128,+atomics,+bulk-memory,+mutable-globals",
    "-Cllvm-args=-disable-lsr",
    "-Clink-arg=--keep-section=target_features",
];
/// The exports by which wasm-bindgen gives each thread its stack and thread-local memory.
const EXPORTS: [&str; 5] = [
    "__heap_base",
    "__wasm_init_tls",
    "__tls_size",
    "__tls_align",
    "__tls_base",
];
/// Room for the stack and the program's own data, 1.8 MB; the linker refuses less than they take. Rust's allocator asks for
/// memory beyond this and never uses what is left of it.
const INITIAL_BYTES: u64 = 2 << 20;
/// The limit of 32-bit WebAssembly. A browser that does not reserve as much gets the build without threads.
const MOST_BYTES: u64 = 4 << 30;
/// A page of WebAssembly's memory.
const PAGE_BYTES: u64 = 64 << 10;

/// Failed attempts to obtain a standard library's sources.
#[derive(Debug, Clone, Default)]
pub struct FailedAttempts {
    /// rustup does not have them.
    pub rustup: bool,
    /// Packages with them have been installed, or cannot be.
    pub packages: bool,
    /// Compilers whose sources lack their dependencies, which could not be fetched.
    pub rustcs: Vec<PathBuf>,
}

/// The next step towards a standard library's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcesStep {
    /// Build with the sources of this Rust.
    Use(Rust),
    /// Let rustup add the sources to the toolchain of this name.
    AddSources(String),
    /// Install [`PACKAGES`].
    InstallPackages,
    /// Build without threads.
    GiveUp,
}

/// Installed sources come first, then those that rustup adds, then packages.
#[must_use]
pub fn next_sources_step(rusts: &[Rust], failed: &FailedAttempts) -> SourcesStep {
    let usable = || {
        rusts
            .iter()
            .filter(|rust| rust.release >= OLDEST && rust.linker != toolchain::Linker::Missing)
    };
    if let Some(rust) = usable().find(|rust| {
        rust.std_sources != StdSources::Missing && !failed.rustcs.contains(&rust.rustc)
    }) {
        return SourcesStep::Use(rust.clone());
    }
    let without = |rust: &&Rust| rust.std_sources == StdSources::Missing;
    if !failed.rustup
        && let Some(name) = usable()
            .filter(without)
            .find_map(|rust| rust.rustup_name.clone())
    {
        return SourcesStep::AddSources(name);
    }
    if failed.packages {
        SourcesStep::GiveUp
    } else {
        SourcesStep::InstallPackages
    }
}

/// The linker's arguments for a program whose memory is shared.
pub(super) fn link_args() -> Vec<String> {
    let memory = [
        "shared-memory".to_owned(),
        "import-memory".to_owned(),
        format!("initial-memory={INITIAL_BYTES}"),
        format!("max-memory={MOST_BYTES}"),
    ];
    memory
        .into_iter()
        .chain(EXPORTS.map(|name| format!("export={name}")))
        .map(|argument| format!("-Clink-arg=--{argument}"))
        .collect()
}

/// The memory that the worker's loader creates, as a JavaScript object.
pub(super) fn shared_memory() -> String {
    // wasm-bindgen adds one page of its own; the memory may be larger than the program declares.
    let (initial, maximum) = (INITIAL_BYTES / PAGE_BYTES + 1, MOST_BYTES / PAGE_BYTES);
    format!("{{ initial: {initial}, maximum: {maximum} }}")
}

/// The cargo of the builds with threads, its crates fetched; `None` where the standard library's sources are not
/// available.
///
/// # Errors
/// [`SiteError::File`]; [`SiteError::CannotStart`].
pub(super) fn find_cargo(
    tree: &SourceTree,
    progress: Progress,
) -> Result<Option<WasmCargo>, SiteError> {
    // rustup is asked again only when the build folder is made anew.
    let refused = tree.scratch().join("rustup-has-no-std-sources");
    let mut failed = FailedAttempts {
        rustup: refused.exists(),
        ..FailedAttempts::default()
    };
    loop {
        match next_sources_step(&toolchain::installed(), &failed) {
            SourcesStep::Use(rust) => {
                let toolchain = Toolchain {
                    rust,
                    std: Std::FromSources,
                };
                let cargo = WasmCargo::new(tree, &toolchain, "threads", &RUSTFLAGS, progress)?;
                let mut fetch = cargo.command("fetch");
                fetch.args(["--locked", "--target", TARGET]);
                let step = "fetch the standard library's crates";
                let log = tree.log("threads-fetch");
                if progress.attempt(step, &mut fetch, &log, None)?.is_none() {
                    return Ok(Some(cargo));
                }
                failed.rustcs.push(toolchain.rust.rustc);
            }
            SourcesStep::AddSources(name) => {
                let mut rustup = Command::new("rustup");
                rustup
                    .args(["component", "add", "rust-src", "--toolchain", &name])
                    .env("RUSTUP_MAX_RETRIES", "1");
                let step = format!("add rust-src to {name} (rustup)");
                let log = tree.log("rustup");
                let refusal = progress.attempt(&step, &mut rustup, &log, Some(RUSTUP_LIMIT))?;
                if refusal.is_some() {
                    fs::write(&refused, "").map_err(SiteError::file("write", &refused))?;
                }
                failed.rustup = true;
            }
            SourcesStep::InstallPackages => {
                match apt::install(&PACKAGES, &tree.log("apt"), progress) {
                    // If no sources were installed, the next turn of the loop finds none.
                    Ok(()) | Err(SiteError::PackagesMissing { .. }) => failed.packages = true,
                    Err(error) => return Err(error),
                }
            }
            SourcesStep::GiveUp => return Ok(None),
        }
    }
}
