//! `Receiver`: takes the bytes of a model's weights, one file after another, checks them and notes how far they are.

use std::cell::Cell;
use std::rc::Rc;

use super::output::Output;
use super::{Acquisition, refused};
use crate::engine::Arrival;
use crate::hub::ListedFile;
use crate::protocol::LoadStage;
use crate::store::{Checksum, KeptModel, Part};
use crate::web::shared::js_error::WebError;
use crate::web::worker::download::{Head, Receive};

/// Bytes between two notes of how far a download is.
const NOTE_EVERY: u64 = 8 << 20;

/// Takes the bytes of the weights, one file after another.
pub(super) struct Receiver<'a> {
    pub(super) acquisition: &'a Acquisition<'a>,
    pub(super) arrival: Arrival,
    pub(super) output: &'a mut Output,
    pub(super) kept: &'a mut KeptModel,
    /// Of the source files: [`Part::files`].
    pub(super) identity: String,
    /// Index of the file under way.
    pub(super) file: usize,
    /// Bytes of the files before it.
    pub(super) before: u64,
    /// Bytes of all files so far.
    pub(super) loaded: Rc<Cell<u64>>,
    /// Bytes of all files.
    pub(super) total: Option<u64>,
    /// Whether there is one file only.
    pub(super) is_alone: bool,
    /// Bytes of this file, as listed.
    pub(super) expected: Option<u64>,
    pub(super) validator: Option<String>,
    /// Of this file; none where it was begun before sums were kept.
    pub(super) checksum: Option<Checksum>,
    /// The place the journal goes on from, and the sum up to there.
    pub(super) snapshot: Option<((usize, u64), Option<Checksum>)>,
    /// Byte at which the last note was taken.
    pub(super) noted: u64,
}

impl Receiver<'_> {
    pub(super) fn tell(&self) {
        let loaded = self.before + self.offset();
        self.loaded.set(loaded);
        self.output.tell((loaded, self.total));
        self.acquisition.stage(LoadStage::Downloading {
            loaded,
            total: self.total,
        });
    }

    /// Notes how far the model is, for a later visit.
    async fn note(&mut self) -> Result<(), WebError> {
        let Some((_, checksum)) = &self.snapshot else {
            return Ok(());
        };
        let (_, offset) = self.arrival.journal_pos();
        self.kept.part = Some(Part {
            files: self.identity.clone(),
            loaded: self.before + offset,
            total: self.total,
            validator: self.validator.clone(),
            checksum: checksum.as_ref().map(Checksum::state),
            journal: self.arrival.journal(),
        });
        self.output.note(self.kept).await
    }

    /// Ends the file, whose bytes are all there.
    pub(super) async fn end_file(&mut self, file: &ListedFile) -> Result<(), WebError> {
        if let (Some(expected), Some(checksum)) = (&file.sha256, self.checksum.take())
            && checksum.finish() != *expected
        {
            return Err(WebError::Checksum {
                file: file.name.clone(),
            });
        }
        self.before += self.offset();
        self.arrival.end_file().map_err(|e| refused(&e))?;
        self.file += 1;
        self.validator = None;
        self.checksum = Some(Checksum::default());
        self.noted = 0;
        self.snapshot = Some((self.arrival.journal_pos(), Some(Checksum::default())));
        self.note().await
    }
}

impl Receive for Receiver<'_> {
    fn offset(&self) -> u64 {
        match self.arrival.source_pos() {
            (file, offset) if file == self.file => offset,
            _ => 0,
        }
    }

    fn expected(&self) -> Option<u64> {
        self.expected
    }

    fn begin(&mut self, head: &Head) -> Result<(), WebError> {
        let is_other = match (&self.validator, &head.validator) {
            (Some(known), Some(now)) => known != now,
            _ => false,
        };
        if head.offset != self.offset() || is_other {
            return Err(WebError::StartOver);
        }
        if let (true, Some(expected), Some(got)) = (head.is_part, self.expected, head.total)
            && expected != got
        {
            // Listed before it was changed, or a host that is not to be trusted.
            return Err(WebError::StartOver);
        }
        if self.is_alone && self.total.is_none() && self.expected.is_none() {
            self.total = head.total;
        }
        self.validator.clone_from(&head.validator);
        Ok(())
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), WebError> {
        let start = self.offset();
        let before = self.checksum.clone();
        self.arrival
            .push(bytes, self.output)
            .map_err(|e| refused(&e))?;
        if let Some(checksum) = &mut self.checksum {
            checksum.update(bytes);
        }
        let pos = self.arrival.journal_pos();
        if self.snapshot.as_ref().is_none_or(|(at, _)| *at != pos) && pos.0 == self.file {
            let inside = pos.1.saturating_sub(start) as usize;
            let checksum = match inside == bytes.len() {
                true => self.checksum.clone(),
                false => before.map(|mut checksum| {
                    checksum.update(&bytes[..inside.min(bytes.len())]);
                    checksum
                }),
            };
            self.snapshot = Some((pos, checksum));
        }
        if self.offset() - self.noted >= NOTE_EVERY {
            self.noted = self.offset();
            self.note().await?;
        }
        self.output.settle().await?;
        self.tell();
        Ok(())
    }
}
