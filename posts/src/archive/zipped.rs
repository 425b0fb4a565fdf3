//! `ZipEntries`: the files of a zip, of any number and size, of which only those of interest are remembered.

use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;
use zip::CompressionMethod;
use zip::HasZipMetadata as _;
use zip::read::{Config, ZipFileEntry};
use zip::unstable::read::ZipIterable;

use super::entries::{Entries, Entry, SharedSource};
use super::error::{Fault, MAX_ENTRY_BYTES, MAX_RATIO, RATIO_COUNTS_FROM, ReadError, faulty};
use super::interest::is_of_interest;
use super::quote::Examples;
use super::salvage::{self, Found};
use super::window::Window;

/// Most files remembered; an X archive has about a hundred besides its media.
const MAX_REMEMBERED: usize = 20_000;
/// Most files of a directory looked at. An archive with a million media is larger than any known.
const MAX_LISTED: usize = 1_000_000;
/// Numbers of the methods that are read.
const STORE: u16 = 0;
const DEFLATE: u16 = 8;

/// What is known of a file.
enum Header {
    /// From the directory.
    Listed(ZipFileEntry<'static>),
    /// From the file's own header.
    Found(Found),
}

/// The files of a zip.
pub(super) struct ZipEntries {
    shared: SharedSource,
    is_wanted: fn(&str) -> bool,
    entries: Vec<Entry>,
    headers: Vec<Header>,
    /// All files of the zip.
    pub n_files: u64,
    /// Names of some of them.
    pub examples: Examples,
    /// Whether the directory is there.
    pub has_directory: bool,
}

impl ZipEntries {
    /// Reads the directory, of which only the files of interest are kept. Where it is lost, the files are searched for.
    ///
    /// # Errors
    /// [`ReadError::Archive`] if there is no directory and no file of interest.
    pub fn new(shared: SharedSource) -> Result<Self, ReadError> {
        let mut this = Self::unread(shared, is_of_interest);
        if let Err(error) = this.read_directory() {
            let damaged = ReadError::Archive {
                cause: error.to_string(),
            };
            let found = salvage::find(&this.shared).map_err(|source| ReadError::Io {
                name: "the zip".to_owned(),
                source,
            })?;
            if found.is_empty() {
                return Err(damaged);
            }
            this.has_directory = false;
            this.entries.clear();
            this.headers.clear();
            this.n_files = found.len() as u64;
            for file in found {
                this.entries.push(Entry {
                    name: file.name.clone(),
                    size_bytes: file.compressed.unwrap_or_default(),
                });
                this.headers.push(Header::Found(file));
            }
        }
        Ok(this)
    }

    /// Reads the directory, of which only the files that `is_wanted` are kept.
    ///
    /// # Errors
    /// [`ReadError::Archive`] if there is none.
    pub fn wanted(shared: SharedSource, is_wanted: fn(&str) -> bool) -> Result<Self, ReadError> {
        let mut this = Self::unread(shared, is_wanted);
        let read = this.read_directory();
        read.map_err(|error| ReadError::Archive {
            cause: error.to_string(),
        })?;
        Ok(this)
    }

    fn unread(shared: SharedSource, is_wanted: fn(&str) -> bool) -> Self {
        Self {
            shared,
            is_wanted,
            entries: Vec::new(),
            headers: Vec::new(),
            n_files: 0,
            examples: Examples::default(),
            has_directory: true,
        }
    }

    fn read_directory(&mut self) -> zip::result::ZipResult<()> {
        let window = Window::new(self.shared.unbuffered());
        let mut directory = ZipIterable::try_new(window, Config::default())?;
        for header in directory.files()?.take(MAX_LISTED) {
            let header = header?;
            if !header.is_file() {
                continue;
            }
            self.n_files += 1;
            let name = match header.name() {
                Ok(name) => name.replace('\\', "/"),
                // A name that is no text is none of ours.
                Err(_) => continue,
            };
            self.examples.add(&name);
            if (self.is_wanted)(&name) && self.entries.len() < MAX_REMEMBERED {
                self.entries.push(Entry {
                    name,
                    size_bytes: header.compressed_size(),
                });
                self.headers.push(Header::Listed(header));
            }
        }
        Ok(())
    }

    /// The facts of a file, whose own header says where its content begins.
    fn found(&self, idx: usize) -> Result<Found, ReadError> {
        let name = self.entries[idx].name.clone();
        Ok(match &self.headers[idx] {
            Header::Found(found) => Found { name, ..*found },
            Header::Listed(header) => {
                let start = header
                    .get_metadata()
                    .data_start(&mut self.shared.whole())
                    .map_err(|error| ReadError::Archive {
                        cause: error.to_string(),
                    })?;
                let method = header.compression();
                Found {
                    is_encrypted: header.encrypted(),
                    method: match method {
                        CompressionMethod::STORE => STORE,
                        CompressionMethod::DEFLATE => DEFLATE,
                        _ => {
                            return Err(ReadError::Compression {
                                name,
                                method: method.to_string(),
                            });
                        }
                    },
                    name,
                    start,
                    compressed: Some(header.compressed_size()),
                    size_and_crc: Some((header.size(), header.crc32())),
                }
            }
        })
    }
}

impl Entries for ZipEntries {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, idx: usize) -> Result<Box<dyn Read>, ReadError> {
        let found = self.found(idx)?;
        let name = found.name;
        if found.is_encrypted {
            return Err(ReadError::Encrypted { name });
        }
        // Without a number, the compressed data say themselves where they end.
        let len = found.compressed.unwrap_or(self.shared.size_bytes);
        let section = self.shared.section(found.start, len);
        let content: Box<dyn Read> = match found.method {
            STORE if found.compressed.is_some() => Box::new(section),
            DEFLATE => Box::new(DeflateDecoder::new(section)),
            method => {
                return Err(ReadError::Compression {
                    name,
                    method: format!("number {method}"),
                });
            }
        };
        Ok(Box::new(Checked {
            content,
            crc: crc32fast::Hasher::new(),
            got: 0,
            compressed: len.max(1),
            expected: found.size_and_crc,
        }))
    }

    fn bytes_read(&self) -> u64 {
        self.shared.bytes_read()
    }
}

/// A file's content, checked against what its archive states: the size as it comes, the checksum at the end.
struct Checked {
    content: Box<dyn Read>,
    crc: crc32fast::Hasher,
    got: u64,
    compressed: u64,
    expected: Option<(u64, u32)>,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let n = self.content.read(buffer)?;
        self.got += n as u64;
        let got = self.got;
        if got > MAX_ENTRY_BYTES {
            return Err(faulty(Fault::TooLarge));
        }
        if got > RATIO_COUNTS_FROM && got / self.compressed > MAX_RATIO {
            return Err(faulty(Fault::Bomb));
        }
        if let Some((expected, expected_crc)) = self.expected {
            if got > expected || (n == 0 && got < expected) {
                return Err(faulty(Fault::Size { expected, got }));
            }
            self.crc.update(&buffer[..n]);
            if n == 0 && self.crc.clone().finalize() != expected_crc {
                return Err(faulty(Fault::Checksum));
            }
        }
        Ok(n)
    }
}
