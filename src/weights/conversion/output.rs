//! `Output`: the GGUF that a conversion writes, tensor by tensor, with the layout that a tied head may change.

use crate::kernels::pack::WeightType;
use crate::weights::error::WeightsError;
use crate::weights::expected::{ExpectedTensors, Tied};
use crate::weights::gguf::Value;
use crate::weights::gguf_layout::{Layout, padding};
use crate::weights::hash::{NumbersHash, fingerprint};
use crate::weights::journal::Done;
use crate::weights::location::TensorLocation;
use crate::weights::report::{ConversionReport, RoundingErrors};
use crate::weights::target::Target;
use crate::weights::tied_head::TiedHead;
use crate::weights::transcoder::Transcoder;
use crate::weights::write_at::WriteAt;

/// The file, of which some tensors are written.
pub(super) struct Output {
    /// For each expected tensor, a tied head included.
    targets: Vec<Target>,
    tied: Option<Tied>,
    layout: Layout,
    /// The layout without room for a head that is tied but differs, where there is room.
    plain_layout: Option<Layout>,
    tied_head: TiedHead,
    is_header_written: bool,
    fingerprint: u64,
}

impl Output {
    /// The file before its first byte: matrices as `dtype`, behind a header with `metadata`.
    pub(super) fn new(
        expected: &ExpectedTensors,
        dtype: WeightType,
        metadata: &[(String, Value)],
    ) -> Self {
        let specs = expected.specs.iter().cloned();
        let targets: Vec<Target> = specs.map(|spec| Target::new(spec, dtype)).collect();
        // A tied head is the last tensor.
        let n_written = targets.len() - usize::from(expected.tied().is_some());
        let to_write = targets[..n_written].iter().map(Target::to_write);
        let to_write: Vec<_> = to_write.collect();
        let layout = Layout::new(metadata, &to_write);
        Self {
            fingerprint: fingerprint(&layout.header),
            targets,
            tied: expected.tied(),
            layout,
            plain_layout: None,
            tied_head: TiedHead::default(),
            is_header_written: false,
        }
    }

    /// Of model, tokenizer and types.
    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub(super) fn bytes(&self) -> u64 {
        self.layout.len
    }

    pub(super) fn n_tensors(&self) -> usize {
        self.layout.offsets.len()
    }

    pub(super) fn tied_head(&self) -> TiedHead {
        self.tied_head
    }

    /// Makes room in the header for a head that is tied but differs, if there is none yet.
    pub(super) fn make_room(&mut self) {
        if !self.tied_head.has_room {
            let with_room = TiedHead::layout_with_room(&self.layout, &self.targets);
            self.plain_layout = Some(std::mem::replace(&mut self.layout, with_room));
            self.tied_head.has_room = true;
        }
    }

    /// The file as a checked journal left it, in a new conversion.
    pub(super) fn restore(&mut self, stored: TiedHead, has_tensors: bool) {
        if stored.has_room {
            self.make_room();
        }
        let has_room = self.tied_head.has_room;
        self.tied_head = TiedHead { has_room, ..stored };
        if stored.differs {
            self.list_both();
        }
        // Before the first tensor is complete the header may not have been stored either.
        self.is_header_written = has_tensors;
    }

    /// Lists embedding and head in the header.
    fn list_both(&mut self) {
        if let (Some(tied), Some(plain)) = (self.tied, &self.plain_layout) {
            self.layout = self.tied_head.layout_of_both(plain, &self.targets, tied);
        }
    }

    /// Writes the header, unless it is written.
    ///
    /// # Errors
    /// [`WeightsError::Write`].
    pub(super) fn write_header(&mut self, sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        if !self.is_header_written {
            write(sink, 0, &self.layout.header)?;
            self.is_header_written = true;
        }
        Ok(())
    }

    /// Begins the tensor that is stored there.
    pub(super) fn begin(&self, location: TensorLocation) -> ArrivingTensor {
        let idx = location.idx;
        let target = &self.targets[idx];
        let tied = self.tied.filter(|tied| tied.contains(idx));
        let place = tied.map_or(idx, |tied| tied.embedding);
        let left = location.size_bytes(&target.spec);
        // Floats are always decoded, because they may be infinite or NaN.
        let is_copied = location.dtype == target.dtype && !location.dtype.is_float();
        ArrivingTensor {
            idx,
            left: left.expect("checked when the header was read"),
            out_offset: self.layout.offsets[place],
            transcoder: (!is_copied).then(|| Transcoder::new(target, &location)),
            hash: (self.tied_head.has_room && tied.is_some()).then(NumbersHash::default),
            held: self.tied_head.is_second(tied, idx).then(Vec::new),
        }
    }

