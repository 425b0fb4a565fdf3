//! Why a command stopped, said once, in one sentence.

use crate::site::SiteError;
use std::path::{Path, PathBuf};

/// What a command can fail with; every layer's error becomes one of these.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Building or serving the page.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// A file named on the command line.
    #[error("cannot read `{path}`: {source}; check the path and its permissions", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no model card.
    #[error("cannot read `{path}` as a model card: {source}", path = path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: crate::card::CardError,
    },
    /// Standard output.
    #[error("cannot write the result: {0}; is the reading end of the pipe still open?")]
    Print(#[source] std::io::Error),
    /// A result that JSON cannot say.
    #[error("cannot write the result as JSON: {0}; leave out --json")]
    Json(#[from] serde_json::Error),
}

/// The bytes of a file named on the command line.
///
/// # Errors
/// [`CliError::Read`] with the path.
pub fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })
}
