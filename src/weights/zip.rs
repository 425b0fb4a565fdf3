//! `LocalHeader`, before each entry of a zip archive; `Descriptor` and `Search`, which find the entry's end.
//!
//! PyTorch's archives are read from front to back. Their headers leave the sizes at 0; the sizes stand in a descriptor
//! behind each entry, and again in the directory at the end of the file.
//!
//! Source: APPNOTE.TXT 6.3.10 of PKWARE, §4.3.7, §4.3.9, §4.5.3.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::error::{WeightsError, shown};

/// Bytes of a header before its name.
pub(super) const HEADER_BYTES: usize = 30;
/// Bytes of the last record of an archive without a comment.
pub(super) const END_BYTES: usize = 22;
const HEADER: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
const DIRECTORY: [[u8; 4]; 3] = [*b"PK\x01\x02", *b"PK\x06\x06", END];
const END: [u8; 4] = *b"PK\x05\x06";
/// First bytes of an entry that [`Search`] remembers.
const FIRST_BYTES: usize = 3;
/// Id of the extra field with sizes of 64 bits.
const ZIP64: u16 = 1;

/// The form of an entry's descriptor, which repeats its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Descriptor {
    /// With sizes of 32 bits.
    Short,
    /// With sizes of 64 bits.
    Long,
}

impl Descriptor {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Short => 16,
            Self::Long => 24,
        }
    }

    /// Whether `bytes` are the descriptor of an entry of `size` bytes.
    pub(super) fn is_of(self, bytes: &[u8], size: u64) -> bool {
        let sizes = match bytes.split_at_checked(8) {
            Some((head, sizes)) if bytes.len() == self.len() && head[..4] == DESCRIPTOR => sizes,
            _ => return false,
        };
        match self {
            Self::Short => {
                u32::try_from(size).is_ok_and(|size| sizes == [size.to_le_bytes(); 2].concat())
            }
            Self::Long => sizes == [size.to_le_bytes(); 2].concat(),
        }
    }
}

/// An uncompressed entry of a zip archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalHeader {
    pub(super) name: String,
    /// The size of the content, if the header states it.
    pub(super) size: Option<u64>,
    pub(super) descriptor: Option<Descriptor>,
}

impl LocalHeader {
    /// Whether the directory begins here, so that no more entries follow.
    pub(super) fn is_directory(bytes: &[u8]) -> bool {
        DIRECTORY
            .iter()
            .any(|signature| bytes.starts_with(signature))
    }

    /// Whether `bytes` are the end of an archive.
    pub(super) fn is_end(bytes: &[u8]) -> bool {
        bytes.len() == END_BYTES && bytes.starts_with(&END)
    }

    /// Bytes of the header; a number above the length of `bytes` if they do not determine it yet.
    pub(super) fn len(bytes: &[u8]) -> usize {
        match bytes.get(26..HEADER_BYTES) {
            Some(lens) => {
                HEADER_BYTES + usize::from(u16_at(lens, 0)) + usize::from(u16_at(lens, 2))
            }
            None if bytes.len() < 4 => 4,
            None => HEADER_BYTES,
        }
    }

    /// Reads a whole header, which begins at the file's byte `pos`.
    ///
    /// # Errors
    /// [`WeightsError::Compressed`], [`WeightsError::Malformed`].
    pub(super) fn parse(bytes: &[u8], pos: u64) -> Result<Self, WeightsError> {
        let malformed = |what| Err(WeightsError::Malformed { offset: pos, what });
        if !bytes.starts_with(&HEADER) {
            return malformed("an entry of the archive does not begin where the one before ends");
        }
        let name_end = HEADER_BYTES + usize::from(u16_at(bytes, 26));
        let name = String::from_utf8_lossy(&bytes[HEADER_BYTES..name_end]).into_owned();
        let (flags, method) = (u16_at(bytes, 6), u16_at(bytes, 8));
        if flags & 1 != 0 {
            return malformed("an entry of the archive is encrypted");
        }
        if method != 0 {
            return Err(WeightsError::Compressed { name: shown(&name) });
        }
        let wide = extra_field(&bytes[name_end..], ZIP64);
        let descriptor = (flags & 8 != 0).then_some(match wide {
            Some(_) => Descriptor::Long,
            None => Descriptor::Short,
        });
        let (compressed, size) = (u32_at(bytes, 18), u32_at(bytes, 22));
        let size = match (size, wide) {
            (u32::MAX, Some(wide)) if wide.len() >= 8 => {
                let size = *wide.first_chunk::<8>().expect("looked at just now");
                Some(u64::from_le_bytes(size))
            }
            (0, _) if descriptor.is_some() => None,
            (size, _) if size == compressed && size != u32::MAX => Some(u64::from(size)),
            _ => return malformed("an entry of the archive has two sizes"),
        };
        Ok(Self {
            name,
            size,
            descriptor,
        })
    }
}

/// An entry that is read to its end, which may be known from its descriptor only.
#[derive(Debug)]
pub(super) struct Search {
    size: Option<u64>,
    descriptor: Option<Descriptor>,
    /// Bytes so far, the descriptor's among them.
    len: u64,
    first: Vec<u8>,
    last: VecDeque<u8>,
}

impl Search {
    /// The search before the entry's first byte.
    pub(super) fn new(size: Option<u64>, descriptor: Option<Descriptor>) -> Self {
        Self {
            size,
            descriptor,
            len: 0,
            first: Vec::new(),
            last: VecDeque::new(),
        }
    }

    /// Takes bytes up to the end of the descriptor, if it is among them, and returns how many.
    pub(super) fn push(&mut self, bytes: &[u8]) -> usize {
        for (i, byte) in bytes.iter().enumerate() {
            self.len += 1;
            if self.first.len() < FIRST_BYTES {
                self.first.push(*byte);
            }
            self.last.push_back(*byte);
            if self.last.len() > self.descriptor_len() {
                self.last.pop_front();
            }
            if self.is_done() {
                return i + 1;
            }
        }
        bytes.len()
    }

    /// The entry's first three bytes, or as many as have arrived.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// Whether the entry and its descriptor, if it has one, are read.
    pub(super) fn is_done(&self) -> bool {
        let Some(size) = self.len.checked_sub(self.descriptor_len() as u64) else {
            return false;
        };
        match (self.size, self.descriptor) {
            (Some(known), _) => size == known,
            // Only the descriptor has a signature followed by the number of the entry's bytes.
            (None, Some(descriptor)) => {
                self.last.front() == Some(&b'P') && {
                    let last: Vec<u8> = self.last.iter().copied().collect();
                    descriptor.is_of(&last, size)
                }
            }
            (None, None) => true,
        }
    }

    fn descriptor_len(&self) -> usize {
        self.descriptor.map_or(0, Descriptor::len)
    }
}

/// The content of an extra field, if it is there.
pub(super) fn extra_field(mut bytes: &[u8], id: u16) -> Option<&[u8]> {
    while bytes.len() >= 4 {
        let (head, rest) = bytes.split_at(4);
        let len = usize::from(u16_at(head, 2));
        if u16_at(head, 0) == id {
            return rest.get(..len);
        }
        bytes = rest.get(len..)?;
    }
    None
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
