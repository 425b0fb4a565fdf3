//! `OutputFile`: a GGUF file that appears at its path when it is complete, or not at all.

use super::CliError;
use crate::engine::WriteAt;
use crate::engine::defaults;
use crate::weights::gguf::Header;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The files that an output may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// A GGUF that this program has written, unless it is an input.
    OwnOutput,
    /// Any file.
    Any,
}

/// A file that is written beside its path under another name and moved there by [`OutputFile::finish`]. Dropped before
/// that, it leaves nothing behind.
pub struct OutputFile {
    path: PathBuf,
    file: NamedTempFile,
}

/// A temporary file in the folder of `path`, which is moved to it once it is complete.
pub(super) fn partial_file(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".huggingtweets-").suffix(".partial");
    // Temporary files are otherwise readable by their owner alone, and so would be the result.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

impl OutputFile {
    /// An empty file; a file at `path` stays until the new one is complete.
    ///
    /// # Errors
    /// [`CliError::BadOutput`] if `path` is a folder, does not end in `.gguf`, or is a file that must not be replaced;
    /// [`CliError::Write`] if no file can be created in its folder.
    pub fn create(path: &Path, overwrite: Overwrite, inputs: &[PathBuf]) -> Result<Self, CliError> {
        check(path, overwrite, inputs)?;
        let file = partial_file(path).map_err(|source| CliError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Moves the file to its path.
    ///
    /// # Errors
    /// [`CliError::Write`]; nothing is left behind then.
    pub fn finish(self) -> Result<(), CliError> {
        let synced = self.file.as_file().sync_all();
        synced
            .and_then(|()| Ok(self.file.persist(&self.path)?))
            .map(drop)
            .map_err(|source| CliError::Write {
                path: self.path,
                source,
            })
    }
}

impl WriteAt for OutputFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_file_mut();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }
}

/// Refuses a path at which nothing may be written.
fn check(path: &Path, overwrite: Overwrite, inputs: &[PathBuf]) -> Result<(), CliError> {
    let refuse = |reason, hint| {
        Err(CliError::BadOutput {
            path: path.to_owned(),
            reason,
            hint,
        })
    };
    if path.is_dir() {
        return refuse("it is a folder", "give the path of a file in it");
    }
    // Replacing a device would take it away; opening a pipe would wait for its other end.
    if path.exists() && !path.is_file() {
        return refuse("it is not a regular file", "give the path of a file");
    }
    let is_gguf = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"));
    if !is_gguf {
        return refuse("the result is a GGUF", "give a name that ends in .gguf");
    }
    if overwrite == Overwrite::Any || !path.exists() {
        return Ok(());
    }
    let place = path.canonicalize().ok();
    let is_input = |input: &PathBuf| place.is_some() && input.canonicalize().ok() == place;
    if inputs.iter().any(is_input) {
        return refuse(
            "it is the model that is read",
            "give another name, or --force to replace it",
        );
    }
    let header = File::open(path)
        .ok()
        .and_then(|mut file| Header::read(&mut file).ok());
    if !header.is_some_and(|header| defaults::are_in(&header.metadata)) {
        return refuse(
            "a file that this program did not write is there already",
            "give another name, or --force to replace it",
        );
    }
    Ok(())
}
