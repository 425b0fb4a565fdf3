//! Why a command stopped, said once, in one sentence.

use crate::engine::EngineError;
use crate::site::SiteError;
use std::borrow::Cow;
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
    /// MODEL names nothing.
    #[error("there is no file or folder `{path}`; give the path of a .gguf file or of a model folder, or leave --model out for the bundled model", path = path.display())]
    NoSuchModel {
        /// As given.
        path: PathBuf,
    },
    /// A folder that is no model.
    #[error("the folder `{path}` has no {missing}; a model folder holds what its repository on the Hub holds", path = path.display())]
    IncompleteFolder {
        /// The folder.
        path: PathBuf,
        /// The absent file.
        missing: &'static str,
    },
    /// The list of a sharded model's files cannot be followed.
    #[error("`{path}` names no files beside it; take the folder from the model's repository again", path = path.display())]
    BadShardIndex {
        /// The list.
        path: PathBuf,
    },
    /// MODEL cannot be opened.
    #[error("cannot open `{name}`: {source}")]
    Model {
        /// Path, or what the bundled model is called.
        name: String,
        /// What is wrong with it.
        source: Box<EngineError>,
    },
    /// A request the model refused.
    #[error(transparent)]
    Engine(Box<EngineError>),
    /// A text to be scored without any.
    #[error("`{path}` holds no text; give a file with one document or several, parted by blank lines", path = path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// A text that is none.
    #[error("`{path}` is not UTF-8 text; convert it first, for example with iconv", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A file that would be written over what it is made from, or onto a folder.
    #[error("cannot write `{path}`: {reason}; give another path for the result", path = path.display())]
    BadOutput {
        /// The result's path.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// A file that cannot be written.
    #[error("cannot write `{path}`: {source}; check the free space and the permissions of the folder, nothing was left behind", path = path.display())]
    Write {
        /// The result's path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl CliError {
    /// The remedy, where it is known apart from the fact.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Site(source) => Some(source.hint().into()),
            _ => None,
        }
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::Engine(Box::new(error))
    }
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
