//! The folders of downloaded crates in cargo's home, one for each registry.

use std::fs;
use std::path::PathBuf;

/// `$CARGO_HOME/registry/src/*`, or those in `~/.cargo`; none where nothing was downloaded.
pub(super) fn registries() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let found = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let mut folders: Vec<PathBuf> = found
        .into_iter()
        .flatten()
        .flatten()
        .map(|registry| registry.path())
        .collect();
    folders.sort();
    folders
}
