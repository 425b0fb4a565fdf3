//! `StoredTensor`: where a tensor lies in a file; its rows as floats, its bytes in another type.

use std::io::{self, Read, SeekFrom};

use super::checkpoint::ReadSeek;
use super::dtype::StoredType;
use super::error::WeightsError;
use super::names::TensorSpec;
use super::rows::{ConversionErrors, RowDecoder, RowEncoder};

/// Bytes read from a file at a time.
const READ_BYTES: u64 = 1 << 18;

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
    pub(super) fn row_bytes(&self) -> u64 {
        let row = self.dtype.row_bytes(self.spec.cols);
        row.expect("checked when opened") as u64
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.row_bytes() * self.spec.rows as u64
    }
}

/// The rows of one tensor as floats, a chunk at a time.
pub(super) struct Rows<'a> {
    reader: &'a mut dyn ReadSeek,
    pub(super) stored: StoredTensor,
    decoder: RowDecoder,
    bytes: Vec<u8>,
}

impl<'a> Rows<'a> {
    /// At the first row.
    pub(super) fn open(
        reader: &'a mut dyn ReadSeek,
        stored: StoredTensor,
    ) -> Result<Self, WeightsError> {
        reader
            .seek(SeekFrom::Start(stored.offset))
            .map_err(|source| WeightsError::Read { source })?;
        Ok(Self {
            reader,
            decoder: RowDecoder::new(&stored.spec, stored.dtype, stored.is_transposed),
            stored,
            bytes: Vec::new(),
        })
    }

    /// Appends the next rows to `out` and says how many; 0 at the end.
    pub(super) fn next_chunk(&mut self, out: &mut Vec<f32>) -> Result<usize, WeightsError> {
        while !self.decoder.is_done() {
            let n = self.decoder.next_chunk(out)?;
            if n > 0 {
                return Ok(n);
            }
            let n = self.decoder.room().min(READ_BYTES) as usize;
            self.bytes.resize(n, 0);
            self.reader
                .read_exact(&mut self.bytes)
                .map_err(|source| WeightsError::Read { source })?;
            self.decoder.push(&self.bytes)?;
        }
        Ok(0)
    }
}

/// One tensor as a stream of bytes in some type, converted on the way unless it is stored so.
pub(super) struct TensorBytes<'a> {
    pub(super) stored: StoredTensor,
    rows: Rows<'a>,
    encoder: RowEncoder,
    /// Bytes still to be passed on unchanged; `None` if they are converted.
    left_as_stored: Option<u64>,
    values: Vec<f32>,
    bytes: Vec<u8>,
    pos: usize,
    /// What went wrong, since `Read` can only say that something did.
    pub(super) failure: Option<WeightsError>,
}

impl<'a> TensorBytes<'a> {
    /// In the type `target`.
    pub(super) fn new(rows: Rows<'a>, target: StoredType) -> Self {
        let stored = rows.stored.clone();
        let is_stored_so = stored.dtype == target && !stored.is_transposed;
        Self {
            left_as_stored: is_stored_so.then(|| stored.size_bytes()),
            rows,
            encoder: RowEncoder::new(&stored.spec.name, stored.dtype, target),
            stored,
            values: Vec::new(),
            bytes: Vec::new(),
            pos: 0,
            failure: None,
        }
    }

    /// The same, noting how far the numbers passed on are from those read.
    ///
    /// Floats are then looked at even where they stay as they are.
    pub(super) fn measured(mut self) -> Self {
        if self.stored.dtype.is_float() {
            self.left_as_stored = None;
        }
        self.encoder.errors = Some(ConversionErrors::default());
        self
    }

    /// What was noted.
    pub(super) fn errors(&self) -> ConversionErrors {
        self.encoder.errors.unwrap_or_default()
    }

    /// Converts the next rows into `self.bytes`, which stays empty at the end.
    fn convert_chunk(&mut self) -> Result<(), WeightsError> {
        self.values.clear();
        self.bytes.clear();
        self.pos = 0;
        if self.rows.next_chunk(&mut self.values)? > 0 {
            self.encoder.encode(&self.values, &mut self.bytes)?;
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
