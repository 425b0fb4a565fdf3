//! `BlobFile`: a picked file as `Read + Seek`, never whole in memory.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Blob, FileReaderSync};

/// Bytes of one request to the browser, which takes it milliseconds whatever their number.
const BLOCK_BYTES: u64 = 4 << 20;

/// A file that the visitor picked.
pub struct BlobFile {
    blob: Blob,
    reader: FileReaderSync,
    size_bytes: u64,
    at: u64,
    /// Bytes from `block_start` on, in the browser's memory.
    block: Uint8Array,
    block_start: u64,
}

impl BlobFile {
    /// A reader at the beginning of `blob`; outside of workers there is none.
    pub fn new(blob: Blob) -> io::Result<Self> {
        Ok(Self {
            reader: FileReaderSync::new().map_err(|error| io_error(&error))?,
            // Sizes of blobs are whole numbers below 2^53.
            size_bytes: blob.size() as u64,
            blob,
            at: 0,
            block: Uint8Array::new_with_length(0),
            block_start: 0,
        })
    }

    /// Makes the block one that has the byte at `at`.
    fn fill(&mut self) -> io::Result<()> {
        // Frees the old block before the new one comes.
        self.block = Uint8Array::new_with_length(0);
        let end = self.size_bytes.min(self.at + BLOCK_BYTES);
        let slice = self.blob.slice_with_f64_and_f64(self.at as f64, end as f64);
        let slice = slice.map_err(|error| io_error(&error))?;
        let buffer = self.reader.read_as_array_buffer(&slice);
        let buffer = buffer.map_err(|error| io_error(&error))?;
        self.block = Uint8Array::new(&buffer);
        self.block_start = self.at;
        Ok(())
    }
}

/// The browser's error, with its name and message.
pub fn io_error(error: &JsValue) -> io::Error {
    let text = js_sys::Error::from(error.clone()).to_string();
    io::Error::other(String::from(text))
}

impl Read for BlobFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size_bytes || out.is_empty() {
            return Ok(0);
        }
        let block_end = self.block_start + u64::from(self.block.length());
        if self.at < self.block_start || self.at >= block_end {
            self.fill()?;
        }
        // Within a block of 4 MB.
        let start = (self.at - self.block_start) as u32;
        let n = ((self.block.length() - start) as usize).min(out.len());
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.block
            .subarray(start, start + n as u32)
            .copy_to(&mut out[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for BlobFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.size_bytes.checked_add_signed(delta),
            SeekFrom::Current(delta) => self.at.checked_add_signed(delta),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
