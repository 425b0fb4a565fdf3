//! `Window`: a reader that keeps what it has read across seeks. `BufReader` drops its buffer on each seek, and the
//! directory of a zip is read with one seek per file.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes kept.
const WINDOW_BYTES: usize = 256 << 10;

/// A part of `inner` in memory, and a place that moves freely inside and outside of it.
pub(super) struct Window<R> {
    inner: R,
    bytes: Vec<u8>,
    /// Where `bytes` begins in `inner`.
    start: u64,
    at: u64,
}

impl<R: Read + Seek> Window<R> {
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            bytes: Vec::new(),
            start: 0,
            at: 0,
        }
    }

    /// What is in memory from the current place on.
    fn rest(&self) -> &[u8] {
        let offset = self.at.checked_sub(self.start);
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        offset
            .and_then(|offset| self.bytes.get(offset..))
            .unwrap_or_default()
    }
}

impl<R: Read + Seek> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest().is_empty() {
            // A search backwards reads what precedes: the place stays in the middle.
            let half = WINDOW_BYTES as u64 / 2;
            self.start = self.at.saturating_sub(half);
            self.bytes.clear();
            self.inner.seek(SeekFrom::Start(self.start))?;
            self.inner
                .by_ref()
                .take(WINDOW_BYTES as u64)
                .read_to_end(&mut self.bytes)?;
        }
        let rest = self.rest();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl<R: Read + Seek> Seek for Window<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(offset) => offset,
            SeekFrom::Current(offset) => self
                .at
                .checked_add_signed(offset)
                .ok_or(io::ErrorKind::InvalidInput)?,
            SeekFrom::End(_) => self.inner.seek(to)?,
        };
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn reads_are_those_of_the_inner_reader_wherever_it_is_moved() {
        let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut window = Window::new(Cursor::new(&bytes));
        let end = bytes.len() as u64;
        let places = [0, 100, end - 50, 131_000, 262_144, end / 2, 7, end, end + 9];
        for at in places {
            window.seek(SeekFrom::Start(at)).unwrap_or_default();
            let mut got = Vec::new();
            window
                .by_ref()
                .take(300_000)
                .read_to_end(&mut got)
                .unwrap_or_default();
            let at = usize::try_from(at.min(end)).unwrap_or_default();
            let expected = &bytes[at..(at + 300_000).min(bytes.len())];
            assert!(got == expected, "at {at}: {} bytes", got.len());
        }
    }
}
