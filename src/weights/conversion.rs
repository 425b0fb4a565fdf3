//! `Conversion`: a model's weights written as a GGUF file while their bytes arrive, resumable after every tensor.

mod output;
mod source;

use super::checkpoint::Checkpoint;
use super::error::WeightsError;
use super::expected::{ExpectedTensors, Tied};
use super::gguf::Value;
use super::gguf_metadata;
use super::journal::{Done, Journal};
use super::report::ConversionReport;
use super::write_at::WriteAt;
use crate::kernels::pack::WeightType;
use crate::notice::Notice;

use output::{ArrivingTensor, Output};
use source::Source;
pub use source::SourcePos;

/// The model that float weights become.
#[derive(Debug, Clone, Copy)]
pub struct ConversionParams<'a> {
    /// The model's `config.json`.
    pub config_json: &'a [u8],
    /// Type of the matrices; vectors and positions become F32.
    pub dtype: WeightType,
    /// The file's metadata, as of [`super::gguf_metadata::gpt2_metadata`].
    pub metadata: &'a [(String, Value)],
    /// Source files: 1, or the number of shards, which follow each other in any fixed order.
    pub n_files: usize,
}

/// The progress of a [`Conversion`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversionProgress {
    /// Tensors written.
    pub done: usize,
    /// Tensors in all.
    pub total: usize,
}

/// A conversion under way.
///
/// The bytes of each source file go to [`Self::push`] from first to last, in pieces of any size, followed by
/// [`Self::end_file`]; after the last file comes [`Self::finish`]. Each tensor is written at its offset as its rows
/// arrive. Beside its output a conversion holds at most one source tensor that is stored transposed and a few MB.
///
/// After an error no more bytes may be pushed; [`Self::resume`] makes a new conversion, which continues.
pub struct Conversion {
    expected: ExpectedTensors,
    source: Source,
    output: Output,
    /// Tensors of which some bytes have arrived.
    arriving: Vec<ArrivingTensor>,
    /// For each expected tensor, once it is written.
    done: Vec<Option<Done>>,
    notices: Vec<Notice>,
    journal: Journal,
    has_failed: bool,
}

impl Conversion {
    /// A conversion of float weights, before the first byte of the first file.
    ///
    /// # Errors
    /// [`WeightsError::Config`].
    ///
    /// # Panics
    /// If `n_files` is 0.
    pub fn new(params: &ConversionParams) -> Result<Self, WeightsError> {
        assert!(params.n_files > 0, "weights are in at least one file");
        let (config, expected, mut notices) =
            ExpectedTensors::from_config_json(params.config_json)?;
        notices.extend(gguf_metadata::notice_of_llama_cpp(&config));
        let source = Source::of_floats(params.n_files, expected.specs.len());
        let mut output = Output::new(&expected, params.dtype, params.metadata);
        // Embedding and head may lie in different files, and the header is written with the first one.
        if params.n_files > 1 && expected.tied().is_some() {
            output.make_room();
        }
        Ok(Self::start(expected, source, output, notices))
    }

    /// A conversion of a GGUF file to other types, before its first byte. It cannot be resumed.
    ///
    /// Quantized tensors that already have the type they are to have are copied.
    pub fn of_gguf(
        checkpoint: &Checkpoint,
        dtype: WeightType,
        metadata: &[(String, Value)],
    ) -> Self {
        let tensors = checkpoint.stored_tensors();
        let specs = tensors.iter().map(|stored| stored.spec.clone()).collect();
        let expected = ExpectedTensors::new(specs);
        let output = Output::new(&expected, dtype, metadata);
        let notice = gguf_metadata::notice_of_llama_cpp(checkpoint.config());
        let notices = notice.into_iter().collect();
        Self::start(expected, Source::of_gguf(checkpoint), output, notices)
    }

    fn start(
        expected: ExpectedTensors,
        source: Source,
        output: Output,
        notices: Vec<Notice>,
    ) -> Self {
        Self {
            arriving: Vec::new(),
            done: vec![None; expected.specs.len()],
            notices,
            journal: Journal::start(output.fingerprint(), source.n_files()),
            has_failed: false,
            expected,
            source,
            output,
        }
    }

    /// Continues where a journal ends: [`Self::source_pos`] must be pushed next, and the sink must hold everything that
    /// was written before the journal was stored.
    ///
    /// If all files had ended, only [`Self::finish`] is left.
    ///
    /// # Errors
    /// As [`Self::new`]; [`WeightsError::BadJournal`] if the journal is of another model, type or version, or damaged.
    pub fn resume(params: &ConversionParams, journal: &Journal) -> Result<Self, WeightsError> {
        let mut conversion = Self::new(params)?;
        journal.check(
            conversion.output.fingerprint(),
            conversion.source.n_files(),
            &conversion.expected,
        )?;
        conversion.source.restore(journal);
        let has_tensors = !journal.done.is_empty();
        conversion.output.restore(journal.tied_head, has_tensors);
        for done in &journal.done {
            conversion.done[done.idx] = Some(*done);
        }
        conversion.journal = journal.clone();
        Ok(conversion)
    }

