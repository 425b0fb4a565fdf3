//! `OutFile`: a file of the bot that is being written, in the private file system, or in memory where there is none.

use std::io::{self, Write};

use js_sys::{Array, Uint8Array};
use web_sys::{Blob, FileSystemDirectoryHandle};

use crate::engine::WriteAt;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_storage::StorageFile;

/// Bytes that are collected before they are written.
const PART_BYTES: usize = 1 << 20;

/// A file that is being written from its beginning on, or at any offset.
pub struct OutFile {
    to: Place,
    /// Bytes that wait, to be written at `pos`.
    part: Vec<u8>,
    pos: u64,
}

enum Place {
    Stored(StorageFile),
    /// The browser keeps the parts outside of this program's memory.
    Blob(Array),
    /// Written at any offset.
    Memory(Vec<u8>),
}

impl OutFile {
    /// An empty file in `folder`.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn stored(folder: &FileSystemDirectoryHandle, name: &str) -> Result<Self, WebError> {
        let file = StorageFile::open(folder, name).await?;
        file.truncate(0)?;
        Ok(Self::new(Place::Stored(file)))
    }

    /// A file that is no longer than this page, written from its beginning on.
    pub fn blob() -> Self {
        Self::new(Place::Blob(Array::new()))
    }

    /// The same, written at any offset.
    pub fn memory() -> Self {
        Self::new(Place::Memory(Vec::new()))
    }

    fn new(to: Place) -> Self {
        Self {
            to,
            part: Vec::new(),
            pos: 0,
        }
    }

    /// Ends it, and gives its bytes if they are not in the private file system.
    ///
    /// # Errors
    /// The storage's.
    pub fn finish(mut self) -> io::Result<Option<Blob>> {
        self.write_part()?;
        let parts = match self.to {
            Place::Stored(file) => {
                file.flush().map_err(io::Error::other)?;
                return Ok(None);
            }
            Place::Blob(parts) => parts,
            Place::Memory(bytes) => Array::of1(&Uint8Array::from(&bytes[..])),
        };
        let blob = Blob::new_with_u8_array_sequence(&parts);
        blob.map(Some)
            .map_err(|_| io::ErrorKind::OutOfMemory.into())
    }

    fn write_part(&mut self) -> io::Result<()> {
        if self.part.is_empty() {
            return Ok(());
        }
        match &mut self.to {
            Place::Stored(file) => file.write_at(self.pos, &self.part)?,
            Place::Blob(parts) => {
                let part = Array::of1(&Uint8Array::from(&self.part[..]));
                let part = Blob::new_with_u8_array_sequence(&part);
                let part = part.map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
                parts.push(&part);
            }
            Place::Memory(bytes) => bytes.write_at(self.pos, &self.part)?,
        }
        self.pos += self.part.len() as u64;
        self.part.clear();
        Ok(())
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.write_part()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_part()
    }
}

impl WriteAt for OutFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match &mut self.to {
            Place::Stored(file) => file.write_at(offset, bytes),
            Place::Memory(memory) => memory.write_at(offset, bytes),
            Place::Blob(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
