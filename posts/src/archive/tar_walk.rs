//! `TarWalk`: the files of a tar, header by header, in bounded memory. The crate `tar` reads the fields of a header; its own
//! walk holds names, records and maps of any length.

use std::io::{self, Read};

use tar::{EntryType, GnuHeader, Header};

/// Bytes of a header. Contents fill up whole blocks.
const BLOCK_BYTES: u64 = 512;
/// The bytes of a header with its checksum, which count as spaces in it.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// Where a block of a sparse file's map says whether another one follows.
const MAP_GOES_ON_AT: usize = 504;
/// Most bytes of a long name, or of the records before a file, that are read.
const MAX_NAME_BYTES: u64 = 64 << 10;

/// A file of a tar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TarFile {
    /// Its path; one of more than [`MAX_NAME_BYTES`] is cut.
    pub name: String,
    /// Where its content begins.
    pub start: u64,
    pub size_bytes: u64,
}

/// A tar, read from its beginning to its end.
pub(super) struct TarWalk<R> {
    input: R,
    /// Bytes read.
    at: u64,
    /// Where the next header is.
    next: u64,
}

impl<R: Read> TarWalk<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            at: 0,
            next: 0,
        }
    }

    /// The next file; folders, links and sparse files are passed over. `None` at the end.
    ///
    /// # Errors
    /// The error of the input; a header that is damaged.
    pub fn next_file(&mut self) -> io::Result<Option<TarFile>> {
        // What GNU and PAX write before the header of a file with a long name.
        let (mut long_name, mut records) = (None, Vec::new());
        while let Some(header) = self.header()? {
            let kind = header.entry_type();
            let stated = header.entry_size()?;
            match kind {
                EntryType::GNULongName => {
                    self.begin_content(stated)?;
                    long_name = Some(self.read(stated.min(MAX_NAME_BYTES))?);
                    continue;
                }
                EntryType::XHeader => {
                    self.begin_content(stated)?;
                    records = self.read(stated.min(MAX_NAME_BYTES))?;
                    continue;
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => {
                    self.begin_content(stated)?;
                    continue;
                }
                EntryType::GNUSparse => self.skip_map(&header)?,
                _ => {}
            }
            // A size beyond those that a header can state.
            let size = value_of(&records, b"size").and_then(|size| str::from_utf8(size).ok());
            let size_bytes = size.and_then(|size| size.parse().ok()).unwrap_or(stated);
            let start = self.at;
            self.begin_content(size_bytes)?;
            if kind == EntryType::Regular {
                let path = header.path_bytes();
                let name = match &long_name {
                    Some(name) => name.split(|byte| *byte == 0).next().unwrap_or_default(),
                    None => value_of(&records, b"path").unwrap_or(&path),
                };
                return Ok(Some(TarFile {
                    name: String::from_utf8_lossy(name).into_owned(),
                    start,
                    size_bytes,
                }));
            }
            (long_name, records) = (None, Vec::new());
        }
        Ok(None)
    }

    /// The next bytes, at most `len`; fewer at the end of the input.
    ///
    /// # Errors
    /// The error of the input.
    pub fn read(&mut self, len: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(len).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    /// The next header; `None` at the end, which is a block of zeros or that of the input.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let between = self.next.saturating_sub(self.at);
        let skipped = io::copy(&mut self.input.by_ref().take(between), &mut io::sink())?;
        self.at += skipped;
        if skipped < between {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let block = self.read(BLOCK_BYTES)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let mut header = Header::new_old();
        if block.len() < header.as_bytes().len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        header.as_mut_bytes().copy_from_slice(&block);
        let counted = block.iter().enumerate().map(|(at, byte)| match at {
            at if CHECKSUM.contains(&at) => u32::from(b' '),
            _ => u32::from(*byte),
        });
        if counted.sum::<u32>() != header.cksum()? {
            return Err(io::Error::other("the checksum of a tar header is wrong"));
        }
        Ok(Some(header))
    }

    /// Notes where the header after a content of `len` bytes is.
    fn begin_content(&mut self, len: u64) -> io::Result<()> {
        let blocks = len.checked_next_multiple_of(BLOCK_BYTES);
        let next = blocks.and_then(|len| self.at.checked_add(len));
        self.next = next.ok_or_else(|| io::Error::other("a tar header states no possible size"))?;
        Ok(())
    }

    /// Passes over the blocks between the header of a sparse file and its content.
    fn skip_map(&mut self, header: &Header) -> io::Result<()> {
        let mut goes_on = header.as_gnu().is_some_and(GnuHeader::is_extended);
        while goes_on {
            let block = self.read(BLOCK_BYTES)?;
            let flag = block.get(MAP_GOES_ON_AT);
            goes_on = *flag.ok_or(io::ErrorKind::UnexpectedEof)? == 1;
        }
        Ok(())
    }
}

/// The value of a key in the records of PAX; of several, the last one.
fn value_of<'a>(mut records: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    while let Some((record, rest)) = split_record(records) {
        let value = record
            .strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(b"="));
        found = value.or(found);
        records = rest;
    }
    found
}

