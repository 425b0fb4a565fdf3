//! `SourceTree`: where the repository is and where things in it lie.

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

    /// Whether `dir` holds what the page is built from.
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

    /// Where the page is built if nobody names another place.
    #[must_use]
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Installed tools: `target/tools`.
    #[must_use]
    pub fn tools(&self) -> PathBuf {
        self.root.join("target/tools")
    }

    /// Everything the page's build leaves behind: `target/site`, apart from the native build so that
    /// neither waits for or rebuilds the other.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// Where a step's whole output is kept.
    #[must_use]
    pub fn log(&self, step: &str) -> PathBuf {
        self.scratch().join("logs").join(format!("{step}.log"))
    }
}
