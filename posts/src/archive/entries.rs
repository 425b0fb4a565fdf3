//! `Entries`: the files of an export by name, from wherever they are; and a file that several readers share.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::error::ReadError;

/// Bytes asked of the file at once. In a browser each request crosses into JavaScript.
const CHUNK_BYTES: usize = 256 << 10;

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path inside of the export, with `/`. It is only compared and shown: nothing is ever written to it.
    pub name: String,
    /// Bytes that reading it takes from the source; fewer than its content where it is compressed.
    pub size_bytes: u64,
}

/// The files of an export: a zip, a tar, a folder, or a single file.
pub trait Entries {
    /// Those that may hold posts, the account or its picture.
    fn entries(&self) -> &[Entry];

    /// A file's content from its beginning.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be opened; later faults come as [`io::Error`].
    fn open(&mut self, idx: usize) -> Result<Box<dyn Read>, ReadError>;

    /// Bytes taken from the source so far, over all opened files.
    fn bytes_read(&self) -> u64;
}

/// A file that can be read anywhere: on disk, in memory, or a `Blob`.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// A source that several readers share, each with a place of its own.
#[derive(Clone)]
pub(super) struct SharedSource {
    source: Rc<RefCell<Box<dyn Source>>>,
    read: Rc<Cell<u64>>,
    /// Bytes of the source.
    pub size_bytes: u64,
}

impl SharedSource {
    pub fn new(mut source: Box<dyn Source>) -> io::Result<Self> {
        let size_bytes = source.seek(SeekFrom::End(0))?;
        Ok(Self {
            source: Rc::new(RefCell::new(source)),
            read: Rc::default(),
            size_bytes,
        })
    }

    pub fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// A buffered reader of `len` bytes from `start` on.
    pub fn section(&self, start: u64, len: u64) -> BufReader<Section> {
        BufReader::with_capacity(CHUNK_BYTES, self.part(start, len))
    }

    fn part(&self, start: u64, len: u64) -> Section {
        Section {
            shared: self.clone(),
            start,
            at: start,
            end: start.saturating_add(len).min(self.size_bytes.max(start)),
        }
    }

    /// A reader of it all without a buffer.
    pub fn unbuffered(&self) -> Section {
        self.part(0, self.size_bytes)
    }

    /// A buffered reader of it all.
    pub fn whole(&self) -> BufReader<Section> {
        self.section(0, self.size_bytes)
    }

    /// Up to `n` bytes from the beginning.
    pub fn head(&self, n: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.part(0, n).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Forgets what was read so far: the beginning, the directory.
    pub fn reset_count(&self) {
        self.read.set(0);
    }
}

/// A part of a shared source.
pub(super) struct Section {
    shared: SharedSource,
    start: u64,
    at: u64,
    end: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        if len == 0 {
            return Ok(0);
        }
        let mut source = self.shared.source.borrow_mut();
        source.seek(SeekFrom::Start(self.at))?;
        let n = source.read(&mut buffer[..len])?;
        self.at += n as u64;
        self.shared.read.set(self.shared.read.get() + n as u64);
        Ok(n)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => self.start.checked_add(offset),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        let target = target.filter(|target| *target >= self.start);
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at - self.start)
    }
}

/// A single file as an export.
pub(super) struct OneFile {
    shared: SharedSource,
    entries: [Entry; 1],
}

impl OneFile {
    pub fn new(shared: SharedSource, name: &str) -> Self {
        let entry = Entry {
            name: name.to_owned(),
            size_bytes: shared.size_bytes,
        };
        Self {
            shared,
            entries: [entry],
        }
    }
}

impl Entries for OneFile {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, _: usize) -> Result<Box<dyn Read>, ReadError> {
        Ok(Box::new(self.shared.whole()))
    }

    fn bytes_read(&self) -> u64 {
        self.shared.bytes_read()
    }
}

/// The content of a small file.
///
/// # Errors
/// [`ReadError::TooLarge`] beyond `limit` bytes, and the errors of reading.
pub(super) fn read_small(
    entries: &mut dyn Entries,
    idx: usize,
    limit: u64,
) -> Result<Vec<u8>, ReadError> {
    let name = entries.entries()[idx].name.clone();
    let mut bytes = Vec::new();
    entries
        .open(idx)?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| ReadError::of_io(&name, source))?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { name, limit });
    }
    Ok(bytes)
}
