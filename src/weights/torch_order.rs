//! `in_torch_order`: an archive of PyTorch that another program has packed again, as if its pickle came first.
//!
//! `torch.load` finds entries by the archive's directory, in any order. The parser of arriving files needs the names of
//! the tensors before their numbers, as `torch.save` writes them.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::ReadSeek;
use super::zip::{END_BYTES, extra_field, u16_at, u32_at};

/// Bytes of an entry of the directory before its name.
const ENTRY_BYTES: usize = 46;
/// Bytes of the last record's locator and of the record itself where offsets have 64 bits.
const LOCATOR_BYTES: u64 = 20;
const WIDE_END_BYTES: usize = 56;
/// Most bytes of a directory; that of GPT-2 XL has 50 kB.
const MAX_DIRECTORY_BYTES: u64 = 1 << 24;
/// Id of the extra field with numbers of 64 bits.
const ZIP64: u16 = 1;

/// The same bytes; of an archive whose pickle is not its first entry, those of that entry come first.
///
/// What is no such archive is left as it is, for its own reader to judge. The result begins at its first byte.
///
/// # Errors
/// The reader's.
pub fn in_torch_order(mut inner: Box<dyn ReadSeek>) -> io::Result<Box<dyn ReadSeek>> {
    let pickle = entry_of_pickle(&mut inner)?;
    inner.seek(SeekFrom::Start(0))?;
    Ok(match pickle {
        None => inner,
        Some(pickle) => Box::new(InTorchOrder {
            inner,
            pickle,
            pos: 0,
        }),
    })
}

struct InTorchOrder<R> {
    inner: R,
    /// Where the entry of the pickle lies in the file.
    pickle: Range<u64>,
    /// The byte that is read next, as if the entry came first.
    pos: u64,
}

impl<R: Read + Seek> Read for InTorchOrder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Range { start, end } = self.pickle;
        let (place, left) = match self.pos {
            pos if pos < end - start => (start + pos, end - start - pos),
            pos if pos < end => (pos - (end - start), end - pos),
            pos => (pos, u64::MAX),
        };
        self.inner.seek(SeekFrom::Start(place))?;
        let n = self.inner.by_ref().take(left).read(buffer)?;
        self.pos += n as u64;
        Ok(n)
    }
}

impl<R: Seek> Seek for InTorchOrder<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.pos = match to {
            SeekFrom::Start(pos) => pos,
            SeekFrom::End(_) => self.inner.seek(to)?,
            SeekFrom::Current(by) => self
                .pos
                .checked_add_signed(by)
                .ok_or(io::ErrorKind::InvalidInput)?,
        };
        Ok(self.pos)
    }
}

/// Where the entry `FOLDER/data.pkl` of an archive lies, up to the next entry, unless it is the first or there is none.
fn entry_of_pickle(file: &mut dyn ReadSeek) -> io::Result<Option<Range<u64>>> {
    let len = file.seek(SeekFrom::End(0))?;
    let Some(end_at) = len.checked_sub(END_BYTES as u64) else {
        return Ok(None);
    };
    let end = bytes_at(file, end_at, END_BYTES)?;
    if bytes_at(file, 0, 4)? != b"PK\x03\x04" || !end.starts_with(b"PK\x05\x06") {
        return Ok(None);
    }
    let (mut size, mut at) = (u32_at(&end, 12).into(), u32_at(&end, 16).into());
    if at == u64::from(u32::MAX) {
        let locator = end_at.saturating_sub(LOCATOR_BYTES);
        let locator = bytes_at(file, locator, LOCATOR_BYTES as usize)?;
        let end = bytes_at(file, u64_at(&locator, 8).unwrap_or(len), WIDE_END_BYTES)?;
        let wide = u64_at(&end, 40).zip(u64_at(&end, 48));
        let Some(wide) = wide.filter(|_| end.starts_with(b"PK\x06\x06")) else {
            return Ok(None);
        };
        (size, at) = wide;
    }
    if size > MAX_DIRECTORY_BYTES.min(len) || at > len {
        return Ok(None);
    }
    let directory = bytes_at(file, at, size as usize)?;
    let mut entries = &directory[..];
    let (mut pickle, mut starts) = (None, vec![at]);
    while let Some((entry, rest)) = entries.split_at_checked(ENTRY_BYTES) {
        let lens = [28, 30, 32].map(|at| usize::from(u16_at(entry, at)));
        let len: usize = lens.iter().sum();
        let Some((texts, rest)) = rest.split_at_checked(len) else {
            return Ok(None);
        };
        let (name, extra) = (&texts[..lens[0]], &texts[lens[0]..lens[0] + lens[1]]);
        let start = match u32_at(entry, 42) {
            u32::MAX => {
                let before = [20, 24].map(|at| usize::from(u32_at(entry, at) == u32::MAX));
                let wide = extra_field(extra, ZIP64);
                wide.and_then(|wide| u64_at(wide, 8 * (before[0] + before[1])))
            }
            start => Some(start.into()),
        };
        let Some(start) = start else {
            return Ok(None);
        };
        let inside = name.iter().position(|byte| *byte == b'/');
        if inside.is_some_and(|at| &name[at..] == b"/data.pkl") {
            pickle = Some(start);
        }
        starts.push(start);
        entries = rest;
    }
    let Some(start) = pickle.filter(|start| *start > 0) else {
        return Ok(None);
    };
    let end = starts.into_iter().filter(|other| *other > start).min();
    Ok(end.filter(|end| *end <= len).map(|end| start..end))
}

/// `n` bytes from byte `at` on, or those up to the end of the file.
fn bytes_at(file: &mut dyn ReadSeek, at: u64, n: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(n as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let number = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*number))
}
