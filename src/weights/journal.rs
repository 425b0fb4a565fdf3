//! `Journal`: how far a conversion came, small enough to be stored after every tensor.

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use super::needed::{Found, Needed};
use super::source::Place;

/// Changes whenever a stored journal could be misread.
const VERSION: u32 = 1;
/// Far above any file, and far below where sums of offsets end.
const MAX_FILE_BYTES: u64 = 1 << 48;

/// What [`super::conversion::Conversion::resume`] needs to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// Of the output's header, thus of name, shape, tokenizer and types.
    fingerprint: u64,
    n_files: usize,
    pub(super) file: usize,
    pub(super) offset: u64,
    /// Of the file; `None` before its first byte.
    pub(super) place: Option<Place>,
    /// Needed tensors that lie ahead in the file, nearest first.
    pub(super) ahead: Vec<Found>,
    /// Indices of the needed tensors that the files so far say they hold.
    pub(super) announced: Vec<usize>,
    pub(super) done: Vec<Done>,
}

/// A tensor that was written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Index into [`Needed::specs`].
    pub(super) idx: usize,
    pub(super) max_error: f32,
    pub(super) rms_error: f32,
}

impl Journal {
    /// The byte of the source that is to be pushed next.
    pub fn pos(&self) -> (usize, u64) {
        (self.file, self.offset)
    }

    /// Nothing is done.
    pub(super) fn start(fingerprint: u64, n_files: usize) -> Self {
        Self {
            version: VERSION,
            fingerprint,
            n_files,
            file: 0,
            offset: 0,
            place: None,
            ahead: Vec::new(),
            announced: Vec::new(),
            done: Vec::new(),
        }
    }

    /// That it belongs to this conversion and nothing in it contradicts the rest.
    pub(super) fn check(
        &self,
        fingerprint: u64,
        n_files: usize,
        needed: &Needed,
    ) -> Result<(), WeightsError> {
        let bad = |what| Err(WeightsError::BadJournal { what });
        if self.version != VERSION {
            return bad("it is of another version of this program");
        }
        if self.fingerprint != fingerprint || self.n_files != n_files {
            return bad("it is of another model or type");
        }
        let n = needed.specs.len();
        let mut is_announced = vec![false; n];
        for idx in &self.announced {
            match is_announced.get_mut(*idx) {
                Some(is) if !*is => *is = true,
                _ => return bad("it names a tensor twice or one that is none"),
            }
        }
        let later: Vec<&Found> = self.place.iter().flat_map(Place::ahead).collect();
        let left = || self.ahead.iter().chain(later.iter().copied());
        let mut is_placed = vec![false; n];
        for idx in self
            .done
            .iter()
            .map(|done| done.idx)
            .chain(left().map(|found| found.idx))
        {
            match is_placed.get_mut(idx) {
                Some(is) if !*is && is_announced[idx] => *is = true,
                _ => return bad("it names a tensor twice or one that is none"),
            }
        }
        let is_in_order = self.ahead.is_sorted_by_key(|found| found.offset)
            && self
                .ahead
                .first()
                .is_none_or(|found| found.offset >= self.offset);
        if !is_in_order || left().any(|found| !found.dtype.is_float()) {
            return bad("its tensors are in no order");
        }
        let is_between = self.place.is_none();
        if self.file > n_files
            || self.offset > MAX_FILE_BYTES
            || (is_between && (self.offset != 0 || !self.ahead.is_empty()))
            || (self.file == n_files && !is_between)
        {
            return bad("its place in the files is none");
        }
        if self.file == n_files && self.done.len() != n {
            return bad("it ends before all tensors are done");
        }
        Ok(())
    }
}
