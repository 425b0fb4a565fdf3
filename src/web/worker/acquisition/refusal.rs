//! Refusals of a model by the choice of its files and by the engine, as errors of the acquisition.

use std::error::Error;

use crate::engine::EngineError;
use crate::protocol::{ErrorCode, ErrorReport};
use crate::web::shared::js_error::WebError;

/// The files do not form a model that can be opened.
pub(super) fn not_a_model(error: &dyn Error, hint: &str) -> WebError {
    WebError::Refused(Box::new(ErrorReport {
        code: ErrorCode::NotAModel,
        message: error.to_string(),
        hint: hint.to_owned(),
        retryable: false,
    }))
}

/// The engine refused the bytes, or had no room to write them.
pub(super) fn refused(error: &EngineError) -> WebError {
    if error.is_storage_full() {
        return WebError::StorageFull;
    }
    WebError::Refused(Box::new(ErrorReport::from(error)))
}
