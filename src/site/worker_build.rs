//! `WorkerBuild`: the four builds of a worker's program, of which a visitor downloads one.

use super::bindings::{ScriptKind, bind};
use super::compressed::{self, Effort};
use super::toolchain::TARGET;
use super::wasm_cargo::{WORKER_PACKAGE, WasmCargo};
use super::{Progress, SiteError, SourceTree, WorkerProgram, files};
use std::fs;
use std::path::Path;

/// A build of a worker's program: on one thread or several, with relaxed SIMD or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkerBuild {
    /// For every browser; part of the first page.
    Plain,
    /// For browsers with relaxed SIMD.
    Relaxed,
    /// For isolated pages.
    Threads,
    /// For isolated pages of browsers with relaxed SIMD.
    ThreadsRelaxed,
}

impl WorkerBuild {
    /// All builds.
    pub const ALL: [Self; 4] = [
        Self::Plain,
        Self::Relaxed,
        Self::Threads,
        Self::ThreadsRelaxed,
    ];

    /// The beginning of the name of a folder in the page that has files of a build not yet finished.
    pub(super) const UNFINISHED: &str = ".adding-";

    /// The name of its files, without their endings.
    #[must_use]
    pub fn name(self, program: WorkerProgram) -> String {
        let ending = match self {
            Self::Plain => "",
            Self::Relaxed => "_relaxed",
            Self::Threads => "_threads",
            Self::ThreadsRelaxed => "_threads_relaxed",
        };
        format!("{}{ending}", program.bin())
    }

    /// Whether it shares its memory between threads.
    #[must_use]
    pub fn has_threads(self) -> bool {
        matches!(self, Self::Threads | Self::ThreadsRelaxed)
    }

    /// Whether it uses relaxed SIMD.
    #[must_use]
    pub fn has_relaxed(self) -> bool {
        matches!(self, Self::Relaxed | Self::ThreadsRelaxed)
    }

    /// The engine's files of this build in a built page: JavaScript and WebAssembly.
    #[must_use]
    pub fn files(self) -> [String; 2] {
        self.files_of(WorkerProgram::Engine)
    }

    /// The same of a program.
    pub(super) fn files_of(self, program: WorkerProgram) -> [String; 2] {
        let name = self.name(program);
        [format!("{name}.js"), format!("{name}_bg.wasm")]
    }

    /// Compiles it with `cargo` and puts its two files into `dist`.
    ///
    /// # Errors
    /// [`SiteError::StepFailed`] if the sources do not compile; [`SiteError::NotBound`]; [`SiteError::File`].
    pub(super) fn add(
        self,
        program: WorkerProgram,
        tree: &SourceTree,
        cargo: &WasmCargo,
        dist: &Path,
        progress: Progress,
    ) -> Result<(), SiteError> {
        let name = self.name(program);
        let mut command = cargo.background("rustc");
        command
            .args(["--locked", "--profile", "web", "--target", TARGET])
            .args(["--package", WORKER_PACKAGE, "--bin", program.bin()]);
        if self.has_relaxed() {
            command.args(["--features", "relaxed"]);
        }
        if self.has_threads() {
            // Link arguments of the program alone, so that another limit does not rebuild its dependencies.
            command.arg("--").args(super::threads::link_args());
        }
        progress.run(
            &format!("build {name}"),
            &mut command,
            &tree.log(&name),
            None,
        )?;
        let compiled = cargo.program_folder().join(program.bin());
        put_programs(dist, |folder| {
            bind(
                &compiled.with_extension("wasm"),
                ScriptKind::Classic,
                &name,
                folder,
            )
        })
    }
}

/// Moves the files that `make` writes into an empty folder into `dist`, compressed copies included.
///
/// # Errors
/// Those of `make`; [`SiteError::File`].
pub(super) fn put_programs(
    dist: &Path,
    make: impl FnOnce(&Path) -> Result<(), SiteError>,
) -> Result<(), SiteError> {
    // Beside the page, so that renaming moves a file into it whole.
    let folder = tempfile::Builder::new()
        .prefix(WorkerBuild::UNFINISHED)
        .tempdir_in(dist)
        .map_err(SiteError::file("write", dist))?;
    make(folder.path())?;
    compressed::write_all(folder.path(), Effort::Thorough)?;
    // Programs come first, and each file before its copies.
    let mut made = files::files(folder.path())?;
    made.sort_by_key(|(file, _)| (!file.contains(".wasm"), file.clone()));
    for (file, from) in made {
        let to = dist.join(&file);
        fs::rename(from, &to).map_err(SiteError::file("write", &to))?;
    }
    Ok(())
}
