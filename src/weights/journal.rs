//! `Journal`: the progress of a conversion, small enough to be stored after every tensor.

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use super::expected::ExpectedTensors;
use super::file_parser::ParserState;
use super::location::TensorLocation;
use super::remarks::Remarks;
use super::tied_head::TiedHead;

/// The version of the journal's form; it changes whenever a stored journal could be misread.
const VERSION: u32 = 2;
/// Limit of lengths and offsets: far above the size of any file, and far below an overflow of their sums.
const MAX_FILE_BYTES: u64 = 1 << 48;

/// The progress from which [`super::conversion::Conversion::resume`] continues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// The fingerprint of the output's header, which holds name, shape, tokenizer and types.
    fingerprint: u64,
    n_files: usize,
    pub(super) file: usize,
    pub(super) offset: u64,
    /// The state of the file's parser; `None` before the file's first byte.
    #[serde(rename = "place")]
    pub(super) parser: Option<ParserState>,
    /// Expected tensors that lie ahead in the file, nearest first.
    pub(super) ahead: Vec<TensorLocation>,
    /// Indices of the expected tensors that the files so far list.
    pub(super) announced: Vec<usize>,
    pub(super) tied_head: TiedHead,
    #[serde(default)]
    pub(super) remarks: Remarks,
    pub(super) done: Vec<Done>,
}

/// A tensor that was written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Index into [`ExpectedTensors::specs`].
    pub(super) idx: usize,
    pub(super) max_error: f32,
    pub(super) rms_error: f32,
}

impl Journal {
    /// The file and the byte in it that must be pushed next.
    pub fn pos(&self) -> (usize, u64) {
        (self.file, self.offset)
    }

    /// The journal of a conversion before its first byte.
    pub(super) fn start(fingerprint: u64, n_files: usize) -> Self {
        Self {
            version: VERSION,
            fingerprint,
            n_files,
            file: 0,
            offset: 0,
            parser: None,
            ahead: Vec::new(),
            announced: Vec::new(),
            tied_head: TiedHead::default(),
            remarks: Remarks::default(),
            done: Vec::new(),
        }
    }

    /// Refuses a journal of another conversion, and a journal that contradicts itself.
    ///
    /// # Errors
    /// [`WeightsError::BadJournal`].
    pub(super) fn check(
        &self,
        fingerprint: u64,
        n_files: usize,
        expected: &ExpectedTensors,
    ) -> Result<(), WeightsError> {
        let bad = |what| Err(WeightsError::BadJournal { what });
        if self.version != VERSION {
            return bad("it is of another version of this program");
        }
        if self.fingerprint != fingerprint || self.n_files != n_files {
            return bad("it is of another model or type");
        }
        let n = expected.specs.len();
        let mut is_announced = vec![false; n];
        for idx in &self.announced {
            match is_announced.get_mut(*idx) {
                Some(is) if !*is => *is = true,
                _ => return bad("it lists a tensor twice, or an unknown tensor"),
            }
        }
        let later: Vec<&TensorLocation> = self.parser.iter().flat_map(ParserState::later).collect();
        let left = || self.ahead.iter().chain(later.iter().copied());
        let mut is_listed = vec![false; n];
        for idx in self
            .done
            .iter()
            .map(|done| done.idx)
            .chain(left().map(|location| location.idx))
        {
            match is_listed.get_mut(idx) {
                Some(is) if !*is && is_announced[idx] => *is = true,
                _ => return bad("it lists a tensor twice, or an unknown tensor"),
            }
        }
        let is_in_order = self.ahead.is_sorted_by_key(|location| location.offset)
            && self
                .ahead
                .first()
                .is_none_or(|location| location.offset >= self.offset);
        if !is_in_order || left().any(|location| !location.dtype.is_float()) {
            return bad("its tensors are out of order or not floats");
        }
        let has_size = |location: &TensorLocation| {
            let size = location.size_bytes(&expected.specs[location.idx]);
            size.is_some_and(|size| size <= MAX_FILE_BYTES)
        };
        if !left().all(has_size) {
            return bad("a tensor lies beyond any file");
        }
        let is_done = |idx| self.done.iter().any(|done| done.idx == idx);
        if !self.tied_head.is_valid(expected.tied(), is_done) {
            return bad("it contradicts itself about the head");
        }
        let is_between_files = self.parser.is_none();
        if self.file > n_files
            || self.offset > MAX_FILE_BYTES
            || (is_between_files && (self.offset != 0 || !self.ahead.is_empty()))
            || (self.file == n_files && !is_between_files)
        {
            return bad("its position in the files is impossible");
        }
        if self.file == n_files && expected.require_all(is_done).is_err() {
            return bad("it ends before all tensors are written");
        }
        Ok(())
    }
}
