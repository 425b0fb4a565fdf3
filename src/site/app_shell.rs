//! `AppShell`: the files of a built page by hash and length, which its service worker caches for visits without a network.

use super::{SiteError, files, loader, one_file};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The script that has the list.
pub(super) const SERVICE_WORKER: &str = "sw.js";
/// The beginning of the script's line with the list.
const LINE: &str = "const SHELL = ";

/// All files of a built page but the service worker itself, the page in one file, and source maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppShell {
    /// A name for this set of files, from their hashes.
    pub build: String,
    /// The files, by path in the folder.
    pub files: BTreeMap<String, AppShellFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppShellFile {
    /// Its SHA-256 as `fetch` takes it: `sha256-BASE64`.
    pub integrity: String,
    /// Its length.
    pub bytes: u64,
}

impl AppShell {
    /// Reads and hashes the files of `dist`.
    ///
    /// # Errors
    /// [`SiteError::File`].
    pub fn of(dist: &Path) -> Result<Self, SiteError> {
        let mut files = BTreeMap::new();
        for (name, path) in files::files(dist)? {
            if name == SERVICE_WORKER || name == one_file::NAME || name.ends_with(".map") {
                continue;
            }
            let content = fs::read(&path).map_err(SiteError::file("read", &path))?;
            let file = AppShellFile {
                integrity: format!("sha256-{}", STANDARD.encode(Sha256::digest(&content))),
                bytes: content.len() as u64,
            };
            files.insert(name, file);
        }
        let mut hasher = Sha256::new();
        for (name, file) in &files {
            hasher.update(name);
            hasher.update(&file.integrity);
        }
        let build = base16ct::lower::encode_string(&hasher.finalize()[..8]);
        Ok(Self { build, files })
    }

    /// Writes the list into the service worker of `dist`, in place of an earlier one.
    ///
    /// # Errors
    /// [`SiteError::File`].
    pub fn write(&self, dist: &Path) -> Result<(), SiteError> {
        let path = dist.join(SERVICE_WORKER);
        let script = fs::read_to_string(&path).map_err(SiteError::file("read", &path))?;
        let list = serde_json::to_string(self).expect("strings and numbers are JSON");
        files::write_whole(&path, loader::with_line(&script, LINE, &list).as_bytes())
    }
}
