//! `GzFile` and `TarEntries`: one compressed file, and the files of a tar, compressed or not.

use std::io::{self, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::entries::{Entries, Entry, SharedSource};
use super::error::{Fault, MAX_ENTRY_BYTES, MAX_RATIO, RATIO_COUNTS_FROM, ReadError, faulty};
use super::interest::is_of_interest;
use super::quote::Examples;
use super::tar_walk::TarWalk;

/// Most files of a tar that are remembered.
const MAX_REMEMBERED: usize = 1000;
/// Most bytes of its files that are kept in memory.
const MAX_KEPT_BYTES: u64 = 12 << 20;

/// Whether a tar is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
}

/// The whole content of a source.
pub(super) fn content(shared: &SharedSource, compression: Compression) -> Box<dyn Read> {
    match compression {
        Compression::None => Box::new(shared.whole()),
        Compression::Gzip => Box::new(Bounded {
            content: MultiGzDecoder::new(shared.whole()),
            got: 0,
            compressed: shared.size_bytes.max(1),
        }),
    }
}

/// A decompressed stream that may not grow out of proportion.
struct Bounded<R> {
    content: R,
    got: u64,
    compressed: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read(buffer)?;
        self.got += n as u64;
        if self.got > RATIO_COUNTS_FROM && self.got / self.compressed > MAX_RATIO {
            return Err(faulty(Fault::Bomb));
        }
        Ok(n)
    }
}

/// The content of one file, which fails beyond a length instead of ending there.
struct Limited<R> {
    content: R,
    /// Bytes that may still come.
    left: u64,
}

impl<R> Limited<R> {
    fn new(content: R) -> Self {
        Self {
            content,
            left: MAX_ENTRY_BYTES,
        }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.content.read(buffer)?;
        let left = self.left.checked_sub(n as u64);
        self.left = left.ok_or_else(|| faulty(Fault::TooLarge))?;
        Ok(n)
    }
}

/// A file in gzip, as an export of one file.
pub(super) struct GzFile {
    shared: SharedSource,
    entries: [Entry; 1],
}

impl GzFile {
    /// `name`: of the compressed file.
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

impl Entries for GzFile {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, _: usize) -> Result<Box<dyn Read>, ReadError> {
        let content = content(&self.shared, Compression::Gzip);
        Ok(Box::new(Limited::new(content)))
    }

    fn bytes_read(&self) -> u64 {
        self.shared.bytes_read()
    }
}

/// Where a file of a tar is.
enum Place {
    /// Kept in memory as the walk over the headers came by; to reach it again, all before it would be decompressed.
    Kept(Rc<[u8]>),
    /// In the content, from this byte on, with this length.
    At(u64, u64),
}

/// The files of a tar.
pub(super) struct TarEntries {
    shared: SharedSource,
    compression: Compression,
    entries: Vec<Entry>,
    places: Vec<Place>,
    /// All files of the tar.
    pub n_files: u64,
    /// Names of some of them.
    pub examples: Examples,
}

impl TarEntries {
    /// Walks the headers. A tar that ends in the middle has the files before that.
    ///
    /// # Errors
    /// [`ReadError`] if not even one header can be read.
    pub fn new(shared: SharedSource, compression: Compression) -> Result<Self, ReadError> {
        let mut found = Self {
            shared: shared.clone(),
            compression,
            entries: Vec::new(),
            places: Vec::new(),
            n_files: 0,
            examples: Examples::default(),
        };
        let mut walk = TarWalk::new(content(&shared, compression));
        let mut room = MAX_KEPT_BYTES;
        loop {
            let file = match walk.next_file() {
                Ok(Some(file)) => file,
                Ok(None) => break,
                Err(_) if found.n_files > 0 => break,
                Err(source) => {
                    return Err(ReadError::Archive {
                        cause: source.to_string(),
                    });
                }
            };
            found.n_files += 1;
            let name = file.name.strip_prefix("./").unwrap_or(&file.name);
            found.examples.add(name);
            if is_of_interest(name) && found.entries.len() < MAX_REMEMBERED {
                let len = file.size_bytes;
                let mut place = Place::At(file.start, len);
                // A file that breaks off is read as far as it goes later, when its error is reported.
                if len <= room
                    && let Ok(bytes) = walk.read(len)
                    && bytes.len() as u64 == len
                {
                    room -= len;
                    place = Place::Kept(bytes.into());
                }
                found.entries.push(Entry {
                    name: name.to_owned(),
                    size_bytes: match place {
                        Place::Kept(_) => 0,
                        Place::At(..) => shared.size_bytes,
                    },
                });
                found.places.push(place);
            }
        }
        Ok(found)
    }
}

impl Entries for TarEntries {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, idx: usize) -> Result<Box<dyn Read>, ReadError> {
        let (start, len) = match &self.places[idx] {
            Place::Kept(bytes) => return Ok(Box::new(Cursor::new(Rc::clone(bytes)))),
            Place::At(start, len) => (*start, *len),
        };
        let name = &self.entries[idx].name;
        let mut content = content(&self.shared, self.compression);
        let skipped = io::copy(&mut content.by_ref().take(start), &mut io::sink())
            .map_err(|source| ReadError::of_io(name, source))?;
        if skipped < start {
            return Err(ReadError::Damaged {
                name: name.clone(),
                fault: Fault::CutShort,
            });
        }
        Ok(Box::new(Limited::new(content.take(len))))
    }

    fn bytes_read(&self) -> u64 {
        self.shared.bytes_read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beyond_the_most_bytes_is_an_error_and_no_shorter_file() {
        let limited = |len: u64| Limited {
            content: io::repeat(b' ').take(len),
            left: 100_000,
        };
        let read = |len| io::copy(&mut limited(len), &mut io::sink());
        assert_eq!(read(100_000).ok(), Some(100_000));
        let error = read(100_001).err().map(|e| ReadError::of_io("a file", e));
        assert!(matches!(
            error,
            Some(ReadError::Damaged {
                fault: Fault::TooLarge,
                ..
            })
        ));
    }
}
