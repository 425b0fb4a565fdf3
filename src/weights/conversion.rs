//! `Conversion`: a model's weights written as a GGUF file while their bytes arrive, resumable after every tensor.

use std::collections::VecDeque;
use std::io;

use super::checkpoint::Checkpoint;
use super::error::WeightsError;
use super::expected::{ExpectedTensors, Tied};
use super::file_parser::FileParser;
use super::gguf::Value;
use super::gguf_layout::{Layout, padding};
use super::journal::{Done, Journal};
use super::location::TensorLocation;
use super::report::{ConversionReport, NumbersHash, RoundingErrors};
use super::row_codec::{RowDecoder, RowEncoder};
use super::target::Target;
use super::tied_head::TiedHead;
use crate::kernels::pack::WeightType;
use crate::model::config::Gpt2Config;
use crate::notice::Notice;

/// A file that is written at any offset, in any order.
pub trait WriteAt {
    /// Writes all of `bytes` at `offset` bytes from the start of the file, which grows as needed.
    ///
    /// # Errors
    /// The errors of the storage.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

/// A file in memory.
impl WriteAt for Vec<u8> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
        let start = usize::try_from(offset).map_err(|_| out_of_memory())?;
        let end = start.checked_add(bytes.len()).ok_or_else(out_of_memory)?;
        if end > self.len() {
            let more = end - self.len();
            self.try_reserve(more).map_err(|_| out_of_memory())?;
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(bytes);
        Ok(())
    }
}

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

