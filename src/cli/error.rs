//! `CliError`: why a command stopped, and the remedy in the words of the command line.

use crate::engine::EngineError;
use crate::finetune::FineTuneError;
use crate::generate::GenerateError;
use crate::hub::{Endpoint, ModelAddress, PlanError, RepoId, ShardIndexError};
use crate::posts::archive::ReadError;
use crate::posts::counts::{Counts, MIN_CHARACTERS};
use crate::runs::RunError;
use crate::site::SiteError;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Why a command stopped; every layer's error becomes one of these.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Building or serving the page.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// A file named on the command line cannot be read.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file that is not a model card.
    #[error("cannot read `{path}` as a model card: {source}", path = path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: crate::card::CardError,
    },
    /// Facts of which no card can be written.
    #[error("cannot write a card of `{path}`: {source}", path = path.display())]
    CardWrite {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: crate::card::CardWriteError,
    },
    /// A file or folder that is no export of posts, or a damaged one.
    #[error("cannot read the posts of `{path}`: {source}", path = path.display())]
    Posts {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: ReadError,
        /// Posts read before.
        n_posts: u64,
    },
    /// An export without posts.
    #[error("`{path}` holds no posts", path = path.display())]
    NoPosts {
        /// The file.
        path: PathBuf,
    },
    /// Two files of one account.
    #[error("two of the files hold posts of @{handle}")]
    SameAccount {
        /// The account, as compared.
        handle: String,
    },
    /// More accounts than a bot can have.
    #[error("a bot is made of one to three accounts, not of {got}")]
    TooManyAccounts {
        /// The files given.
        got: usize,
    },
    /// An account with too little text.
    #[error(
        "@{handle} has {got} characters of posts to learn from, fewer than {MIN_CHARACTERS}: of {downloaded} posts, \
         {retweets} are retweets, {short} are too short, {kept} are kept",
        got = counts.joined_characters(), downloaded = counts.downloaded, retweets = counts.retweets,
        short = counts.short, kept = counts.kept
    )]
    TooLittleText {
        /// The account, as compared.
        handle: String,
        /// Its counts.
        counts: Counts,
    },
    /// Standard output.
    #[error("cannot write the result: {0}")]
    Print(#[source] std::io::Error),
    /// A result that JSON cannot express.
    #[error("cannot write the result as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// No file or folder has the path of MODEL.
    #[error("there is no file or folder `{path}`", path = path.display())]
    NoSuchModel {
        /// As given.
        path: PathBuf,
    },
    /// MODEL is a pipe, a device or a socket.
    #[error("`{path}` is neither a file nor a folder", path = path.display())]
    NotAFile {
        /// As given.
        path: PathBuf,
    },
    /// A folder in which no model can be chosen.
    #[error("cannot open the folder `{path}`: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: PlanError,
    },
    /// The list of a sharded model's files.
    #[error("cannot follow `{path}`: {source}", path = path.display())]
    ShardIndex {
        /// The list.
        path: PathBuf,
        /// The cause.
        source: ShardIndexError,
    },
    /// MODEL cannot be opened.
    #[error("cannot open `{name}`: {source}")]
    Model {
        /// Path, or the name of the bundled model.
        name: String,
        /// The cause.
        source: Box<EngineError>,
    },
    /// A value out of range.
    #[error("`{flag}` is {got}, which is out of range")]
    BadFlag {
        /// The flag as typed.
        flag: String,
        /// The given value.
        got: String,
        /// The allowed values, in words.
        allowed: String,
    },
    /// A request that the model refused.
    #[error("{0}")]
    Engine(#[source] Box<EngineError>),
    /// A file to be scored without any text.
    #[error("`{path}` holds no text", path = path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not a text.
    #[error("`{path}` is not UTF-8 text", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A path at which the result must not be written.
    #[error("cannot write `{path}`: {reason}", path = path.display())]
    BadOutput {
        /// The result's path.
        path: PathBuf,
        /// The cause.
        reason: &'static str,
        /// The remedy.
        hint: &'static str,
    },
    /// A training that cannot begin or go on.
    #[error(transparent)]
    FineTune(#[from] FineTuneError),
    /// A run's file.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Run {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: RunError,
    },
    /// No run of a folder has this id.
    #[error("`{path}` has no run `{id}`", path = path.display())]
    NoSuchRun {
        /// The folder.
        path: PathBuf,
        /// As given.
        id: String,
    },
    /// A file that cannot be written.
    #[error("cannot write `{path}`: {source}", path = path.display())]
    Write {
        /// The result's path.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl CliError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Site(source) => source.hint().into(),
            Self::Card { source, .. } => source.hint().into(),
            Self::CardWrite { source, .. } => source.hint().into(),
            Self::Posts {
                source, n_posts, ..
            } => match n_posts {
                0 => source.hint().into(),
                n => format!(
                    "{}; or give --partial to go on with the {n} posts before",
                    source.hint()
                )
                .into(),
            },
            Self::NoPosts { .. } => {
                "check that it is the file you mean; a text has a post per line".into()
            }
            Self::SameAccount { .. } => "give each account once".into(),
            Self::TooManyAccounts { .. } => "leave some out".into(),
            Self::TooLittleText { .. } => {
                "add another account, or give --little-text to make the text nevertheless".into()
            }
            Self::Read { .. } => "check the path and its permissions".into(),
            Self::Print(_) => "check the file or device that the output goes to".into(),
            Self::Json(_) => "leave out --json".into(),
            Self::NoSuchModel { path } => match repository(path) {
                Some(repo) => format!(
                    "check the path; a model on the Hub must be downloaded first, for example with \
                     `hf download {repo} --local-dir {name}`: give that folder",
                    name = repo.as_str().rsplit('/').next().unwrap_or("model"),
                )
                .into(),
                None => "give the path of a .gguf file or of a model folder".into(),
            },
            Self::NotAFile { .. } => {
                "a model is read at many places, so write it to a file first".into()
            }
            Self::Folder { source, .. } => source.hint().into(),
            Self::ShardIndex { source, .. } => source.hint().into(),
            Self::Model { source, .. } | Self::Engine(source) => match &**source {
                EngineError::Generate(error) => {
                    flag(error).map_or_else(|| source.hint(), Cow::from)
                }
                _ => source.hint(),
            },
            Self::BadFlag { allowed, .. } => format!("it must be {allowed}").into(),
            Self::NoText { .. } => {
                "give a file with one document, or several separated by blank lines".into()
            }
            Self::NotUtf8 { .. } => "convert it first, for example with iconv".into(),
            Self::BadOutput { hint, .. } => (*hint).into(),
            Self::FineTune(FineTuneError::TooLittleText { got, .. }) => {
                format!("add posts, or give --block {got} or less").into()
            }
            Self::FineTune(source) => source.hint().into(),
            Self::Run { .. } => "take the file out of the folder of runs".into(),
            Self::NoSuchRun { path, .. } => {
                format!("`runs list {}` lists them", path.display()).into()
            }
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "create the folder first".into()
            }
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "choose a folder that you may write to".into()
            }
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "free some space, or choose a folder on another disk".into()
            }
            Self::Write { .. } => "check the free space and the permissions of the folder".into(),
        }
    }
}

/// The repository on the Hub that a path without a file may mean, by the rule of the page and the module.
fn repository(path: &Path) -> Option<RepoId> {
    let address = ModelAddress::parse(path.to_str()?, &Endpoint::default()).ok()?;
    match address {
        ModelAddress::Repository { repo, .. } => Some(repo),
        _ => None,
    }
}

/// The remedy that is an option of the command line.
fn flag(error: &GenerateError) -> Option<&'static str> {
    match error {
        GenerateError::ContextOverflow { .. } => {
            Some("shorten the prompt or lower --max-new-tokens")
        }
        GenerateError::NoRoom { .. } | GenerateError::MaxLengthBeyondContext { .. } => {
            Some("shorten the prompt or give --max-new-tokens")
        }
        GenerateError::FewBeams { .. } => Some("raise --num-beams or lower --n"),
        GenerateError::AllForbidden => {
            Some("loosen --no-repeat-ngram-size, --bad-words-ids or --suppress-tokens")
        }
        GenerateError::BrokenLogits => Some("take the model's files from its repository again"),
        _ => None,
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
