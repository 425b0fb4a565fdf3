//! `AppShell`: the files of a built page by hash and length, which its service worker caches for visits without a network.

use super::compressed::{self, Effort};
use super::{SiteError, WorkerProgram, files, loader, one_file};
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

/// All files of a built page but the service worker itself, the page in one file, compressed copies, source
/// maps, and files that only other sites and developers read.
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
    /// Whether only pages of other sites or the maker need it; it is then cached after its first use.
    #[serde(rename = "onDemand", skip_serializing_if = "std::ops::Not::not")]
    pub on_demand: bool,
}

impl AppShell {
    /// Reads and hashes the files of `dist`.
    ///
    /// # Errors
    /// [`SiteError::File`].
    pub fn of(dist: &Path) -> Result<Self, SiteError> {
        let mut files = BTreeMap::new();
        for (name, path) in files::files(dist)? {
            let is_left_out = name == SERVICE_WORKER
                || name == one_file::NAME
                || name.ends_with(".map")
                || compressed::is_copy(&name)
                || is_for_others(&name);
            if is_left_out {
                continue;
            }
            let content = fs::read(&path).map_err(SiteError::file("read", &path))?;
            let file = AppShellFile {
                integrity: format!("sha256-{}", STANDARD.encode(Sha256::digest(&content))),
                bytes: content.len() as u64,
                on_demand: is_for_hosts(&name) || is_of_maker(&name),
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
        let script = loader::with_line(&script, LINE, &list);
        compressed::replace(&path, script.as_bytes(), Effort::Thorough)
    }
}

/// Whether the file is part of the element or of the ES module, which the page itself does not use.
pub(super) fn is_for_hosts(name: &str) -> bool {
    let names = [
        "embed.js",
        "embed_frame.js",
        "engine.html",
        "engine.js",
        "huggingtweets.js",
        "start_worker.js",
    ];
    names.contains(&name) || name.starts_with("module/")
}

/// Whether the file is part of the maker's programs, which the page starts when its maker opens.
pub(super) fn is_of_maker(name: &str) -> bool {
    name.starts_with("maker") || name.starts_with(WorkerProgram::Trainer.bin())
}

/// Whether the file is one of those by which other sites show a bot, or one for developers.
fn is_for_others(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    ["oembed.json", "preview.png", "copy.mjs", "package.json"].contains(&file)
        || file.ends_with(".d.ts")
}
