//! `Source`: the files that a conversion reads: where it stands in them, and which tensors lie ahead.

use std::collections::VecDeque;

use crate::weights::checkpoint::Checkpoint;
use crate::weights::error::WeightsError;
use crate::weights::expected::{ExpectedTensors, Tied};
use crate::weights::file_parser::FileParser;
use crate::weights::journal::Journal;
use crate::weights::location::{TensorLocation, sort_by_offset};
use crate::weights::remarks::Remarks;

/// The position of a byte in the source files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePos {
    /// Index of the file; the number of files once all have ended.
    pub file: usize,
    /// Byte in it.
    pub offset: u64,
}

/// The source files, of which all bytes before a position have been read.
pub(super) struct Source {
    n_files: usize,
    pos: SourcePos,
    parser: FileParser,
    /// Expected tensors that lie ahead in this file, nearest first.
    ahead: VecDeque<TensorLocation>,
    /// For each expected tensor: whether this file or an earlier file lists it.
    is_announced: Vec<bool>,
    /// Whether the tensors of a file are known.
    is_listed: bool,
    /// What the lists of tensors tell beside them.
    remarks: Remarks,
}

impl Source {
    /// Files of float weights, in any format, which are to hold `n_tensors` expected tensors.
    pub(super) fn of_floats(n_files: usize, n_tensors: usize) -> Self {
        Self {
            n_files,
            pos: SourcePos { file: 0, offset: 0 },
            parser: FileParser::start(),
            ahead: VecDeque::new(),
            is_announced: vec![false; n_tensors],
            is_listed: false,
            remarks: Remarks::default(),
        }
    }

    /// A GGUF file, whose tensors are known from its header.
    pub(super) fn of_gguf(checkpoint: &Checkpoint) -> Self {
        let tensors = checkpoint.stored_tensors();
        let mut located: Vec<_> = tensors
            .iter()
            .enumerate()
            .map(|(idx, stored)| TensorLocation {
                idx,
                dtype: stored.dtype,
                offset: stored.offset,
                strides: stored.strides,
            })
            .collect();
        sort_by_offset(&mut located);
        let ends = tensors
            .iter()
            .map(|stored| stored.offset + stored.size_bytes());
        Self {
            parser: FileParser::of_data(ends.max().unwrap_or(0)),
            ahead: located.into(),
            is_listed: true,
            ..Self::of_floats(1, tensors.len())
        }
    }

    /// Continues where a checked journal ends.
    pub(super) fn restore(&mut self, journal: &Journal) {
        self.pos = SourcePos {
            file: journal.file,
            offset: journal.offset,
        };
        if let Some(state) = &journal.parser {
            self.parser = FileParser::resume(state.clone(), journal.offset);
        }
        self.ahead = journal.ahead.iter().copied().collect();
        for idx in &journal.announced {
            self.is_announced[*idx] = true;
        }
        self.is_listed = !journal.announced.is_empty();
        self.remarks = journal.remarks;
    }

    /// Notes the position in a journal, between two tensors.
    pub(super) fn note_in(&self, journal: &mut Journal) {
        journal.file = self.pos.file;
        journal.offset = self.pos.offset;
        journal.parser = self.parser.state();
        journal.remarks = self.remarks;
        journal.ahead = self.ahead.iter().copied().collect();
        let announced = self.is_announced.iter().enumerate();
        journal.announced = announced.filter(|(_, is)| **is).map(|(i, _)| i).collect();
    }

    /// What the lists of tensors so far tell beside them.
    pub(super) fn remarks(&self) -> Remarks {
        self.remarks
    }

    pub(super) fn n_files(&self) -> usize {
        self.n_files
    }

    pub(super) fn pos(&self) -> SourcePos {
        self.pos
    }

    /// Whether all files have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.pos.file == self.n_files
    }

    /// Whether it is known which tensors the first file holds.
    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// Whether the files so far list both an embedding and a head that is tied to it.
    pub(super) fn lists_both(&self, tied: Tied) -> bool {
        self.is_announced[tied.embedding] && self.is_announced[tied.head]
    }

    /// Bytes before the next header, of tensors or without use.
    pub(super) fn data_left(&self) -> u64 {
        self.parser.data_left()
    }

    /// Reads the next bytes of a header; returns how many.
    ///
    /// # Errors
    /// Those of the format; [`WeightsError::RepeatedTensor`]; [`WeightsError::MissingTensor`] in the last file.
    pub(super) fn read_header(
        &mut self,
        bytes: &[u8],
        expected: &ExpectedTensors,
    ) -> Result<usize, WeightsError> {
        let parsed = self.parser.parse(bytes, expected)?;
        self.remarks.add(parsed.remarks);
        if let Some(announced) = parsed.announced {
            for idx in announced {
                if std::mem::replace(&mut self.is_announced[idx], true) {
                    return Err(expected.repeated(idx));
                }
            }
            if self.pos.file + 1 == self.n_files {
                expected
                    .require_all(|idx| self.is_announced[idx])
                    .map_err(|missing| self.remarks.explain(missing))?;
            }
            self.is_listed = true;
        }
        self.ahead.extend(parsed.located);
        self.pos.offset += parsed.n_used as u64;
        Ok(parsed.n_used)
    }

    /// The next tensor that begins at this byte, once.
    pub(super) fn begins(&mut self) -> Option<TensorLocation> {
        let next = self.ahead.front()?;
        match next.offset == self.pos.offset {
            true => self.ahead.pop_front(),
            false => None,
        }
    }

    /// Bytes up to the next tensor of the file, if there is one.
    ///
    /// # Errors
    /// [`WeightsError::BadJournal`]: headers and pickles are checked when they are parsed, so a tensor that lies behind
    /// comes from a damaged journal.
    pub(super) fn until_next(&self) -> Result<Option<u64>, WeightsError> {
        let Some(next) = self.ahead.front() else {
            return Ok(None);
        };
        match next.offset.checked_sub(self.pos.offset) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(WeightsError::BadJournal {
                what: "a tensor lies outside its data",
            }),
        }
    }

    /// Passes over bytes of data.
    pub(super) fn skip(&mut self, n: u64) {
        self.parser.skip(n);
        self.pos.offset += n;
    }

    /// Goes on to the next file.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`].
    pub(super) fn end_file(&mut self) -> Result<(), WeightsError> {
        self.parser.end(self.pos.offset)?;
        self.pos = SourcePos {
            file: self.pos.file + 1,
            offset: 0,
        };
        self.parser = FileParser::start();
        self.ahead.clear();
        Ok(())
    }
}
