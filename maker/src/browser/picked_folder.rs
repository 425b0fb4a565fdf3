//! `PickedFolder`: the files of an unpacked export, which the visitor picked as a folder.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use posts::archive::{Entries, Entry, ReadError};
use web_sys::Blob;

use super::blob_file::BlobFile;

/// Bytes asked of a file at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Picked files by their paths.
pub struct PickedFolder {
    blobs: Vec<Blob>,
    entries: Vec<Entry>,
    read: Rc<Cell<u64>>,
}

impl PickedFolder {
    /// The files and their paths, in the same order.
    pub fn new(paths: Vec<String>, blobs: Vec<Blob>) -> Self {
        let entries = paths.into_iter().zip(&blobs).map(|(name, blob)| Entry {
            name,
            // Sizes of blobs are whole numbers below 2^53.
            size_bytes: blob.size() as u64,
        });
        Self {
            entries: entries.collect(),
            blobs,
            read: Rc::default(),
        }
    }
}

impl Entries for PickedFolder {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, idx: usize) -> Result<Box<dyn Read>, ReadError> {
        let file = BlobFile::new(self.blobs[idx].clone()).map_err(|source| ReadError::Io {
            name: self.entries[idx].name.clone(),
            source,
        })?;
        let counted = Counted {
            file,
            read: Rc::clone(&self.read),
        };
        Ok(Box::new(BufReader::with_capacity(CHUNK_BYTES, counted)))
    }

    fn bytes_read(&self) -> u64 {
        self.read.get()
    }
}

/// A file whose bytes are counted.
struct Counted {
    file: BlobFile,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(out)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}
