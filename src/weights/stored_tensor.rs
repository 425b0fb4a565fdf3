//! `StoredTensor`: a tensor in an open file, read as rows of floats or as bytes of another type.

use std::io::{self, Read, Seek, SeekFrom};

use super::dtype::StoredType;
use super::error::WeightsError;
use super::location::{Strides, size_bytes};
use super::names::TensorSpec;
use super::row_codec::{RowDecoder, RowEncoder};

/// Bytes read from a file at a time.
const READ_BYTES: u64 = 1 << 18;

/// A file, a blob, or bytes in memory.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// A tensor and its location in the files of a checkpoint.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    pub(super) spec: TensorSpec,
    pub(super) dtype: StoredType,
    /// Index of the file.
    pub(super) file: usize,
    /// First byte in it.
    pub(super) offset: u64,
    /// How its numbers follow each other.
    pub(super) strides: Strides,
}

impl StoredTensor {
    pub(super) fn row_bytes(&self) -> u64 {
        let row = self.dtype.row_bytes(self.spec.cols);
        row.expect("checked when opened") as u64
    }

    /// Whether its rows follow each other without gaps.
    pub(super) fn is_of_rows(&self) -> bool {
        self.strides.is_of_rows(&self.spec)
    }

    /// Bytes from its first number to its last.
    pub(super) fn size_bytes(&self) -> u64 {
        size_bytes(&self.spec, self.dtype, self.strides).expect("checked when opened")
    }
}

/// Reads the rows of one tensor as floats, a chunk at a time.
pub(super) struct RowReader<'a> {
    reader: &'a mut dyn ReadSeek,
    pub(super) stored: StoredTensor,
    decoder: RowDecoder,
    bytes: Vec<u8>,
}

impl<'a> RowReader<'a> {
    /// A reader at the first row.
    pub(super) fn open(
        reader: &'a mut dyn ReadSeek,
        stored: StoredTensor,
    ) -> Result<Self, WeightsError> {
        reader
            .seek(SeekFrom::Start(stored.offset))
            .map_err(|source| WeightsError::Read { source })?;
        Ok(Self {
            reader,
            decoder: RowDecoder::new(&stored.spec, stored.dtype, stored.strides),
            stored,
            bytes: Vec::new(),
        })
    }

    /// Appends the next rows to `out` and returns how many; 0 at the end.
    pub(super) fn next_chunk(&mut self, out: &mut Vec<f32>) -> Result<usize, WeightsError> {
        while !self.decoder.is_done() {
            let n = self.decoder.next_chunk(out);
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

/// Reads one tensor as bytes of another type.
pub(super) struct TensorBytes<'a> {
    rows: RowReader<'a>,
    encoder: RowEncoder,
    values: Vec<f32>,
    bytes: Vec<u8>,
    pos: usize,
    /// The cause of an error of `read`, which itself can only carry a text.
    pub(super) failure: Option<WeightsError>,
}

impl<'a> TensorBytes<'a> {
    /// The bytes of these rows in the type `target`.
    pub(super) fn new(rows: RowReader<'a>, target: StoredType) -> Self {
        let encoder = RowEncoder::new(&rows.stored.spec.name, rows.stored.dtype, target);
        Self {
            rows,
            encoder,
            values: Vec::new(),
            bytes: Vec::new(),
            pos: 0,
            failure: None,
        }
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
