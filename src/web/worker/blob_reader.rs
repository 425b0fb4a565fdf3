//! `BlobReader`: a `Blob` as `Read + Seek`, for model files that are larger than the memory for them.

use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use js_sys::Uint8Array;
use web_sys::{Blob, FileReaderSync};

use super::blob_stream::BlobStream;
use crate::web::shared::js_error::{WebError, reason};

/// Bytes of a synchronous read, which takes Chromium two milliseconds whatever its length.
const BLOCK_BYTES: u64 = 4 << 20;
/// Bytes that are copied into WebAssembly memory at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads a `Blob`: from the bytes that its [`BlobStream`] has fetched, or else by `FileReaderSync`, which only workers
/// have.
pub struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    size: u64,
    pos: u64,
    ahead: Rc<BlobStream>,
    /// Bytes of the blob from `block_start` on, in the browser's memory.
    block: Uint8Array,
    block_start: u64,
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
            ahead: Rc::new(BlobStream::new(blob.clone())),
            blob,
            reader,
            size,
            pos: 0,
            block: Uint8Array::new_with_length(0),
            block_start: 0,
            chunk: Vec::new(),
            chunk_start: 0,
        })
    }

    /// Length of the blob in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The stream that fetches ahead for this reader.
    pub fn stream(&self) -> Rc<BlobStream> {
        Rc::clone(&self.ahead)
    }

    /// Makes `chunk` begin at `pos`.
    fn fill(&mut self) -> io::Result<()> {
        self.chunk_start = self.pos;
        if let Some((bytes, start)) = self.ahead.find(self.pos) {
            copy(&bytes, self.pos - start, &mut self.chunk);
            return Ok(());
        }
        let block_end = self.block_start + u64::from(self.block.length());
        if self.pos < self.block_start || self.pos >= block_end {
            self.fill_block()?;
        }
        copy(&self.block, self.pos - self.block_start, &mut self.chunk);
        Ok(())
    }

    /// Makes `block` begin at `pos`.
    fn fill_block(&mut self) -> io::Result<()> {
        // Frees the old block before the new block is allocated.
        self.block = Uint8Array::new_with_length(0);
        let end = self.size.min(self.pos + BLOCK_BYTES);
        let slice = self
            .blob
            .slice_with_f64_and_f64(self.pos as f64, end as f64)
            .map_err(|e| io::Error::other(reason(&e)))?;
        let buffer = self
            .reader
            .read_as_array_buffer(&slice)
            .map_err(|e| io::Error::other(reason(&e)))?;
        self.block = Uint8Array::new(&buffer);
        self.block_start = self.pos;
        Ok(())
    }
}

/// Fills `chunk` from `bytes`, from `start` on, which is an index of them and so fits 32 bits.
fn copy(bytes: &Uint8Array, start: u64, chunk: &mut Vec<u8>) {
    let start = start as u32;
    let end = bytes.length().min(start + CHUNK_BYTES as u32);
    chunk.resize((end - start) as usize, 0);
    bytes.subarray(start, end).copy_to(chunk);
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
