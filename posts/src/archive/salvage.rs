//! Finds the files of a zip whose directory is lost, as it is when a download broke off: by the header before each file.

use std::io::{self, Read as _};

use super::entries::SharedSource;
use super::interest::is_of_interest;

const SIGNATURE: &[u8] = b"PK\x03\x04";
/// Bytes of a header without the name.
const HEADER_BYTES: usize = 30;
/// Bytes searched at once.
const CHUNK_BYTES: usize = 1 << 20;
/// Longest name considered, in bytes.
const MAX_NAME_BYTES: usize = 512;
/// Most files found.
const MAX_FOUND: usize = 1000;

/// A file, by its own header.
pub(super) struct Found {
    pub name: String,
    pub is_encrypted: bool,
    /// The number of the compression method.
    pub method: u16,
    /// Where its content begins.
    pub start: u64,
    /// Compressed bytes, where the header states them.
    pub compressed: Option<u64>,
    /// Bytes and checksum of the content, where the header states them.
    pub size_and_crc: Option<(u64, u32)>,
}

/// The files of interest, in order.
///
/// # Errors
/// The error of the source.
pub(super) fn find(shared: &SharedSource) -> io::Result<Vec<Found>> {
    let mut input = shared.whole();
    let mut found = Vec::new();
    let mut chunk: Vec<u8> = Vec::new();
    let mut offset = 0_u64;
    loop {
        let n = input
            .by_ref()
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut chunk)?;
        let is_end = n == 0;
        // A header at the chunk's end is read with the next chunk.
        let whole = match is_end {
            true => chunk.len(),
            false => chunk.len().saturating_sub(HEADER_BYTES + MAX_NAME_BYTES),
        };
        for at in memchr::memmem::find_iter(&chunk, SIGNATURE) {
            if at < whole
                && found.len() < MAX_FOUND
                && let Some(file) = header(&chunk[at..], offset + at as u64)
            {
                found.push(file);
            }
        }
        if is_end {
            return Ok(found);
        }
        chunk.drain(..whole);
        offset += whole as u64;
    }
}

/// The file whose header `bytes` begin with, if its name is of interest.
fn header(bytes: &[u8], offset: u64) -> Option<Found> {
    let number = |at: usize| {
        let bytes: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(u16::from_le_bytes(bytes))
    };
    let long = |at: usize| {
        let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let (flags, method) = (number(6)?, number(8)?);
    let (crc, compressed, size) = (long(14)?, long(18)?, long(22)?);
    let (name_len, extra_len) = (usize::from(number(26)?), number(28)?);
    let name = std::str::from_utf8(bytes.get(HEADER_BYTES..HEADER_BYTES + name_len)?).ok()?;
    if !is_of_interest(name) || name.chars().any(char::is_control) {
        return None;
    }
    // Bit 3: the numbers stand behind the content. All ones: they stand elsewhere.
    let is_stated = flags & 8 == 0 && compressed != u32::MAX && size != u32::MAX;
    Some(Found {
        name: name.replace('\\', "/"),
        is_encrypted: flags & 1 != 0,
        method,
        start: offset + (HEADER_BYTES + name_len) as u64 + u64::from(extra_len),
        compressed: is_stated.then_some(u64::from(compressed)),
        size_and_crc: is_stated.then_some((u64::from(size), crc)),
    })
}
