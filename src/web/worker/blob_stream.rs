//! `BlobStream`: reads a `Blob` ahead, in the order of the file, while the engine packs tensors.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamByobReader, ReadableStreamDefaultReader, Response};

/// Bytes of a buffer that the stream fills.
const BUFFER_BYTES: u32 = 1 << 20;
/// Buffers kept for reuse: a read into a new buffer takes twice as long.
const MAX_FREE_BUFFERS: usize = 4;

/// Fetches ahead for a [`super::blob_reader::BlobReader`].
pub struct BlobStream {
    blob: Blob,
    source: RefCell<Option<Source>>,
    fetched: RefCell<Fetched>,
}

#[derive(Clone)]
enum Source {
    /// Reads into given buffers.
    Byob(ReadableStreamByobReader),
    /// Returns new buffers, where a response's body is not a byte stream.
    Default(ReadableStreamDefaultReader),
}

/// Bytes from `start` to `end`, in pieces, each with the offset of its first byte.
#[derive(Default)]
struct Fetched {
    pieces: VecDeque<(u64, Uint8Array)>,
    start: u64,
    end: u64,
    free: Vec<ArrayBuffer>,
}

impl Fetched {
    /// The piece with byte `pos`, and its offset.
    fn find(&self, pos: u64) -> Option<(Uint8Array, u64)> {
        if !(self.start..self.end).contains(&pos) {
            return None;
        }
        let after = self.pieces.partition_point(|(start, _)| *start <= pos);
        let (start, piece) = self.pieces.get(after.checked_sub(1)?)?;
        Some((piece.clone(), *start))
    }

    /// Drops the pieces before `pos`.
    fn drop_before(&mut self, pos: u64) {
        while let Some((_, piece)) = self.pieces.front()
            && self.start + u64::from(piece.length()) <= pos
        {
            self.start += u64::from(piece.length());
            let buffer = piece.buffer();
            if self.free.len() < MAX_FREE_BUFFERS && buffer.byte_length() == BUFFER_BYTES {
                self.free.push(buffer);
            }
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
    /// A stream at the first byte of a blob; nothing is read yet.
    pub fn new(blob: Blob) -> Self {
        Self {
            blob,
            source: RefCell::new(None),
            fetched: RefCell::default(),
        }
    }

    /// The fetched piece with byte `pos`, and its offset.
    pub fn find(&self, pos: u64) -> Option<(Uint8Array, u64)> {
        self.fetched.borrow().find(pos)
    }

    /// Whether all these bytes are fetched.
    pub fn has(&self, bytes: &Range<u64>) -> bool {
        let fetched = self.fetched.borrow();
        fetched.start <= bytes.start && bytes.end <= fetched.end
    }

    /// Fetches these bytes and drops the bytes before them.
    /// After a failure, [`BlobReader`](super::blob_reader::BlobReader) reads the bytes itself and reports the error.
    pub async fn fetch(&self, bytes: Range<u64>) {
        {
            let mut fetched = self.fetched.borrow_mut();
            fetched.drop_before(bytes.start);
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
            let piece = match &source {
                Source::Byob(reader) => self.fill(reader, bytes.end).await,
                Source::Default(reader) => value_of(JsFuture::from(reader.read()).await),
            };
            match piece {
                Some(piece) if piece.length() > 0 => self.fetched.borrow_mut().push(piece),
                _ => return,
            }
        }
    }

    /// Reads a piece: a whole buffer, or less once byte `enough` is reached.
    async fn fill(&self, reader: &ReadableStreamByobReader, enough: u64) -> Option<Uint8Array> {
        let free = self.fetched.borrow_mut().free.pop();
        let mut buffer = free.unwrap_or_else(|| ArrayBuffer::new(BUFFER_BYTES));
        let start = self.fetched.borrow().end;
        let mut n = 0;
        while n < BUFFER_BYTES && start + u64::from(n) < enough {
            let rest = BUFFER_BYTES - n;
            let rest = Uint8Array::new_with_byte_offset_and_length(&buffer, n, rest);
            let filled = value_of(JsFuture::from(reader.read_with_array_buffer_view(&rest)).await)?;
            // The reader detaches the buffer that it was given and returns the same memory as a new buffer.
            buffer = filled.buffer();
            if filled.length() == 0 {
                break;
            }
            n += filled.length();
        }
        Some(Uint8Array::new_with_byte_offset_and_length(&buffer, 0, n))
    }

    /// The stream from the end of the fetched bytes on.
    fn source(&self) -> Result<Source, JsValue> {
        if let Some(source) = self.source.borrow().as_ref() {
            return Ok(source.clone());
        }
        let start = self.fetched.borrow().end as f64;
        let rest = self.blob.slice_with_f64_and_f64(start, self.blob.size())?;
        // A response's body, because the blob's own stream is not a byte stream in Chromium.
        let body = Response::new_with_opt_blob(Some(&rest))?.body();
        // This fails where the body is not a byte stream.
        let byob = body.and_then(|body| ReadableStreamByobReader::new(&body).ok());
        let source = match byob {
            Some(reader) => Source::Byob(reader),
            None => Source::Default(rest.stream().get_reader().unchecked_into()),
        };
        *self.source.borrow_mut() = Some(source.clone());
        Ok(source)
    }
}

/// The bytes of a reader's answer.
fn value_of(answer: Result<JsValue, JsValue>) -> Option<Uint8Array> {
    let value = Reflect::get(&answer.ok()?, &JsValue::from_str("value")).ok()?;
    value.dyn_into().ok()
}
