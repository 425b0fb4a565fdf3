//! `OutputFile`: a file that is there whole or not at all.

use super::CliError;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Written beside its place under another name, and moved there by [`OutputFile::finish`].
/// Dropped before that, it leaves nothing behind.
pub struct OutputFile {
    path: PathBuf,
    partial: PathBuf,
    file: Option<BufWriter<File>>,
}

impl OutputFile {
    /// Ready to be written; what stands at `path` stays until the new file is whole.
    ///
    /// # Errors
    /// [`CliError::BadOutput`] if `path` is a folder or names no file, [`CliError::Write`] if its folder takes no file.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        let bad = |reason| CliError::BadOutput {
            path: path.to_owned(),
            reason,
        };
        if path.is_dir() {
            return Err(bad("it is a folder"));
        }
        let name = path.file_name().ok_or_else(|| bad("it names no file"))?;
        let mut partial = name.to_owned();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(partial);
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(&partial)
            .map_err(|source| CliError::Write {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file: Some(BufWriter::new(file)),
        })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// [`CliError::Write`]; the partial file is gone then.
    pub fn finish(mut self) -> Result<(), CliError> {
        let written = self.file.take().map_or(Ok(()), |file| {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()
        });
        written
            .and_then(|()| std::fs::rename(&self.partial, &self.path))
            .map_err(|source| CliError::Write {
                path: self.path.clone(),
                source,
            })
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        drop(self.file.take());
        // After `finish` there is none; where removing fails, there is nothing more to try.
        let _ = std::fs::remove_file(&self.partial);
    }
}
