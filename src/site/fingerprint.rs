//! `Fingerprint`: whether the page in a folder is made of today's sources.

use super::{SiteError, SourceTree};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// What the page is made of.
const INPUTS: [&str; 7] = [
    ".cargo",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "assets",
    "src",
    "www",
];
/// Native only, so a change there leaves the page as it is.
const NOT_INPUTS: [&str; 5] = [
    "src/cli",
    "src/cli.rs",
    "src/site",
    "src/site.rs",
    "src/bin/huggingtweets.rs",
];

/// A hash of the sources and of how they are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Hashes names and contents of all inputs, and `settings`.
    ///
    /// # Errors
    /// [`SiteError::File`] if one cannot be read.
    pub fn of(root: &Path, settings: &[&str]) -> Result<Self, SiteError> {
        let mut files = Vec::new();
        for input in INPUTS {
            collect(root, Path::new(input), &mut files)?;
        }
        files.sort();
        let mut hasher = Sha256::new();
        for setting in settings {
            hasher.update((setting.len() as u64).to_le_bytes());
            hasher.update(setting);
        }
        for file in files {
            let path = root.join(&file);
            let content = fs::read(&path).map_err(SiteError::file("read", path))?;
            let name = file.to_string_lossy();
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update((content.len() as u64).to_le_bytes());
            hasher.update(content);
        }
        Ok(Self(hex(&hasher.finalize())))
    }

    /// Whether `dist` was built from these sources.
    #[must_use]
    pub fn matches(&self, tree: &SourceTree, dist: &Path) -> bool {
        dist.join("index.html").is_file()
            && fs::read_to_string(stamp(tree, dist)).is_ok_and(|stamp| stamp.trim() == self.0)
    }

    /// Notes that `dist` was built from these sources.
    ///
    /// # Errors
    /// [`SiteError::File`] if the note cannot be written.
    pub fn record(&self, tree: &SourceTree, dist: &Path) -> Result<(), SiteError> {
        let path = stamp(tree, dist);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(SiteError::file("create", folder))?;
        }
        fs::write(&path, &self.0).map_err(SiteError::file("write", path))
    }

    /// Forgets what `dist` was built from, as before a build that may be interrupted.
    pub fn forget(tree: &SourceTree, dist: &Path) {
        // Absent is what is wanted.
        let _ = fs::remove_file(stamp(tree, dist));
    }
}

/// The note lies outside `dist`, which holds only what is to be published.
fn stamp(tree: &SourceTree, dist: &Path) -> PathBuf {
    let name = hex(&Sha256::digest(dist.to_string_lossy().as_bytes()));
    tree.scratch().join("stamps").join(&name[..16])
}

fn collect(root: &Path, relative: &Path, files: &mut Vec<PathBuf>) -> Result<(), SiteError> {
    if NOT_INPUTS
        .iter()
        .any(|skipped| relative == Path::new(skipped))
    {
        return Ok(());
    }
    let path = root.join(relative);
    if path.is_file() {
        files.push(relative.to_owned());
    } else if path.is_dir() {
        for entry in fs::read_dir(&path).map_err(SiteError::file("read", &path))? {
            let entry = entry.map_err(SiteError::file("read", &path))?;
            collect(root, &relative.join(entry.file_name()), files)?;
        }
    }
    Ok(())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
