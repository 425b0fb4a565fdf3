//! `Worker`: the worker's four builds, of which a visitor gets one; trunk makes the first with the page.

use super::toolchain::TARGET;
use super::{Progress, SiteError, SourceTree};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A build of the worker: on one thread or several, with relaxed SIMD or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// For every browser.
    Plain,
    /// For browsers with relaxed SIMD.
    Relaxed,
    /// For isolated pages.
    Threads,
    /// For isolated pages of browsers with relaxed SIMD.
    ThreadsRelaxed,
}

impl Worker {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Plain,
        Self::Relaxed,
        Self::Threads,
        Self::ThreadsRelaxed,
    ];

    /// What its files are called, without their endings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "worker",
            Self::Relaxed => "worker_relaxed",
            Self::Threads => "worker_threads",
            Self::ThreadsRelaxed => "worker_threads_relaxed",
        }
    }

    /// Its files in a built page: JavaScript, WebAssembly, and with threads the script that begins one.
    #[must_use]
    pub fn files(self) -> Vec<String> {
        let name = self.name();
        let helper = matches!(self, Self::Threads | Self::ThreadsRelaxed);
        let mut files = vec![format!("{name}.js"), format!("{name}_bg.wasm")];
        files.extend(helper.then(|| "worker_helper.js".to_owned()));
        files
    }

    /// Fills in a line of `www/worker_loader.js` in `dist`, which says that a build is not there.
    pub(super) fn tell_loader(dist: &Path, absent: &str, present: &str) -> Result<(), SiteError> {
        let loader = dist.join("worker_loader.js");
        let text = fs::read_to_string(&loader).map_err(SiteError::file("read", &loader))?;
        assert!(text.contains(absent), "the loader has the line `{absent}`");
        fs::write(&loader, text.replace(absent, present)).map_err(SiteError::file("write", loader))
    }

    /// Asks `cargo rustc` for it.
    pub(super) fn ask_for(self, cargo: &mut Command) {
        cargo.args(["--profile", "web", "--bin", "worker"]);
        if matches!(self, Self::Relaxed | Self::ThreadsRelaxed) {
            cargo.args(["--features", "relaxed"]);
        }
    }

    /// Runs `cargo`, which builds it into `target`, and binds it to JavaScript in `dist`.
    ///
    /// # Errors
    /// [`SiteError::StepFailed`] if the sources do not compile.
    pub(super) fn make(
        self,
        tree: &SourceTree,
        mut cargo: Command,
        target: &Path,
        tools: &Path,
        dist: &Path,
        progress: Progress,
    ) -> Result<(), SiteError> {
        let name = self.name();
        let step = format!("build {name} (cargo)");
        progress.run(&step, &mut cargo, &tree.log(name), None)?;
        let mut bindgen = Command::new(tools.join("wasm-bindgen"));
        bindgen
            .args(["--target", "no-modules", "--no-typescript"])
            .args(["--out-name", name, "--out-dir"])
            .arg(dist)
            .arg(target.join(TARGET).join("web/worker.wasm"));
        progress.run(
            "bind it to JavaScript (wasm-bindgen)",
            &mut bindgen,
            &tree.log(&format!("{name}-bindgen")),
            None,
        )
    }
}
