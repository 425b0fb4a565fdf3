//! `RowDecoder` and `RowEncoder`: from a tensor's stored bytes, as they arrive, to rows of floats, and from rows of
//! floats to the bytes of another type.

use super::dtype::StoredType;
use super::error::WeightsError;
use super::location::{Strides, size_bytes};
use super::names::TensorSpec;
use super::report::RoundingErrors;

/// Numbers converted at a time: bounds the memory of a conversion beside a tensor that is not stored in rows.
const CHUNK_VALUES: usize = 1 << 16;
/// A tensor that is not stored in rows is collected in slabs of this size, so that memory is allocated only for bytes
/// that have arrived.
const SLAB_BYTES: usize = 1 << 20;

/// Decodes the bytes of one tensor, pushed from first to last, into its rows as computed with: linear maps as (out, in).
pub(super) struct RowDecoder {
    name: String,
    dtype: StoredType,
    rows: usize,
    cols: usize,
    strides: Strides,
    /// Bytes from the first number to the last.
    size_bytes: u64,
    is_of_rows: bool,
    /// All bytes of a tensor whose rows do not follow each other; empty for other tensors.
    slabs: Vec<Vec<u8>>,
    /// The bytes of the next rows: as far as they have arrived, or gathered from the slabs.
    bytes: Vec<u8>,
    next_row: usize,
}

impl RowDecoder {
    /// A decoder for a tensor stored in `dtype`, whose rows are whole blocks.
    pub(super) fn new(spec: &TensorSpec, dtype: StoredType, strides: Strides) -> Self {
        let size_bytes = size_bytes(spec, dtype, strides);
        Self {
            name: spec.name.clone(),
            dtype,
            rows: spec.rows,
            cols: spec.cols,
            strides,
            size_bytes: size_bytes.expect("checked when opened"),
            is_of_rows: strides.is_of_rows(spec),
            slabs: Vec::new(),
            bytes: Vec::new(),
            next_row: 0,
        }
    }

    /// Bytes that can be pushed before [`Self::next_chunk`] must be called.
    pub(super) fn room(&self) -> u64 {
        if self.is_of_rows {
            (self.chunk_rows() * self.row_bytes() - self.bytes.len()) as u64
        } else {
            let full = self.slabs.len().saturating_sub(1) as u64 * SLAB_BYTES as u64;
            let last = self.slabs.last().map_or(0, Vec::len) as u64;
            self.size_bytes - full - last
        }
    }

