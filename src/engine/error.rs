//! `EngineError`: everything that can go wrong below, and the one place where it becomes an `ErrorReport`.

use crate::generate::GenerateError;
use crate::infer::InferError;
use crate::model::ModelError;
use crate::protocol::{ErrorCode, ErrorReport};
use crate::tokenizer::TokenizerError;
use crate::weights::WeightsError;

/// Why a request could not be met.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A second job.
    #[error("the model already works on something; wait for it or stop it")]
    Working,
    /// A job during a load.
    #[error("the model is still being loaded; wait until it is ready")]
    Loading,
    /// A job before any load.
    #[error("no model is open yet; load one first")]
    NoModel,
    /// A load that was stopped.
    #[error("loading was stopped; press load to start again")]
    Cancelled,
    /// A request that is the host's to answer.
    #[error("this part of the program cannot fetch a model by itself; reload the page")]
    NotForTheEngine,
    /// Float weights come without one.
    #[error(
        "there is neither a tokenizer.json nor a vocab.json with its merges.txt; take them from the model's repository"
    )]
    NoTokenizer,
    /// The checkpoint.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The text.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl EngineError {
    /// Whether what was read had no room where it was to be written.
    pub fn is_storage_full(&self) -> bool {
        matches!(self, Self::Weights(WeightsError::Write { source }) if source.kind() == std::io::ErrorKind::StorageFull)
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Working | Self::Loading => ErrorCode::Busy,
            Self::NoModel => ErrorCode::NoModel,
            Self::Cancelled => ErrorCode::Cancelled,
            Self::NotForTheEngine => ErrorCode::BadMessage,
            Self::NoTokenizer => ErrorCode::NotAModel,
            Self::Weights(error) => weights_code(error),
            Self::Tokenizer(error) => tokenizer_code(error),
            Self::Generate(error) => match error {
                GenerateError::BadParameter { .. }
                | GenerateError::EmptyText
                | GenerateError::MaxLengthBeyondContext { .. } => ErrorCode::BadParameters,
                GenerateError::ContextOverflow { .. } | GenerateError::NoRoom { .. } => {
                    ErrorCode::ContextOverflow
                }
                GenerateError::Defaults { .. } | GenerateError::BrokenLogits => {
                    ErrorCode::NotAModel
                }
                GenerateError::Tokenizer(error) => tokenizer_code(error),
                GenerateError::Infer(InferError::ContextFull { .. }) => ErrorCode::ContextOverflow,
                GenerateError::Infer(InferError::TokenOutOfRange { .. }) => ErrorCode::NotAModel,
                GenerateError::Infer(InferError::OutOfMemory { .. }) => ErrorCode::OutOfMemory,
            },
        }
    }
}

fn weights_code(error: &WeightsError) -> ErrorCode {
    match error {
        WeightsError::Truncated { .. } => ErrorCode::Truncated,
        WeightsError::OutOfMemory { .. } => ErrorCode::OutOfMemory,
        WeightsError::Read { .. }
        | WeightsError::Write { .. }
        | WeightsError::BadJournal { .. } => ErrorCode::Download,
        WeightsError::UnsupportedModel { .. }
        | WeightsError::UnsupportedType { .. }
        | WeightsError::UnsupportedVersion { .. }
        | WeightsError::BigEndian
        | WeightsError::ForbiddenGlobal { .. }
        | WeightsError::Compressed { .. }
        | WeightsError::DataBeforeNames
        | WeightsError::NotContiguous { .. }
        | WeightsError::SharedNumbers { .. }
        | WeightsError::Config(ModelError::NotGpt2 { .. } | ModelError::UnsupportedOption { .. }) => {
            ErrorCode::UnsupportedModel
        }
        _ => ErrorCode::NotAModel,
    }
}

fn tokenizer_code(error: &TokenizerError) -> ErrorCode {
    match error {
        TokenizerError::TextTooLong { .. } => ErrorCode::ContextOverflow,
        TokenizerError::Unsupported { .. } => ErrorCode::UnsupportedModel,
        _ => ErrorCode::NotAModel,
    }
}

impl From<&EngineError> for ErrorReport {
    /// Every message of ours reads "fact; remedy", so the two parts are told apart at the last semicolon.
    fn from(error: &EngineError) -> Self {
        let text = error.to_string();
        let (message, hint) = text.rsplit_once("; ").unwrap_or((&text, ""));
        let code = error.code();
        Self {
            code,
            message: sentence(message),
            hint: sentence(hint),
            retryable: matches!(
                code,
                ErrorCode::Busy
                    | ErrorCode::NoModel
                    | ErrorCode::Cancelled
                    | ErrorCode::Truncated
                    | ErrorCode::Download
            ),
        }
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    format!("{}{}.", first.to_uppercase(), chars.as_str())
}
