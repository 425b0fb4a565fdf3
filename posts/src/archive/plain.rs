//! A text with a post per line, from a file or pasted.

use std::io::{BufRead as _, BufReader, Read};

use super::entries::Entries;
use super::error::{Encoding, MAX_ELEMENT_BYTES, ReadError};
use super::reader::{Reader, bytes_of};
use super::report::{Sink, Step};
use crate::post::{Post, Reply};

/// A text being read.
pub(super) struct Plain {
    entries: Box<dyn Entries>,
    idx: usize,
    lines: Option<BufReader<Box<dyn Read>>>,
    name: String,
    position: u64,
    line: Vec<u8>,
}

impl Plain {
    /// A reader of the file `idx` of `entries`.
    pub fn new(entries: Box<dyn Entries>, idx: usize) -> Self {
        let name = entries.entries()[idx].name.clone();
        Self {
            entries,
            idx,
            lines: None,
            name,
            position: 0,
            line: Vec::new(),
        }
    }
}

impl Reader for Plain {
    fn step(&mut self, budget: u64, sink: &mut Sink<'_>) -> Result<Step, ReadError> {
        let mut lines = match self.lines.take() {
            Some(lines) => lines,
            None => {
                sink.report.opened.push(self.name.clone());
                BufReader::with_capacity(256 << 10, self.entries.open(self.idx)?)
            }
        };
        let until = self.position.saturating_add(budget);
        while !sink.is_stopped {
            if self.position >= until {
                self.lines = Some(lines);
                return Ok(Step::More);
            }
            self.line.clear();
            let n = lines
                .by_ref()
                .take(MAX_ELEMENT_BYTES as u64 + 1)
                .read_until(b'\n', &mut self.line)
                .map_err(|source| ReadError::of_io(&self.name, source))?;
            if n == 0 {
                return Ok(Step::Done);
            }
            if n > MAX_ELEMENT_BYTES {
                return Err(ReadError::TooLong {
                    name: self.name.clone(),
                    at: self.position,
                });
            }
            let line = match self.position {
                0 => self
                    .line
                    .strip_prefix(b"\xef\xbb\xbf")
                    .unwrap_or(&self.line),
                _ => &self.line,
            };
            self.position += n as u64;
            let text = std::str::from_utf8(line).map_err(|_| ReadError::Encoding {
                name: self.name.clone(),
                encoding: Encoding::SingleByte,
            })?;
            let text = text.trim_end_matches(['\n', '\r']);
            if crate::python::trim(text).is_empty() {
                continue;
            }
            let reply = match text.starts_with('@') {
                true => Reply::ToOther,
                false => Reply::No,
            };
            sink.push(Post {
                text: text.to_owned(),
                reply,
                ..Post::default()
            });
        }
        Ok(Step::Stopped)
    }

    fn bytes(&self) -> (u64, u64) {
        bytes_of(&*self.entries, self.entries.entries()[self.idx].size_bytes)
    }
}
