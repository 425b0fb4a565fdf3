//! `StoredTensor`: where a tensor lies in a file; its rows as floats, its bytes in another type.

use std::io::{self, Read, SeekFrom};

use super::checkpoint::ReadSeek;
use super::dtype::StoredType;
use super::error::WeightsError;
use super::names::TensorSpec;

/// Numbers converted at a time: bounds what a conversion holds beside the packed result.
const CHUNK_VALUES: usize = 1 << 16;

/// Where a tensor lies and how.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    pub(super) spec: TensorSpec,
    pub(super) dtype: StoredType,
    /// Index of the file.
    pub(super) file: usize,
    /// First byte in it.
    pub(super) offset: u64,
    /// Stored (cols, rows), as Hugging Face stores linear maps.
    pub(super) is_transposed: bool,
}

impl StoredTensor {
    pub(super) fn size_bytes(&self) -> u64 {
        let row = self
            .dtype
            .row_bytes(self.spec.cols)
            .expect("checked when opened");
        row as u64 * self.spec.rows as u64
    }
}

/// The rows of one tensor as floats, a chunk at a time.
pub(super) struct Rows<'a> {
    reader: &'a mut dyn ReadSeek,
    pub(super) stored: StoredTensor,
    /// All bytes of a tensor stored transposed: its rows are spread over the file.
    whole: Option<Vec<u8>>,
    next_row: usize,
    bytes: Vec<u8>,
}

impl<'a> Rows<'a> {
    /// At the first row.
    pub(super) fn open(
        reader: &'a mut dyn ReadSeek,
        stored: StoredTensor,
    ) -> Result<Self, WeightsError> {
        let read = |source| WeightsError::Read { source };
        reader.seek(SeekFrom::Start(stored.offset)).map_err(read)?;
        let mut whole = None;
        if stored.is_transposed {
            let mut bytes = Vec::new();
            usize::try_from(stored.size_bytes())
                .ok()
                .and_then(|size| {
                    bytes.try_reserve_exact(size).ok()?;
                    bytes.resize(size, 0);
                    Some(())
                })
                .ok_or_else(|| WeightsError::OutOfMemory {
                    name: stored.spec.name.clone(),
                })?;
            reader.read_exact(&mut bytes).map_err(read)?;
            whole = Some(bytes);
        }
        Ok(Self {
            reader,
            stored,
            whole,
            next_row: 0,
            bytes: Vec::new(),
        })
    }

    /// Appends the next rows to `out` and says how many; 0 at the end.
    pub(super) fn next_chunk(&mut self, out: &mut Vec<f32>) -> Result<usize, WeightsError> {
        let (rows, cols) = (self.stored.spec.rows, self.stored.spec.cols);
        let n = (CHUNK_VALUES / cols).max(1).min(rows - self.next_row);
        if n == 0 {
            return Ok(0);
        }
        let dtype = self.stored.dtype;
        let convert = |source| WeightsError::Convert {
            name: self.stored.spec.name.clone(),
            source,
        };
        self.bytes.clear();
        if let Some(whole) = &self.whole {
            let size = dtype
                .row_bytes(1)
                .expect("only floats are stored transposed");
            for row in self.next_row..self.next_row + n {
                for col in 0..cols {
                    let start = (col * rows + row) * size;
                    self.bytes.extend_from_slice(&whole[start..start + size]);
                }
            }
        } else {
            let size = n * dtype.row_bytes(cols).expect("checked when opened");
            self.bytes.resize(size, 0);
            self.reader
                .read_exact(&mut self.bytes)
                .map_err(|source| WeightsError::Read { source })?;
        }
        dtype.decode(&self.bytes, out).map_err(convert)?;
        self.next_row += n;
        Ok(n)
    }
}

/// One tensor as a stream of bytes in some type, converted on the way unless it is stored so.
pub(super) struct TensorBytes<'a> {
    pub(super) stored: StoredTensor,
    rows: Rows<'a>,
    target: StoredType,
    /// Bytes still to be passed on unchanged; `None` if they are converted.
    left_as_stored: Option<u64>,
    values: Vec<f32>,
    bytes: Vec<u8>,
    pos: usize,
    /// What went wrong, since `Read` can only say that something did.
    pub(super) failure: Option<WeightsError>,
    /// Sums over the difference between what was read and what is passed on, if asked for.
    pub(super) errors: Option<ConversionErrors>,
}

/// How far converted numbers are from the originals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ConversionErrors {
    pub(super) max_abs_error: f32,
    pub(super) max_abs: f32,
    pub(super) sum_sq_error: f64,
    pub(super) sum_sq: f64,
}

impl<'a> TensorBytes<'a> {
    /// In the type `target`.
    pub(super) fn new(rows: Rows<'a>, target: StoredType) -> Self {
        let is_stored_so = rows.stored.dtype == target && !rows.stored.is_transposed;
        Self {
            stored: rows.stored.clone(),
            left_as_stored: is_stored_so.then(|| rows.stored.size_bytes()),
            rows,
            target,
            values: Vec::new(),
            bytes: Vec::new(),
            pos: 0,
            failure: None,
            errors: None,
        }
    }

    /// Converts the next rows into `self.bytes`, which stays empty at the end.
    fn convert_chunk(&mut self) -> Result<(), WeightsError> {
        let name = || self.stored.spec.name.clone();
        self.values.clear();
        self.bytes.clear();
        self.pos = 0;
        if self.rows.next_chunk(&mut self.values)? == 0 {
            return Ok(());
        }
        if self.target == StoredType::F16 && self.stored.dtype != StoredType::F16 {
            let max = half::f16::MAX.to_f32();
            if let Some(value) = self.values.iter().find(|v| v.is_finite() && v.abs() > max) {
                return Err(WeightsError::TooLargeForF16 {
                    name: name(),
                    value: *value,
                });
            }
        }
        self.target
            .encode(&self.values, &mut self.bytes)
            .map_err(|source| WeightsError::Convert {
                name: name(),
                source,
            })?;
        if let Some(errors) = &mut self.errors {
            let mut back = Vec::with_capacity(self.values.len());
            self.target
                .decode(&self.bytes, &mut back)
                .map_err(|source| WeightsError::Convert {
                    name: name(),
                    source,
                })?;
            for (value, back) in self.values.iter().zip(back) {
                errors.max_abs = errors.max_abs.max(value.abs());
                errors.max_abs_error = errors.max_abs_error.max((value - back).abs());
                errors.sum_sq += f64::from(*value) * f64::from(*value);
                errors.sum_sq_error += f64::from(value - back) * f64::from(value - back);
            }
        }
        Ok(())
    }
}

impl Read for TensorBytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(left) = &mut self.left_as_stored {
            let n = self.rows.reader.take(*left).read(out)?;
            *left -= n as u64;
            return Ok(n);
        }
        if self.pos == self.bytes.len()
            && let Err(failure) = self.convert_chunk()
        {
            let text = failure.to_string();
            self.failure = Some(failure);
            return Err(io::Error::other(text));
        }
        let n = out.len().min(self.bytes.len() - self.pos);
        out[..n].copy_from_slice(&self.bytes[self.pos..self.pos + n]);
        self.pos += n;
        Ok(n)
    }
}
