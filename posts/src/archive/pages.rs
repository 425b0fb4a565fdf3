//! `Pages`: a file read at many places, of which parts stay in memory. In a browser each read crosses into JavaScript.

use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::entries::Section;

const PAGE_BYTES: u64 = 16 << 10;
/// Most pages in memory: 8 MB.
const MAX_PAGES: usize = 512;

pub(super) struct Pages {
    file: Section,
    pages: HashMap<u64, Vec<u8>>,
    used: u64,
}

impl Pages {
    pub fn new(file: Section) -> Self {
        Self {
            file,
            pages: HashMap::new(),
            used: 0,
        }
    }

    /// Bytes given out so far.
    pub fn used_bytes(&self) -> u64 {
        self.used
    }

    /// `len` bytes from `start` on; fewer at the end of the file.
    pub fn read(&mut self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len.min(1 << 16));
        while bytes.len() < len {
            let at = start + bytes.len() as u64;
            let number = at / PAGE_BYTES;
            if !self.pages.contains_key(&number) {
                if self.pages.len() >= MAX_PAGES {
                    self.pages.clear();
                }
                let mut page = Vec::new();
                self.file.seek(SeekFrom::Start(number * PAGE_BYTES))?;
                self.file.by_ref().take(PAGE_BYTES).read_to_end(&mut page)?;
                self.pages.insert(number, page);
            }
            let page = self.pages.get(&number).map_or(&[][..], Vec::as_slice);
            let offset = usize::try_from(at % PAGE_BYTES).unwrap_or_default();
            let rest = page.get(offset..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let n = rest.len().min(len - bytes.len());
            bytes.extend_from_slice(&rest[..n]);
        }
        self.used += bytes.len() as u64;
        Ok(bytes)
    }
}
