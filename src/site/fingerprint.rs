//! `Fingerprint`: tells whether a built page is up to date with the sources.

use super::{SiteError, SourceTree, files};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The files and folders that the page is built from.
const INPUTS: [&str; 11] = [
    ".cargo",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "assets",
    "kernels",
    "maker",
    "posts",
    "src",
    "worker",
    "www",
];
/// Native code and files for developers, which do not change the page.
const NOT_INPUTS: [&str; 9] = [
    "assets/screenshots",
    "assets/tools",
    "posts/benches",
    "posts/tests",
    "src/cli",
    "src/cli.rs",
    "src/site",
    "src/site.rs",
    "src/bin/huggingtweets.rs",
];

/// A hash of the sources and of the build's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(String);

/// How far a page is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It opens and has the plain build of the worker.
    FirstPage,
    /// It has every build that this machine can make.
    Complete,
}

/// The record of a finished stage.
#[derive(Serialize, Deserialize)]
struct Record {
    fingerprint: Fingerprint,
    stage: Stage,
}

impl Fingerprint {
    /// Hashes names and contents of all inputs, and `settings`.
    ///
    /// # Errors
    /// [`SiteError::File`] if an input cannot be read.
    pub fn of(root: &Path, settings: &[&str]) -> Result<Self, SiteError> {
        let mut hasher = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        for setting in settings {
            add(setting.as_bytes());
        }
        for path in input_files(root)? {
            add(files::name_from(root, &path).as_bytes());
            add(&fs::read(&path).map_err(SiteError::file("read", path))?);
        }
        Ok(Self(base16ct::lower::encode_string(&hasher.finalize())))
    }

    /// The hash in hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The stage that `dist` has reached with these sources; `None` if it was built from other sources.
    #[must_use]
    pub fn stage(&self, tree: &SourceTree, dist: &Path) -> Option<Stage> {
        let text = fs::read_to_string(record_path(tree, dist)).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        (record.fingerprint == *self && dist.join("index.html").is_file()).then_some(record.stage)
    }

    /// Records that `dist` has reached `stage` with these sources.
    ///
    /// # Errors
    /// [`SiteError::File`] if the record cannot be written.
    pub fn record(&self, tree: &SourceTree, dist: &Path, stage: Stage) -> Result<(), SiteError> {
        let path = record_path(tree, dist);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(SiteError::file("create", folder))?;
        }
        let record = Record {
            fingerprint: self.clone(),
            stage,
        };
        let text = serde_json::to_vec(&record).expect("strings are JSON");
        files::write_whole(&path, &text)
    }

    /// Removes the record of `dist`, before a build that may be interrupted.
    pub fn forget(tree: &SourceTree, dist: &Path) {
        // A record that is missing already is no error.
        let _ = fs::remove_file(record_path(tree, dist));
    }
}

/// The record lies outside `dist`, whose files are all published.
fn record_path(tree: &SourceTree, dist: &Path) -> PathBuf {
    let name = base16ct::lower::encode_string(&Sha256::digest(dist.to_string_lossy().as_bytes()));
    tree.scratch().join("stages").join(&name[..16])
}

fn input_files(root: &Path) -> Result<Vec<PathBuf>, SiteError> {
    let is_input = |path: &Path| NOT_INPUTS.iter().all(|skipped| path != root.join(skipped));
    let mut files = Vec::new();
    for input in INPUTS.map(|input| root.join(input)) {
        if !input.exists() {
            continue;
        }
        let walk = WalkDir::new(&input).follow_links(true).sort_by_file_name();
        for entry in walk
            .into_iter()
            .filter_entry(|entry| is_input(entry.path()))
        {
            let entry = entry.map_err(|error| files::walk_error(&input, error))?;
            if entry.file_type().is_file() {
                files.push(entry.into_path());
            }
        }
    }
    Ok(files)
}
