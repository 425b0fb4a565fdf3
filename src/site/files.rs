//! The files below a folder, each with its path from there, and writing one in a single step.

use super::SiteError;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// Each file's name from `dir`, with slashes as an address has them, and its path; sorted by name within each folder.
/// Names that begin with a dot are left out: they belong to unfinished builds.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn files(dir: &Path) -> Result<Vec<(String, PathBuf)>, SiteError> {
    let mut files = Vec::new();
    let walk = WalkDir::new(dir).follow_links(true).sort_by_file_name();
    let is_shown = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    for entry in walk.into_iter().filter_entry(is_shown) {
        let entry = entry.map_err(|error| walk_error(dir, error))?;
        if !entry.file_type().is_dir() {
            files.push((name_from(dir, entry.path()), entry.into_path()));
        }
    }
    Ok(files)
}

/// The path from `dir` to `path`, which lies below it, with slashes.
pub(super) fn name_from(dir: &Path, path: &Path) -> String {
    let below = path.strip_prefix(dir).unwrap_or(path);
    let parts: Vec<_> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

/// The error of a walk below `dir`.
pub(super) fn walk_error(dir: &Path, error: walkdir::Error) -> SiteError {
    let path = error.path().unwrap_or(dir).to_owned();
    SiteError::file("read", path)(io::Error::from(error))
}

/// Writes a file so that a reader finds either the earlier content or the whole new one.
///
/// # Errors
/// [`SiteError::File`].
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), SiteError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        allow_reading(file.as_file())?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(SiteError::file("write", path))
}

/// Temporary files are readable by their owner only; a page's files must be readable by the program that serves them.
#[cfg(unix)]
fn allow_reading(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_reading(_: &fs::File) -> io::Result<()> {
    Ok(())
}
