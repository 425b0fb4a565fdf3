//! `Receiver`: takes the bytes of a model's weights, one file after another, checks them and records the progress.

use std::cell::Cell;
use std::rc::Rc;

use super::destination::Destination;
use super::refusal::refused;
use super::source_files::SourceFiles;
use crate::engine::Arrival;
use crate::hub::ListedFile;
use crate::protocol::{Event, LoadStage};
use crate::store::{ArtifactRecord, Checksum, Download, PartRecord};
use crate::web::shared::js_error::WebError;
use crate::web::worker::download::{Head, Receive};

/// Bytes between two records of a download's progress.
const COMMIT_BYTES: u64 = 8 << 20;

/// Takes the bytes of the weights.
pub(super) struct Receiver<'a> {
    files: &'a SourceFiles,
    arrival: Arrival,
    destination: &'a mut Destination,
    record: &'a mut ArtifactRecord,
    /// The identity of the source files: [`Download::files`].
    identity: String,
    /// Index of the current file.
    file: usize,
    /// Bytes of the files before it.
    bytes_before: u64,
    /// Bytes of all files so far.
    loaded: Rc<Cell<u64>>,
    /// Bytes of all files, where they are listed.
    total: Option<u64>,
    is_only_file: bool,
    /// Bytes of the current file, as listed.
    expected: Option<u64>,
    validator: Option<String>,
    /// The checksum of the current file; `None` where its download began before checksums were recorded.
    checksum: Option<Checksum>,
    /// The position that the journal continues from, and the checksum up to there.
    snapshot: Option<((usize, u64), Option<Checksum>)>,
    /// Offset in the current file at the last record of the progress.
    committed: u64,
    /// Whether the destination has lost bytes that the journal counts.
    has_lost: bool,
}

impl<'a> Receiver<'a> {
    /// A receiver at the source position of `arrival`; `resumed`: the download that it continues.
    pub(super) fn new(
        files: &'a SourceFiles,
        arrival: Arrival,
        destination: &'a mut Destination,
        record: &'a mut ArtifactRecord,
        identity: String,
        listed: &[ListedFile],
        resumed: Option<Download>,
    ) -> Self {
        let (file, offset) = arrival.source_pos();
        let size = |file: &ListedFile| file.size_bytes;
        let mut sizes = listed.iter();
        Self {
            files,
            arrival,
            destination,
            record,
            identity,
            file,
            bytes_before: listed.iter().take(file).filter_map(size).sum(),
            loaded: Rc::default(),
            total: sizes.try_fold(0_u64, |sum, file| sum.checked_add(size(file)?)),
            is_only_file: listed.len() == 1,
            expected: None,
            checksum: match &resumed {
                Some(download) => download.checksum.as_deref().and_then(Checksum::resume),
                None => Some(Checksum::default()),
            },
            validator: resumed.and_then(|download| download.validator),
            snapshot: None,
            committed: offset,
            has_lost: false,
        }
    }

    /// Index of the current file.
    pub(super) fn file_index(&self) -> usize {
        self.file
    }

    /// Bytes of all files so far, also while the receiver is borrowed.
    pub(super) fn loaded(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.loaded)
    }

    /// Expects the bytes of the next file.
    pub(super) fn begin_file(&mut self, file: &ListedFile) {
        self.expected = file.size_bytes;
        let reporter = &self.files.reporter;
        (reporter.post)(Event::Fetching {
            job: reporter.job,
            file: file.name.clone(),
            bytes_before: self.bytes_before,
            size_bytes: file.size_bytes,
        });
        self.report();
    }

    /// Whether all bytes of the current file have arrived, as far as its length is known.
    pub(super) fn is_file_complete(&self) -> bool {
        self.expected == Some(self.offset())
    }

    /// Ends the current file, whose bytes have all arrived; returns its checksum.
    pub(super) async fn end_file(&mut self, file: &ListedFile) -> Result<Option<String>, WebError> {
        let sum = self.checksum.take().map(Checksum::finish);
        if let (Some(expected), Some(sum)) = (&file.sha256, &sum)
            && sum != expected
        {
            return Err(WebError::Checksum {
                file: file.name.clone(),
            });
        }
        self.bytes_before += self.offset();
        self.arrival.end_file().map_err(|e| refused(&e))?;
        self.file += 1;
        self.validator = None;
        self.checksum = Some(Checksum::default());
        self.committed = 0;
        self.snapshot = Some((self.arrival.journal_pos(), Some(Checksum::default())));
        self.commit().await?;
        Ok(sum)
    }

    /// Notes the checksum of the finished artifact.
    pub(super) fn set_checksum(&mut self, sha256: Option<String>) {
        self.record.parts = vec![PartRecord {
            name: self.record.kind.part().to_owned(),
            size_bytes: self.bytes_before,
            sha256,
        }];
    }

    /// Notes what the bytes told about the model, once all have arrived.
    pub(super) fn note_notices(&mut self) {
        self.record.notices = self.arrival.notices();
    }

    fn report(&self) {
        let loaded = self.bytes_before + self.offset();
        self.loaded.set(loaded);
        self.destination.send((loaded, self.total));
        self.files.reporter.stage(LoadStage::Downloading {
            loaded,
            total: self.total,
        });
    }

    /// Records the progress for a later visit: that of the last piece which was written whole.
    pub(super) async fn commit(&mut self) -> Result<(), WebError> {
        let pos @ (_, offset) = self.arrival.journal_pos();
        let Some((at, checksum)) = &self.snapshot else {
            return Ok(());
        };
        if self.has_lost || *at != pos {
            return Ok(());
        }
        self.record.download = Some(Download {
            files: self.identity.clone(),
            loaded: self.bytes_before + offset,
            total: self.total,
            validator: self.validator.clone(),
            checksum: checksum.as_ref().map(Checksum::state),
            journal: self.arrival.journal(),
        });
        let written = self.destination.commit(self.record).await;
        self.has_lost = written.is_err();
        written
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
        let is_other_version = match (&self.validator, &head.validator) {
            (Some(known), Some(now)) => known != now,
            _ => false,
        };
        if head.offset != self.offset() || is_other_version {
            return Err(WebError::StartOver);
        }
        if let (true, Some(expected), Some(got)) = (head.is_part, self.expected, head.total)
            && expected != got
        {
            // The file was changed after it was listed.
            return Err(WebError::StartOver);
        }
        if self.is_only_file && self.total.is_none() && self.expected.is_none() {
            self.total = head.total;
        }
        self.validator.clone_from(&head.validator);
        Ok(())
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), WebError> {
        let start = self.offset();
        let before = self.checksum.clone();
        self.arrival
            .push(bytes, self.destination)
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
        if self.offset() - self.committed >= COMMIT_BYTES {
            self.committed = self.offset();
            self.commit().await?;
        }
        let settled = self.destination.settle().await;
        self.has_lost = settled.is_err();
        settled?;
        self.report();
        Ok(())
    }
}
