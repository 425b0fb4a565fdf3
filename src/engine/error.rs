//! `EngineError`: the errors of the engine and of the layers below, and their form as an `ErrorReport`.

use std::borrow::Cow;

use super::adapter::AdapterError;
use crate::generate::GenerateError;
use crate::infer::InferError;
use crate::model::ModelError;
use crate::protocol::{ErrorCode, ErrorReport};
use crate::tokenizer::TokenizerError;
use crate::weights::WeightsError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A job is requested while another job runs.
    #[error("another job of the model is running")]
    Working,
    /// A job is requested during a load.
    #[error("the model is still being loaded")]
    Loading,
    /// A job is requested before any load.
    #[error("no model is open yet")]
    NoModel,
    /// A load that was stopped.
    #[error("loading was stopped")]
    Cancelled,
    /// A request that the host answers.
    #[error("the engine cannot fetch a model by itself")]
    NotForTheEngine,
    /// The checkpoint cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The tokenizer cannot be read.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The adapter is not taken.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// The text cannot be generated.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl EngineError {
    /// Whether a write failed because the storage is full.
    pub fn is_storage_full(&self) -> bool {
        matches!(self, Self::Weights(WeightsError::Write { source }) if source.kind() == std::io::ErrorKind::StorageFull)
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Working => "wait for its end or stop it".into(),
            Self::Loading => "wait until it is ready".into(),
            Self::NoModel => "load a model first".into(),
            Self::Cancelled => "load the model again".into(),
            Self::NotForTheEngine => "reload the page".into(),
            Self::Generate(error) => error.hint(),
            Self::Weights(error) => error.hint().into(),
            Self::Tokenizer(error) => error.hint().into(),
            Self::Adapter(error) => error.hint().into(),
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Working | Self::Loading => ErrorCode::Busy,
            Self::NoModel => ErrorCode::NoModel,
            Self::Cancelled => ErrorCode::Cancelled,
            Self::NotForTheEngine => ErrorCode::BadMessage,
            Self::Weights(error) => weights_code(error),
            Self::Tokenizer(error) => tokenizer_code(error),
            Self::Adapter(AdapterError::Unsupported(_)) => ErrorCode::UnsupportedModel,
            Self::Adapter(_) => ErrorCode::NotAModel,
            Self::Generate(error) => match error {
                GenerateError::BadParameter { .. }
                | GenerateError::EmptyText
                | GenerateError::FewBeams { .. }
                | GenerateError::AllForbidden
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
        TokenizerError::Unsupported { .. } | TokenizerError::SentencePiece { .. } => {
            ErrorCode::UnsupportedModel
        }
        _ => ErrorCode::NotAModel,
    }
}

impl From<&EngineError> for ErrorReport {
    fn from(error: &EngineError) -> Self {
        let code = error.code();
        Self {
            code,
            message: error.to_string(),
            hint: error.hint().to_string(),
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