    /// Completes a tensor of which all bytes have arrived; `None` if it is a tied head that the embedding stands for, or
    /// the other way round.
    ///
    /// # Errors
    /// [`WeightsError::NotFinite`], [`WeightsError::Write`].
    pub(super) fn end(
        &mut self,
        ended: &ArrivingTensor,
        sink: &mut dyn WriteAt,
    ) -> Result<Option<Done>, WeightsError> {
        let idx = ended.idx;
        match &ended.held {
            Some(_) if self.tied_head.first.map(|(_, hash)| hash) == ended.hash => return Ok(None),
            Some(bytes) => self.write_head(bytes, sink)?,
            None => write(sink, ended.out_offset, padding(ended.out_offset))?,
        }
        let is_in_pair = self.tied.is_some_and(|tied| tied.contains(idx));
        if is_in_pair && self.tied_head.first.is_none() {
            self.tied_head.first = Some((idx, ended.hash.unwrap_or_default()));
        }
        let (max_error, rms_error) = self.targets[idx].errors(&ended.errors())?;
        Ok(Some(Done {
            idx,
            max_error,
            rms_error,
        }))
    }

    /// Writes the second of embedding and tied head behind all tensors, and the header that lists both.
    fn write_head(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        self.tied_head.differs = true;
        self.list_both();
        write(sink, 0, &self.layout.header)?;
        let start = *self.layout.offsets.last().expect("a model has tensors");
        write(sink, start, bytes)?;
        let end = start + bytes.len() as u64;
        write(sink, end, padding(end))
    }

    /// The report of the whole file. `done`: for each expected tensor, once it is written.
    ///
    /// # Panics
    /// If a tensor is missing.
    pub(super) fn report(&self, done: &[Option<Done>]) -> ConversionReport {
        let targets = self.targets.iter().enumerate().take(self.n_tensors());
        let reports = targets.map(|(idx, target)| {
            let either = self.tied.filter(|tied| tied.contains(idx));
            let done = done[idx].or_else(|| done[either?.head]);
            let done = done.expect("checked when the last file ended");
            target.report(done.max_error, done.rms_error)
        });
        ConversionReport::new(reports.collect(), self.layout.len)
    }
}

/// A tensor whose bytes are arriving.
pub(super) struct ArrivingTensor {
    idx: usize,
    /// Source bytes still to come.
    left: u64,
    /// The offset of the next bytes of the output.
    out_offset: u64,
    /// `None` for a tensor that is copied.
    transcoder: Option<Transcoder>,
    /// Of the numbers so far, for embedding and tied head.
    hash: Option<NumbersHash>,
    /// The encoded bytes of the second of the two, which are written only if it differs.
    held: Option<Vec<u8>>,
}

impl ArrivingTensor {
    /// Source bytes still to come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Writes the next bytes, at most [`Self::left`].
    ///
    /// # Errors
    /// Those of the transcoder; [`WeightsError::OutOfMemory`], [`WeightsError::Write`].
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn WriteAt,
    ) -> Result<(), WeightsError> {
        self.left -= bytes.len() as u64;
        let Some(transcoder) = &mut self.transcoder else {
            write(sink, self.out_offset, bytes)?;
            self.out_offset += bytes.len() as u64;
            return Ok(());
        };
        transcoder.push(bytes, &mut |values, encoded| {
            if let Some(hash) = &mut self.hash {
                hash.add(values);
            }
            if let Some(held) = &mut self.held {
                held.try_reserve(encoded.len())
                    .map_err(|_| WeightsError::OutOfMemory {
                        name: "lm_head.weight".to_owned(),
                    })?;
                held.extend_from_slice(encoded);
                return Ok(());
            }
            write(sink, self.out_offset, encoded)?;
            self.out_offset += encoded.len() as u64;
            Ok(())
        })
    }

    fn errors(&self) -> RoundingErrors {
        let transcoder = self.transcoder.as_ref();
        transcoder.map(Transcoder::errors).unwrap_or_default()
    }
}

fn write(sink: &mut dyn WriteAt, offset: u64, bytes: &[u8]) -> Result<(), WeightsError> {
    sink.write_at(offset, bytes)
        .map_err(|source| WeightsError::Write { source })
}