    /// What is known about the model before its first byte.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What the bytes so far tell about the model; complete once all have arrived.
    pub fn notices_of_weights(&self) -> Vec<Notice> {
        let mut notices: Vec<_> = self.source.remarks().notices().collect();
        if self.output.tied_head().differs {
            notices.push(Tied::notice());
        }
        notices
    }

    /// Length of the GGUF file. It grows by the head if the files hold one that is tied but differs.
    pub fn output_bytes(&self) -> u64 {
        self.output.bytes()
    }

    /// The byte that must be pushed next.
    pub fn source_pos(&self) -> SourcePos {
        self.source.pos()
    }

    /// The number of tensors written.
    pub fn progress(&self) -> ConversionProgress {
        ConversionProgress {
            done: self.done.iter().flatten().count(),
            total: self.output.n_tensors(),
        }
    }

    /// The progress up to the last finished tensor or file, for [`Self::resume`].
    ///
    /// It must be stored only after everything written so far has reached the storage.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// [`WeightsError::NotWeights`], and the errors of the formats' headers;
    /// [`WeightsError::MissingTensor`], [`WeightsError::RepeatedTensor`], [`WeightsError::ShapeMismatch`],
    /// [`WeightsError::UnsupportedType`], [`WeightsError::TooLargeForF16`], [`WeightsError::NotFinite`],
    /// [`WeightsError::OutOfMemory`], [`WeightsError::Write`].
    ///
    /// # Panics
    /// After an error, and after the last file.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        self.require_going_on();
        let result = self.take(bytes, sink);
        self.has_failed = result.is_err();
        result
    }

    /// Accepts the end of the file, after all of its bytes were pushed.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`]; [`WeightsError::MissingTensor`] after the last file.
    ///
    /// # Panics
    /// As [`Self::push`].
    pub fn end_file(&mut self) -> Result<(), WeightsError> {
        self.require_going_on();
        let result = self.end_source();
        self.has_failed = result.is_err();
        result
    }

    fn require_going_on(&self) {
        assert!(
            !self.has_failed,
            "a failed conversion is resumed, not continued"
        );
        assert!(!self.source.has_ended(), "all files have ended");
    }

    /// The type and the rounding error of every tensor.
    ///
    /// # Panics
    /// Before all files have ended.
    pub fn finish(self) -> ConversionReport {
        assert!(self.source.has_ended(), "every file was ended");
        self.output.report(&self.done)
    }

    fn take(&mut self, mut bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        while !bytes.is_empty() {
            if self.source.is_listed() {
                self.output.write_header(sink)?;
            }
            let n = match self.source.data_left() {
                0 => self.read_header(bytes)?,
                data_left => {
                    let n = data_left.min(bytes.len() as u64);
                    self.read_data(&bytes[..n as usize], sink)?
                }
            };
            bytes = &bytes[n..];
            self.end_tensors(sink)?;
        }
        Ok(())
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<usize, WeightsError> {
        let n = self.source.read_header(bytes, &self.expected)?;
        let tied = self.expected.tied();
        if tied.is_some_and(|tied| self.source.lists_both(tied)) {
            self.output.make_room();
        }
        Ok(n)
    }

    /// Consumes data up to the next byte at which a tensor begins or ends.
    fn read_data(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<usize, WeightsError> {
        while let Some(location) = self.source.begins() {
            self.arriving.push(self.output.begin(location));
        }
        let until_next = self.source.until_next()?;
        let n = self
            .arriving
            .iter()
            .map(ArrivingTensor::left)
            .chain(until_next)
            .fold(bytes.len() as u64, u64::min) as usize;
        for tensor in &mut self.arriving {
            tensor.push(&bytes[..n], sink)?;
        }
        self.source.skip(n as u64);
        Ok(n)
    }

    /// Completes the tensors of which all bytes have arrived.
    fn end_tensors(&mut self, sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        let mut has_ended = false;
        let mut i = 0;
        while i < self.arriving.len() {
            if self.arriving[i].left() > 0 {
                i += 1;
                continue;
            }
            let ended = self.arriving.swap_remove(i);
            has_ended = true;
            if let Some(done) = self.output.end(&ended, sink)? {
                self.done[done.idx] = Some(done);
            }
        }
        if has_ended && self.arriving.is_empty() {
            self.update_journal();
        }
        Ok(())
    }

    fn end_source(&mut self) -> Result<(), WeightsError> {
        self.source.end_file()?;
        if self.source.has_ended() {
            self.expected.require_all(|idx| self.done[idx].is_some())?;
        }
        self.update_journal();
        Ok(())
    }

    /// Updates the journal, between two tensors.
    fn update_journal(&mut self) {
        self.source.note_in(&mut self.journal);
        self.journal.tied_head = self.output.tied_head();
        self.journal.done = self.done.iter().flatten().copied().collect();
    }
}
