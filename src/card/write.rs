//! Writes a model card: as huggingtweets wrote it ([`as_original`]), or with the faults of that card mended ([`mended`]).

mod error;
mod facts;
mod mended;
mod original;

pub use self::error::CardWriteError;
pub use self::facts::CardFacts;
pub use self::mended::mended;
pub use self::original::as_original;
use crate::shown;

/// Writes the card of the facts in `json`: the original's if they say so or `is_faithful`, else the mended one.
///
/// # Errors
/// [`CardWriteError`] for the first fact that cannot be on a card.
pub fn from_json(json: &[u8], is_faithful: bool) -> Result<String, CardWriteError> {
    let facts: CardFacts = serde_json::from_slice(json).map_err(|error| CardWriteError::Json {
        cause: shown::beginning(&error.to_string(), 200),
    })?;
    match is_faithful || facts.faithful {
        true => as_original(&facts),
        false => mended(&facts),
    }
}
