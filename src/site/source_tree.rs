//! `SourceTree`: the folder of a clone, and the folders that the build uses in it.

use super::SiteError;
use std::path::{Path, PathBuf};

/// The root of a clone of this repository.
#[derive(Debug, Clone)]
pub struct SourceTree {
    root: PathBuf,
}

impl SourceTree {
    /// Looks upwards from the current directory, then where `cargo run` says the package is.
    ///
    /// # Errors
    /// [`SiteError::NoSources`] if neither leads to the repository.
    pub fn find() -> Result<Self, SiteError> {
        let from = std::env::current_dir().map_err(SiteError::file("enter", "."))?;
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        from.ancestors()
            .map(Path::to_path_buf)
            .chain(package)
            .find(|dir| Self::is_root(dir))
            .map(|root| Self { root })
            .ok_or(SiteError::NoSources { from })
    }

    /// Whether `dir` has the files that only this repository has.
    #[must_use]
    pub fn is_root(dir: &Path) -> bool {
        [
            "Cargo.toml",
            "Trunk.toml",
            "www/index.html",
            "src/bin/app.rs",
        ]
        .iter()
        .all(|file| dir.join(file).is_file())
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the page by default: `dist`.
    #[must_use]
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The folder of the page's build: `target/site`, apart from the native build so that neither waits for the other.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// The file with a step's whole output.
    #[must_use]
    pub fn log(&self, step: &str) -> PathBuf {
        self.scratch().join("logs").join(format!("{step}.log"))
    }
}