/// The first record, `key=value`, and those after it. Each begins with its length in bytes and ends with a new line.
fn split_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memchr(b' ', records)?;
    let len: usize = str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    let record = records.get(space + 1..len)?;
    Some((record.strip_suffix(b"\n")?, &records[len..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    /// A header and a content in whole blocks.
    fn entry(kind: EntryType, name: &str, size: u64, content: &[u8]) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path(name).unwrap();
        header.set_size(size);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn file(name: &str, content: &[u8]) -> Vec<u8> {
        entry(EntryType::Regular, name, content.len() as u64, content)
    }

    fn records(text: &str) -> Vec<u8> {
        let len = text.len() as u64;
        entry(EntryType::XHeader, "records", len, text.as_bytes())
    }

    /// The name and the content of each file.
    fn walk(tar: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut walk = TarWalk::new(tar);
        let mut found = Vec::new();
        while let Some(file) = walk.next_file()? {
            let start = usize::try_from(file.start).unwrap();
            let content = walk.read(file.size_bytes)?;
            assert_eq!(content, tar[start..start + content.len()]);
            found.push((file.name, content));
        }
        Ok(found)
    }

    fn found(name: &str, content: &str) -> (String, Vec<u8>) {
        (name.to_owned(), content.as_bytes().to_vec())
    }

    #[test]
    fn long_names_of_gnu_and_of_pax_are_those_of_the_next_file_alone() {
        let long = "folder/".repeat(40) + "outbox.json";
        let gnu = format!("{long}\0");
        let tar = [
            entry(
                EntryType::GNULongName,
                "././@LongLink",
                gnu.len() as u64,
                gnu.as_bytes(),
            ),
            entry(EntryType::GNULongLink, "././@LongLink", 4, b"link"),
            file("cut", b"one"),
            file("short", b""),
            records(&format!(
                "17 comment=a\nb c\n10 path=a\n{} path={long}\n",
                9 + long.len() + 1
            )),
            file("cut", b"two"),
            entry(EntryType::Directory, "folder/", 0, b""),
            file("last", b"three"),
            vec![0; 1024],
        ];
        let expected = [
            found(&long, "one"),
            found("short", ""),
            found(&long, "two"),
            found("last", "three"),
        ];
        assert_eq!(walk(&tar.concat()).unwrap(), expected);
    }

    #[test]
    fn a_name_without_end_is_read_up_to_a_limit() {
        for kind in [
            EntryType::GNULongName,
            EntryType::GNULongLink,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
        ] {
            let size = 64 << 20;
            let header = entry(kind, "name", size, b"");
            let file = file("a.txt", b"text");
            let name = io::repeat(b'a').take(size);
            let tar = header.as_slice().chain(name).chain(file.as_slice());
            let mut walk = TarWalk::new(tar);
            let found = walk.next_file().unwrap().unwrap();
            assert!(found.name.len() as u64 <= MAX_NAME_BYTES, "{kind:?}");
            assert_eq!(walk.read(found.size_bytes).unwrap(), b"text", "{kind:?}");
            assert_eq!(walk.next_file().unwrap(), None, "{kind:?}");
        }
    }

    #[test]
    fn a_size_in_the_records_is_that_of_the_file() {
        let tar = [
            records("12 size=600\n"),
            entry(EntryType::Regular, "large", 0, &[b'x'; 600]),
            file("last", b"end"),
        ];
        let expected = [found("large", &"x".repeat(600)), found("last", "end")];
        assert_eq!(walk(&tar.concat()).unwrap(), expected);
        let endless = [records("29 size=18446744073709551615\n"), file("a", b"")];
        assert!(walk(&endless.concat()).is_err());
    }

    #[test]
    fn the_map_of_a_sparse_file_is_passed_over() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::GNUSparse);
        header.set_size(3);
        header.as_gnu_mut().unwrap().set_is_extended(true);
        header.set_cksum();
        let (mut map, mut end_of_map) = ([7; 512], [7; 512]);
        (map[MAP_GOES_ON_AT], end_of_map[MAP_GOES_ON_AT]) = (1, 0);
        let mut content = [0; 512];
        content[..3].copy_from_slice(b"abc");
        let tar = [
            header.as_bytes().to_vec(),
            [map, end_of_map, content].concat(),
            file("last", b"end"),
        ];
        assert_eq!(walk(&tar.concat()).unwrap(), [found("last", "end")]);
    }

    #[test]
    fn a_damaged_header_and_an_early_end_are_errors() {
        let tar = [file("a", b"one"), file("b", b"two")].concat();
        assert_eq!(walk(&tar).unwrap().len(), 2);
        let mut damaged = tar.clone();
        damaged[1024] ^= 1;
        assert!(walk(&damaged).is_err());
        for cut in [1, 511, 1025, 1500] {
            assert!(walk(&tar[..cut]).is_err(), "{cut}");
        }
    }
}