    /// Takes the next bytes of the tensor, at most [`Self::room`].
    ///
    /// # Errors
    /// [`WeightsError::OutOfMemory`].
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), WeightsError> {
        debug_assert!(bytes.len() as u64 <= self.room());
        let out_of_memory = |name: &str| WeightsError::OutOfMemory {
            name: name.to_owned(),
        };
        if self.is_of_rows {
            self.bytes
                .try_reserve(bytes.len())
                .map_err(|_| out_of_memory(&self.name))?;
            self.bytes.extend_from_slice(bytes);
            return Ok(());
        }
        while !bytes.is_empty() {
            if self
                .slabs
                .last()
                .is_none_or(|slab| slab.len() == SLAB_BYTES)
            {
                let mut slab = Vec::new();
                slab.try_reserve_exact(self.room().min(SLAB_BYTES as u64) as usize)
                    .map_err(|_| out_of_memory(&self.name))?;
                self.slabs.push(slab);
            }
            let slab = self
                .slabs
                .last_mut()
                .expect("a slab with room was pushed above");
            let n = bytes.len().min(SLAB_BYTES - slab.len());
            slab.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
        }
        Ok(())
    }

    /// Appends the next rows to `out` and returns how many; 0 if more bytes must be pushed first, and at the end.
    pub(super) fn next_chunk(&mut self, out: &mut Vec<f32>) -> usize {
        let n = self.chunk_rows();
        if n == 0 || self.room() > 0 {
            return 0;
        }
        if !self.is_of_rows {
            self.gather(n);
        }
        self.dtype.decode(&self.bytes, out);
        self.bytes.clear();
        self.next_row += n;
        n
    }

    /// Whether all rows were decoded.
    pub(super) fn is_done(&self) -> bool {
        self.next_row == self.rows
    }

    /// Rows in the next chunk.
    fn chunk_rows(&self) -> usize {
        (CHUNK_VALUES / self.cols)
            .max(1)
            .min(self.rows - self.next_row)
    }

    fn row_bytes(&self) -> usize {
        self.dtype
            .row_bytes(self.cols)
            .expect("checked when opened")
    }

    /// Gathers the next `n` rows from the slabs.
    fn gather(&mut self, n: usize) {
        let size = self
            .dtype
            .row_bytes(1)
            .expect("only floats are stored otherwise than in rows");
        let row_bytes = size * self.cols;
        self.bytes.resize(n * row_bytes, 0);
        // All numbers lie in the slabs, so their indices fit.
        let (row_step, col_step) = (self.strides.row as usize, self.strides.col as usize);
        for col in 0..self.cols {
            let mut start = (col * col_step + self.next_row * row_step) * size;
            let mut rows = self.bytes.chunks_exact_mut(row_bytes);
            if row_step != 1 {
                for row in rows {
                    let number = &self.slabs[start / SLAB_BYTES][start % SLAB_BYTES..][..size];
                    row[col * size..][..size].copy_from_slice(number);
                    start += row_step * size;
                }
                continue;
            }
            // A column in one piece, as in linear maps of Hugging Face.
            let mut left = n;
            while left > 0 {
                // Numbers never straddle slabs: both sizes are powers of two.
                let slab = &self.slabs[start / SLAB_BYTES][start % SLAB_BYTES..];
                let here = left.min((SLAB_BYTES - start % SLAB_BYTES) / size);
                for (number, row) in slab.chunks_exact(size).take(here).zip(&mut rows) {
                    row[col * size..][..size].copy_from_slice(number);
                }
                start += here * size;
                left -= here;
            }
        }
    }
}

/// Encodes rows of floats as bytes of another type.
pub(super) struct RowEncoder {
    name: String,
    from: StoredType,
    target: StoredType,
    /// The last chunk, read back from the bytes it was encoded as.
    read_back: Vec<f32>,
    /// Filled if rounding errors are measured.
    pub(super) errors: Option<RoundingErrors>,
}

impl RowEncoder {
    /// An encoder of floats that were stored in `from`; rounding errors are not measured.
    pub(super) fn new(name: &str, from: StoredType, target: StoredType) -> Self {
        Self {
            name: name.to_owned(),
            from,
            target,
            read_back: Vec::new(),
            errors: None,
        }
    }

    /// This encoder, measuring rounding errors.
    pub(super) fn measuring(mut self) -> Self {
        self.errors = Some(RoundingErrors::default());
        self
    }

    /// Appends the bytes of whole rows to `out`.
    ///
    /// # Errors
    /// [`WeightsError::TooLargeForF16`], [`WeightsError::Convert`].
    pub(super) fn encode(&mut self, values: &[f32], out: &mut Vec<u8>) -> Result<(), WeightsError> {
        if self.target == StoredType::F16 && self.from != StoredType::F16 {
            let max = half::f16::MAX.to_f32();
            if let Some(value) = values.iter().find(|v| v.is_finite() && v.abs() > max) {
                return Err(WeightsError::TooLargeForF16 {
                    name: self.name.clone(),
                    value: *value,
                });
            }
        }
        let start = out.len();
        let encoded = self.target.encode(values, out);
        encoded.map_err(|source| WeightsError::Convert {
            name: self.name.clone(),
            source: Box::new(source),
        })?;
        if let Some(errors) = &mut self.errors {
            self.read_back.clear();
            self.target.decode(&out[start..], &mut self.read_back);
            errors.add(values, &self.read_back);
        }
        Ok(())
    }
}
