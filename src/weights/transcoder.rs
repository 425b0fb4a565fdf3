//! `Transcoder`: from the bytes of a stored tensor, as they arrive, to the bytes of its target, a chunk of rows at a time.

use super::error::WeightsError;
use super::location::TensorLocation;
use super::report::RoundingErrors;
use super::row_codec::{RowDecoder, RowEncoder};
use super::target::Target;

/// Takes the next rows, as numbers and encoded.
type WriteRows<'a> = dyn FnMut(&[f32], &[u8]) -> Result<(), WeightsError> + 'a;

/// A tensor's conversion under way.
pub(super) struct Transcoder {
    decoder: RowDecoder,
    encoder: RowEncoder,
    values: Vec<f32>,
    encoded: Vec<u8>,
}

impl Transcoder {
    pub(super) fn new(target: &Target, location: &TensorLocation) -> Self {
        let (spec, dtype) = (&target.spec, location.dtype);
        Self {
            decoder: RowDecoder::new(spec, dtype, location.strides),
            encoder: RowEncoder::new(&spec.name, dtype, target.dtype).measuring(),
            values: Vec::new(),
            encoded: Vec::new(),
        }
    }

    /// Takes the next bytes of the stored tensor, and gives `write` the rows that are complete.
    ///
    /// # Errors
    /// Those of decoder and encoder, and of `write`.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        write: &mut WriteRows,
    ) -> Result<(), WeightsError> {
        while !bytes.is_empty() {
            let n = self.decoder.room().min(bytes.len() as u64) as usize;
            self.decoder.push(&bytes[..n])?;
            bytes = &bytes[n..];
            loop {
                self.values.clear();
                if self.decoder.next_chunk(&mut self.values) == 0 {
                    break;
                }
                self.encoded.clear();
                self.encoder.encode(&self.values, &mut self.encoded)?;
                write(&self.values, &self.encoded)?;
            }
        }
        Ok(())
    }

    /// The rounding errors so far.
    pub(super) fn errors(&self) -> RoundingErrors {
        self.encoder.errors.unwrap_or_default()
    }
}
