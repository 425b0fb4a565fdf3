//! `Arrival`: the download of a model's weights into a GGUF on this device, resumable at any byte.

use serde_json::{Value as Json, json};

use crate::kernels::pack::WeightType;
use crate::notice::Notice;
use crate::weights::{Conversion, Journal, WeightsError, WriteAt, gguf};

use super::{Companions, EngineError, conversion};

/// Weights on their way: the bytes of each source file are pushed in order, in pieces of any size.
pub enum Arrival {
    /// A GGUF, stored unchanged.
    Copy {
        /// Bytes so far.
        offset: u64,
        /// Whether its end has arrived.
        has_ended: bool,
    },
    /// Float weights, quantized while they arrive.
    Conversion(Box<Conversion>),
}

impl Arrival {
    /// The arrival of a GGUF, continued at the byte that a journal names.
    pub fn of_gguf(journal: Option<&Json>) -> Self {
        let offset = journal.and_then(|journal| journal["offset"].as_u64());
        Self::Copy {
            offset: offset.unwrap_or(0),
            has_ended: journal.is_some_and(|journal| journal["has_ended"] == true),
        }
    }

    /// The arrival of float weights in `n_files` files, continued from a journal. A journal of anything else is
    /// ignored, and the model arrives from its first byte.
    ///
    /// # Errors
    /// As [`conversion::of_floats`].
    pub fn of_floats(
        companions: &Companions,
        name: &str,
        dtype: WeightType,
        n_files: usize,
        journal: Option<&Json>,
    ) -> Result<Self, EngineError> {
        let journal: Option<Journal> =
            journal.and_then(|json| serde_json::from_value(json.clone()).ok());
        // These notices are written into the finished file.
        let (conversion, _) =
            conversion::of_floats(companions, name, dtype, n_files, journal.as_ref())?;
        Ok(Self::Conversion(Box::new(conversion)))
    }

    /// The file and the byte in it that must be pushed next.
    pub fn source_pos(&self) -> (usize, u64) {
        match self {
            Self::Copy { offset, has_ended } => match has_ended {
                false => (0, *offset),
                true => (1, 0),
            },
            Self::Conversion(conversion) => {
                let pos = conversion.source_pos();
                (pos.file, pos.offset)
            }
        }
    }

    /// Length of the finished file; `None` for a copy.
    pub fn output_bytes(&self) -> Option<u64> {
        match self {
            Self::Copy { .. } => None,
            Self::Conversion(conversion) => Some(conversion.output_bytes()),
        }
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// [`EngineError::Weights`]: bytes that are not a model's are refused as early as possible.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), EngineError> {
        match self {
            Self::Copy { offset, .. } => {
                if *offset == 0 && !bytes.is_empty() {
                    gguf::check_magic(bytes)?;
                }
                sink.write_at(*offset, bytes)
                    .map_err(|source| WeightsError::Write { source })?;
                *offset += bytes.len() as u64;
            }
            Self::Conversion(conversion) => conversion.push(bytes, sink)?,
        }
        Ok(())
    }

    /// Accepts the end of the file, after all of its bytes were pushed.
    ///
    /// # Errors
    /// As [`Conversion::end_file`].
    pub fn end_file(&mut self) -> Result<(), EngineError> {
        match self {
            Self::Copy { has_ended, .. } => *has_ended = true,
            Self::Conversion(conversion) => conversion.end_file()?,
        }
        Ok(())
    }

    /// What is known about the weights only since their bytes have arrived, and does not stand in the finished file.
    pub fn notices(&self) -> Vec<Notice> {
        match self {
            Self::Copy { .. } => Vec::new(),
            Self::Conversion(conversion) => conversion.notices_of_weights(),
        }
    }

    /// The progress, from which the arrival continues later if the bytes written so far are kept.
    pub fn journal(&self) -> Json {
        match self {
            Self::Copy { offset, has_ended } => {
                json!({ "offset": offset, "has_ended": has_ended })
            }
            Self::Conversion(conversion) => {
                serde_json::to_value(conversion.journal()).unwrap_or_default()
            }
        }
    }

    /// The file and the byte in it from which [`Arrival::journal`] continues.
    pub fn journal_pos(&self) -> (usize, u64) {
        match self {
            Self::Copy { .. } => self.source_pos(),
            Self::Conversion(conversion) => conversion.journal().pos(),
        }
    }
}
