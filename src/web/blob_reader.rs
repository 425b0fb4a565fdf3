//! `BlobReader`: a `Blob` as `Read + Seek`, so that a model file is never whole in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FileReaderSync, ReadableStreamDefaultReader};

use super::js_error::{WebError, reason};

/// Bytes taken from the `Blob` at once where none have been fetched ahead: each time costs Chromium two
/// milliseconds.
const BLOCK_BYTES: u64 = 4 << 20;
/// Bytes of them copied into this program's memory at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads a `Blob`: what its [`BlobStream`] has fetched from there, anything else through `FileReaderSync`, which
/// exists in workers only.
pub struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    size: u64,
    pos: u64,
    ahead: Rc<BlobStream>,
    /// Bytes of the blob from `block_start` on, outside this program's memory.
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
            ahead: Rc::new(BlobStream {
                blob: blob.clone(),
                source: RefCell::new(None),
                fetched: RefCell::default(),
            }),
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

    /// Fetches ahead for this reader.
    pub fn stream(&self) -> Rc<BlobStream> {
        Rc::clone(&self.ahead)
    }

    /// Makes `chunk` begin at `pos`.
    fn fill(&mut self) -> io::Result<()> {
        self.chunk_start = self.pos;
        if let Some((bytes, start)) = self.ahead.fetched.borrow().find(self.pos) {
            copy(bytes, self.pos - start, &mut self.chunk);
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
        // The old one may go before the new one comes.
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

/// Fills `chunk` from `bytes`, from `start` on, which lies within them and so fits 32 bits.
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

/// Fetches the bytes of a `Blob` for its [`BlobReader`] in the order of the file: the browser reads on while tensors
/// are packed.
pub struct BlobStream {
    blob: Blob,
    source: RefCell<Option<ReadableStreamDefaultReader>>,
    fetched: RefCell<Fetched>,
}

/// Bytes from `start` to `end`, in the pieces they came in, each with its first byte.
#[derive(Default)]
struct Fetched {
    pieces: VecDeque<(u64, Uint8Array)>,
    start: u64,
    end: u64,
}

impl Fetched {
    /// The piece that byte `pos` lies in, and where that begins.
    fn find(&self, pos: u64) -> Option<(&Uint8Array, u64)> {
        if !(self.start..self.end).contains(&pos) {
            return None;
        }
        let after = self.pieces.partition_point(|(start, _)| *start <= pos);
        let (start, piece) = self.pieces.get(after.checked_sub(1)?)?;
        Some((piece, *start))
    }

    /// Lets go of what lies before `pos`.
    fn forget_before(&mut self, pos: u64) {
        while let Some((_, piece)) = self.pieces.front()
            && self.start + u64::from(piece.length()) <= pos
        {
            self.start += u64::from(piece.length());
            self.pieces.pop_front();
        }
    }

    fn push(&mut self, piece: Uint8Array) {
        let start = self.end;
        self.end += u64::from(piece.length());
        self.pieces.push_back((start, piece));
    }
}

impl BlobStream {
    /// Whether all of these bytes are there.
    pub fn has(&self, bytes: &Range<u64>) -> bool {
        let fetched = self.fetched.borrow();
        fetched.start <= bytes.start && bytes.end <= fetched.end
    }

    /// Waits for these bytes and lets go of those before them.
    /// What the browser does not give, the reader asks for again and reports.
    pub async fn fetch(&self, bytes: Range<u64>) {
        {
            let mut fetched = self.fetched.borrow_mut();
            fetched.forget_before(bytes.start);
            if bytes.start < fetched.start || bytes.start > fetched.end {
                *self.source.borrow_mut() = None;
                *fetched = Fetched {
                    start: bytes.start,
                    end: bytes.start,
                    ..Fetched::default()
                };
            }
        }
        let Ok(source) = self.source() else { return };
        while !self.has(&bytes) {
            let Ok(read) = JsFuture::from(source.read()).await else {
                return;
            };
            let value = Reflect::get(&read, &JsValue::from_str("value"));
            let Some(piece) = value.ok().and_then(|v| v.dyn_into::<Uint8Array>().ok()) else {
                return;
            };
            self.fetched.borrow_mut().push(piece);
        }
    }

    /// The stream, begun where the fetched bytes end.
    fn source(&self) -> Result<ReadableStreamDefaultReader, JsValue> {
        if let Some(source) = self.source.borrow().as_ref() {
            return Ok(source.clone());
        }
        let start = self.fetched.borrow().end as f64;
        let rest = self.blob.slice_with_f64_and_f64(start, self.blob.size())?;
        let source: ReadableStreamDefaultReader = rest.stream().get_reader().unchecked_into();
        *self.source.borrow_mut() = Some(source.clone());
        Ok(source)
    }
}
