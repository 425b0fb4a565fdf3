//! `TextFile`: a file that appears at its path when it is complete, or not at all.

use super::CliError;
use super::output_file::partial_file;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A text that is written beside its path and moved there by [`TextFile::finish`].
pub struct TextFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl TextFile {
    /// An empty file; a file at `path` stays until the new one is complete.
    ///
    /// # Errors
    /// [`CliError::BadOutput`] if `path` is a folder or one of `inputs`, [`CliError::Write`] if its folder cannot be
    /// written to.
    pub fn create(path: &Path, inputs: &[PathBuf]) -> Result<Self, CliError> {
        let refuse = |reason, hint| CliError::BadOutput {
            path: path.to_owned(),
            reason,
            hint,
        };
        if path.is_dir() {
            return Err(refuse("it is a folder", "give the path of a file in it"));
        }
        if path.exists() && !path.is_file() {
            return Err(refuse(
                "it is not a regular file",
                "give the path of a file",
            ));
        }
        let place = path.canonicalize().ok();
        let is_input = |input: &PathBuf| place.is_some() && input.canonicalize().ok() == place;
        if inputs.iter().any(is_input) {
            return Err(refuse("it is read from", "give another name"));
        }
        let file = partial_file(path).map_err(|source| write_error(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 20, file),
        })
    }

    /// Writes the whole of it with `write`, and moves it to its path.
    ///
    /// # Errors
    /// [`CliError::Write`]; nothing is left behind then.
    pub fn finish<T>(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> Result<T, CliError> {
        let Self { path, mut file } = self;
        let written = write(&mut file).and_then(|written| {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(written)
        });
        written.map_err(|source| write_error(&path, source))
    }
}

fn write_error(path: &Path, source: io::Error) -> CliError {
    CliError::Write {
        path: path.to_owned(),
        source,
    }
}