/// The position of a byte in the source files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePos {
    /// Index of the file; the number of files once all have ended.
    pub file: usize,
    /// Byte in it.
    pub offset: u64,
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
    /// For each expected tensor, a tied head included.
    targets: Vec<Target>,
    /// The layout of the output, which a tied head may change.
    layout: Layout,
    /// The layout without room for such a head, where there is room.
    plain_layout: Option<Layout>,
    tied_head: TiedHead,
    notices: Vec<Notice>,
    fingerprint: u64,
    n_files: usize,
    file: usize,
    offset: u64,
    parser: FileParser,
    /// Expected tensors that lie ahead in this file, nearest first.
    ahead: VecDeque<TensorLocation>,
    /// Tensors of which some bytes have arrived.
    running: Vec<Running>,
    /// For each expected tensor: whether this file or an earlier file lists it.
    is_announced: Vec<bool>,
    done: Vec<Option<Done>>,
    journal: Journal,
    /// Whether it is known which tensors the header lists.
    is_layout_settled: bool,
    is_header_written: bool,
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
        let (config, expected, notices) = ExpectedTensors::from_config_json(params.config_json)?;
        let mut conversion = Self::start(expected, params.dtype, params.metadata, params.n_files);
        conversion.notices = notices;
        conversion.notices.extend(notice_of_llama_cpp(&config));
        // Embedding and head may lie in different files, and the header is written with the first one.
        if params.n_files > 1 && conversion.expected.tied().is_some() {
            conversion.make_room();
        }
        Ok(conversion)
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
        let mut conversion = Self::start(ExpectedTensors::new(specs), dtype, metadata, 1);
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
        located.sort_by_key(|location| location.offset);
        let ends = tensors
            .iter()
            .map(|stored| stored.offset + stored.size_bytes());
        conversion.parser = FileParser::of_data(ends.max().unwrap_or(0));
        conversion.ahead = located.into();
        conversion.is_layout_settled = true;
        conversion.notices = notice_of_llama_cpp(checkpoint.config())
            .into_iter()
            .collect();
        conversion
    }

    fn start(
        expected: ExpectedTensors,
        dtype: WeightType,
        metadata: &[(String, Value)],
        n_files: usize,
    ) -> Self {
        let specs = expected.specs.iter().cloned();
        let targets: Vec<Target> = specs.map(|spec| Target::new(spec, dtype)).collect();
        // A tied head is the last tensor.
        let n_written = targets.len() - usize::from(expected.tied().is_some());
        let to_write = targets[..n_written].iter().map(Target::to_write);
        let to_write: Vec<_> = to_write.collect();
        let layout = Layout::new(metadata, &to_write);
        let fingerprint = fnv(&layout.header);
        let n = targets.len();
        Self {
            expected,
            targets,
            layout,
            plain_layout: None,
            tied_head: TiedHead::default(),
            notices: Vec::new(),
            fingerprint,
            n_files,
            file: 0,
            offset: 0,
            parser: FileParser::start(),
            ahead: VecDeque::new(),
            running: Vec::new(),
            is_announced: vec![false; n],
            done: vec![None; n],
            journal: Journal::start(fingerprint, n_files),
            is_layout_settled: false,
            is_header_written: false,
            has_failed: false,
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
            conversion.fingerprint,
            conversion.n_files,
            &conversion.expected,
        )?;
        conversion.file = journal.file;
        conversion.offset = journal.offset;
        if let Some(state) = &journal.parser {
            conversion.parser = FileParser::resume(state.clone(), journal.offset);
        }
        conversion.ahead = journal.ahead.iter().copied().collect();
        for idx in &journal.announced {
            conversion.is_announced[*idx] = true;
        }
        for done in &journal.done {
            conversion.done[done.idx] = Some(*done);
        }
        conversion.restore_head(journal.tied_head);
        conversion.is_layout_settled = !journal.announced.is_empty();
        // Before the first tensor is complete the header may not have been stored either.
        conversion.is_header_written = !journal.done.is_empty();
        conversion.journal = journal.clone();
        Ok(conversion)
    }

    /// Makes room in the header for a head that is tied but differs.
    fn make_room(&mut self) {
        let with_room = TiedHead::layout_with_room(&self.layout, &self.targets);
        self.plain_layout = Some(std::mem::replace(&mut self.layout, with_room));
        self.tied_head.has_room = true;
    }

    /// The layout as a journal left it, in a new conversion.
    fn restore_head(&mut self, stored: TiedHead) {
        if stored.has_room && !self.tied_head.has_room {
            self.make_room();
        }
        let has_room = self.tied_head.has_room;
        self.tied_head = TiedHead { has_room, ..stored };
        if stored.differs {
            self.list_both();
        }
    }

    /// Lists embedding and head in the header.
    fn list_both(&mut self) {
        if let (Some(tied), Some(plain)) = (self.expected.tied(), &self.plain_layout) {
            self.layout = self.tied_head.layout_of_both(plain, &self.targets, tied);
        }
    }

    /// What is to be known about the model, though it is converted. A head is noticed once it has arrived.
    pub fn notices(&self) -> Vec<Notice> {
        let mut notices = self.notices.clone();
        if self.tied_head.differs {
            notices.push(Tied::notice());
        }
        notices
    }

    /// Length of the GGUF file. It grows by the head if the files hold one that is tied but differs.
    pub fn output_bytes(&self) -> u64 {
        self.layout.len
    }

    /// The byte that must be pushed next.
    pub fn source_pos(&self) -> SourcePos {
        SourcePos {
            file: self.file,
            offset: self.offset,
        }
    }

    /// The number of tensors written.
    pub fn progress(&self) -> ConversionProgress {
        ConversionProgress {
            done: self.done.iter().flatten().count(),
            total: self.layout.offsets.len(),
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
        assert!(
            !self.has_failed,
            "a failed conversion is resumed, not continued"
        );
        assert!(self.file < self.n_files, "all files have ended");
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
        assert!(
            !self.has_failed,
            "a failed conversion is resumed, not continued"
        );
        assert!(self.file < self.n_files, "all files have ended");
        let result = self.end_source();
        self.has_failed = result.is_err();
        result
    }

    /// The type and the rounding error of every tensor.
    ///
    /// # Panics
    /// Before all files have ended.
    pub fn finish(self) -> ConversionReport {
        assert_eq!(self.file, self.n_files, "every file was ended");
        let n = self.layout.offsets.len();
        let reports = self
            .targets
            .iter()
            .enumerate()
            .take(n)
            .map(|(idx, target)| {
                let either = self.expected.tied().filter(|tied| tied.contains(idx));
                let done = self.done[idx].or_else(|| self.done[either?.head]);
                let done = done.expect("checked when the last file ended");
                target.report(done.max_error, done.rms_error)
            });
        ConversionReport::new(reports.collect(), self.layout.len)
    }

    fn take(&mut self, mut bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        while !bytes.is_empty() {
            if self.is_layout_settled && !self.is_header_written {
                write(sink, 0, &self.layout.header)?;
                self.is_header_written = true;
            }
            let n = match self.parser.data_left() {
                0 => self.read_header(bytes)?,
                data_left => {
                    let n = data_left.min(bytes.len() as u64);
                    let n = self.read_data(&bytes[..n as usize], sink)?;
                    self.parser.skip(n as u64);
                    n
                }
            };
            bytes = &bytes[n..];
            self.offset += n as u64;
            self.end_tensors(sink)?;
        }
        Ok(())
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<usize, WeightsError> {
        let parsed = self.parser.parse(bytes, &self.expected)?;
        if let Some(announced) = parsed.announced {
            for idx in announced {
                if std::mem::replace(&mut self.is_announced[idx], true) {
                    return Err(self.expected.repeated(idx));
                }
            }
            if self.file + 1 == self.n_files {
                self.expected.require_all(|idx| self.is_announced[idx])?;
            }
            let has_both =
                |tied: Tied| self.is_announced[tied.embedding] && self.is_announced[tied.head];
            if !self.tied_head.has_room && self.expected.tied().is_some_and(has_both) {
                self.make_room();
            }
            self.is_layout_settled = true;
        }
        self.ahead.extend(parsed.located);
        Ok(parsed.n_used)
    }

    /// Consumes data up to the next byte at which a tensor begins or ends.
    fn read_data(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<usize, WeightsError> {
        while let Some(location) = self.ahead.front()
            && location.offset == self.offset
        {
            let location = self.ahead.pop_front().expect("it is the front");
            let idx = location.idx;
            let tied = self.expected.tied().filter(|tied| tied.contains(idx));
            let place = tied.map_or(idx, |tied| tied.embedding);
            let mut running =
                Running::new(&self.targets[idx], location, self.layout.offsets[place]);
            if self.tied_head.has_room && tied.is_some() {
                running.hash = Some(NumbersHash::default());
            }
            if self.tied_head.is_second(tied, idx) {
                running.held = Some(Vec::new());
            }
            self.running.push(running);
        }
        let until_next = match self.ahead.front().map(|location| location.offset) {
            // Headers and pickles are checked when they are parsed, so the cause is a damaged journal.
            Some(offset) if offset < self.offset => {
                return Err(WeightsError::BadJournal {
                    what: "a tensor lies outside its data",
                });
            }
            next => next.map(|offset| offset - self.offset),
        };
        let n = self
            .running
            .iter()
            .map(|running| running.left)
            .chain(until_next)
            .fold(bytes.len() as u64, u64::min) as usize;
        for running in &mut self.running {
            running.take(&bytes[..n], sink)?;
        }
        Ok(n)
    }

    /// Completes the tensors of which all bytes have arrived.
    fn end_tensors(&mut self, sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        let mut has_ended = false;
        let mut i = 0;
        while i < self.running.len() {
            if self.running[i].left > 0 {
                i += 1;
                continue;
            }
            let ended = self.running.swap_remove(i);
            has_ended = true;
            match ended.held {
                Some(_) if !self.is_another_head(&ended) => continue,
                Some(_) => self.write_head(&ended, sink)?,
                None => write(sink, ended.out_offset, padding(ended.out_offset))?,
            }
            if self
                .expected
                .tied()
                .is_some_and(|tied| tied.contains(ended.idx))
                && self.tied_head.first.is_none()
            {
                self.tied_head.first = Some((ended.idx, ended.hash.unwrap_or_default()));
            }
            let (max_error, rms_error) = self.targets[ended.idx].errors(&ended.errors())?;
            self.done[ended.idx] = Some(Done {
                idx: ended.idx,
                max_error,
                rms_error,
            });
        }
        if has_ended && self.running.is_empty() {
            self.update_journal();
        }
        Ok(())
    }

    /// Whether the second of embedding and tied head, which has been held back, differs from the first.
    fn is_another_head(&self, second: &Running) -> bool {
        let first = self.tied_head.first.map(|(_, hash)| hash);
        first != second.hash
    }

    /// Writes the second of embedding and tied head behind all tensors, and the header that lists both.
    fn write_head(&mut self, second: &Running, sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        self.tied_head.differs = true;
        self.list_both();
        write(sink, 0, &self.layout.header)?;
        let start = *self.layout.offsets.last().expect("a model has tensors");
        let bytes = second.held.as_deref().unwrap_or_default();
        write(sink, start, bytes)?;
        let end = start + bytes.len() as u64;
        write(sink, end, padding(end))
    }

    fn end_source(&mut self) -> Result<(), WeightsError> {
        self.parser.end(self.offset)?;
        self.file += 1;
        self.offset = 0;
        self.parser = FileParser::start();
        self.ahead.clear();
        if self.file == self.n_files {
            self.expected.require_all(|idx| self.done[idx].is_some())?;
        }
        self.update_journal();
        Ok(())
    }

    /// Updates the journal, between two tensors.
    fn update_journal(&mut self) {
        self.journal.file = self.file;
        self.journal.offset = self.offset;
        self.journal.parser = self.parser.state();
        self.journal.ahead = self.ahead.iter().copied().collect();
        let announced = self.is_announced.iter().enumerate();
        self.journal.announced = announced.filter(|(_, is)| **is).map(|(i, _)| i).collect();
        self.journal.tied_head = self.tied_head;
        self.journal.done = self.done.iter().flatten().copied().collect();
    }
}

/// A tensor whose bytes are arriving.
struct Running {
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

impl Running {
    fn new(target: &Target, location: TensorLocation, out_offset: u64) -> Self {
        let left = location.size_bytes(&target.spec);
        // Floats are always decoded, because they may be infinite or NaN.
        let is_copied = location.dtype == target.dtype && !location.dtype.is_float();
        Self {
            idx: location.idx,
            left: left.expect("checked when the header was read"),
            out_offset,
            transcoder: (!is_copied).then(|| Transcoder::new(target, &location)),
            hash: None,
            held: None,
        }
    }

    /// Writes the next bytes, at most [`Self::left`].
    fn take(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
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
        let errors = self.transcoder.as_ref().and_then(|t| t.encoder.errors);
        errors.unwrap_or_default()
    }
}

/// Takes the next rows, as numbers and encoded.
type WriteRows<'a> = dyn FnMut(&[f32], &[u8]) -> Result<(), WeightsError> + 'a;

/// Turns the bytes of a stored tensor into those of its target, a chunk of rows at a time.
struct Transcoder {
    decoder: RowDecoder,
    encoder: RowEncoder,
    values: Vec<f32>,
    encoded: Vec<u8>,
}

impl Transcoder {
    fn new(target: &Target, location: &TensorLocation) -> Self {
        let (spec, dtype) = (&target.spec, location.dtype);
        Self {
            decoder: RowDecoder::new(spec, dtype, location.strides),
            encoder: RowEncoder::new(&spec.name, dtype, target.dtype).measuring(),
            values: Vec::new(),
            encoded: Vec::new(),
        }
    }

    fn push(&mut self, mut bytes: &[u8], write: &mut WriteRows) -> Result<(), WeightsError> {
        while !bytes.is_empty() {
            let n = self.decoder.room().min(bytes.len() as u64) as usize;
            self.decoder.push(&bytes[..n])?;
            bytes = &bytes[n..];
            loop {
                self.values.clear();
                if self.decoder.next_chunk(&mut self.values)? == 0 {
                    break;
                }
                self.encoded.clear();
                self.encoder.encode(&self.values, &mut self.encoded)?;
                write(&self.values, &self.encoded)?;
            }
        }
        Ok(())
    }
}

/// The notice that llama.cpp computes another function than the model's.
fn notice_of_llama_cpp(config: &Gpt2Config) -> Option<Notice> {
    let changes = config.arithmetic.changes();
    (!config.arithmetic.is_plain()).then(|| {
        Notice::new(
            "config.json",
            format!(
                "{changes}: the GGUF says so under keys of this program; llama.cpp has no such setting for GPT-2, \
                 and will write other texts with it"
            ),
        )
    })
}

fn write(sink: &mut dyn WriteAt, offset: u64, bytes: &[u8]) -> Result<(), WeightsError> {
    sink.write_at(offset, bytes)
        .map_err(|source| WeightsError::Write { source })
}

/// FNV-1a: a fingerprint that is the same in every build.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
