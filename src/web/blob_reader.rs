//! `BlobReader`: a `Blob` as `Read + Seek`, so that a model file is never whole in memory.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use web_sys::{Blob, FileReaderSync};

use super::js_error::{WebError, reason};

/// Bytes taken from the `Blob` at once.
const CHUNK_BYTES: u64 = 1 << 20;

/// Reads a `Blob` through `FileReaderSync`, which exists in workers only.
pub struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    size: u64,
    pos: u64,
    /// Bytes of the blob from `chunk_start` on.
    chunk: Vec<u8>,
    chunk_start: u64,
}

impl BlobReader {
    /// A reader at the first byte of `blob`.
    ///
    /// # Errors
    /// [`WebError::Read`] outside a worker.
    pub fn new(blob: Blob) -> Result<Self, WebError> {
        let reader = FileReaderSync::new().map_err(|e| WebError::Read { reason: reason(&e) })?;
        // Blob sizes are whole numbers below 2^53.
        let size = blob.size() as u64;
        Ok(Self {
            blob,
            reader,
            size,
            pos: 0,
            chunk: Vec::new(),
            chunk_start: 0,
        })
    }

    /// Length of the blob in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes `chunk` begin at `pos`.
    fn fill(&mut self) -> io::Result<()> {
        let end = self.size.min(self.pos + CHUNK_BYTES);
        let slice = self
            .blob
            .slice_with_f64_and_f64(self.pos as f64, end as f64)
            .map_err(|e| io::Error::other(reason(&e)))?;
        let buffer = self
            .reader
            .read_as_array_buffer(&slice)
            .map_err(|e| io::Error::other(reason(&e)))?;
        let bytes = Uint8Array::new(&buffer);
        self.chunk.resize(bytes.length() as usize, 0);
        bytes.copy_to(&mut self.chunk);
        self.chunk_start = self.pos;
        Ok(())
    }
}

impl Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.pos >= self.size || out.is_empty() {
            return Ok(0);
        }
        let chunk_end = self.chunk_start + self.chunk.len() as u64;
        if self.pos < self.chunk_start || self.pos >= chunk_end {
            self.fill()?;
        }
        // Within one chunk, so it fits `usize`.
        let available = &self.chunk[(self.pos - self.chunk_start) as usize..];
        let n = available.len().min(out.len());
        out[..n].copy_from_slice(&available[..n]);
        self.pos += n as u64;
        Ok(n)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.size.checked_add_signed(delta),
            SeekFrom::Current(delta) => self.pos.checked_add_signed(delta),
        };
        self.pos = target.ok_or_else(|| io::Error::other("seek before the first byte"))?;
        Ok(self.pos)
    }
}
