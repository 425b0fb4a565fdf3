//! Turns a refusal of a model, by the choice of its files or by the engine, into an error of the acquisition.

use std::error::Error;

use crate::engine::EngineError;
use crate::protocol::{ErrorCode, ErrorReport};
use crate::web::shared::js_error::WebError;

/// The error for files that do not form a model that can be opened.
pub(super) fn not_a_model(error: &dyn Error, hint: &str) -> WebError {
    WebError::Refused(Box::new(ErrorReport {
        code: ErrorCode::NotAModel,
        message: error.to_string(),
        hint: hint.to_owned(),
        retryable: false,
    }))
}

/// The error for bytes that the engine refused, or had no room to write.
pub(super) fn refused(error: &EngineError) -> WebError {
    if error.is_storage_full() {
        return WebError::StorageFull;
    }
    WebError::Refused(Box::new(ErrorReport::from(error)))
}
