//! `Conversion`: weights from the Hub turned into a GGUF file while their bytes arrive, from any point on again.

use std::collections::VecDeque;
use std::io;

use super::dtype::StoredType;
use super::error::WeightsError;
use super::gguf::Value;
use super::gguf_writer::{Layout, padding};
use super::journal::{Done, Journal};
use super::names::Role;
use super::needed::{Found, Needed};
use super::quantize::{QuantizeReport, Target, TensorReport};
use super::rows::{ConversionErrors, RowDecoder, RowEncoder};
use super::source::Source;
use crate::kernels::pack::WeightType;
use crate::model::config::Gpt2Config;

/// Where a finished file is written, at any place in any order.
pub trait WriteAt {
    /// Writes all of `bytes` from `offset` on, counted from the start of the file, which grows as needed.
    ///
    /// # Errors
    /// The storage's.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

/// In memory.
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

/// Which model is made of the bytes that arrive.
#[derive(Debug, Clone, Copy)]
pub struct ConversionParams<'a> {
    /// The model's `config.json`.
    pub config_json: &'a [u8],
    /// Type of the matrices; vectors and positions stay F32.
    pub dtype: WeightType,
    /// The file's metadata, as of [`super::quantize::gpt2_metadata`].
    pub metadata: &'a [(String, Value)],
    /// Source files: 1, or as many as there are shards. They follow each other in any fixed order.
    pub n_files: usize,
}

/// A byte of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePos {
    /// Index of the file; the number of files once all have ended.
    pub file: usize,
    /// Byte in it.
    pub offset: u64,
}

/// How far a [`Conversion`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversionProgress {
    /// Tensors written.
    pub done: usize,
    /// Tensors in all.
    pub total: usize,
}

/// A conversion under way.
///
/// The bytes of each source file go to [`Self::push`] from first to last, in pieces of any size; after its last
/// comes [`Self::end_file`], after the last file's [`Self::finish`]. Each tensor is written at its place as its
/// rows arrive. Beside its output it holds at most one source tensor that is stored transposed and a few MB.
///
/// After an error nothing more may be pushed: a new one made by [`Self::resume`] goes on.
pub struct Conversion {
    needed: Needed,
    targets: Vec<Target>,
    layout: Layout,
    fingerprint: u64,
    n_files: usize,
    file: usize,
    offset: u64,
    source: Source,
    /// Needed tensors that lie ahead in this file, nearest first.
    ahead: VecDeque<Found>,
    running: Vec<Running>,
    /// By index: in this file or one before it.
    is_announced: Vec<bool>,
    done: Vec<Option<Done>>,
    journal: Journal,
    is_header_written: bool,
    has_failed: bool,
}

impl Conversion {
    /// Before the first byte of the first file.
    ///
    /// # Errors
    /// [`WeightsError::Config`].
    ///
    /// # Panics
    /// If `n_files` is 0.
    pub fn new(params: &ConversionParams) -> Result<Self, WeightsError> {
        assert!(params.n_files > 0, "a model lies in one file at least");
        let config = Gpt2Config::from_json(params.config_json)?;
        let is_head_tied = Gpt2Config::is_head_tied(params.config_json)?;
        let needed = Needed::new(&config, is_head_tied);
        let targets: Vec<Target> = needed
            .specs
            .iter()
            .map(|spec| Target::new(spec.clone(), params.dtype))
            .collect();
        let to_write: Vec<_> = targets.iter().map(Target::to_write).collect();
        let layout = Layout::new(params.metadata, &to_write);
        let fingerprint = fnv(&layout.header);
        let n = targets.len();
        Ok(Self {
            needed,
            targets,
            layout,
            fingerprint,
            n_files: params.n_files,
            file: 0,
            offset: 0,
            source: Source::start(),
            ahead: VecDeque::new(),
            running: Vec::new(),
            is_announced: vec![false; n],
            done: vec![None; n],
            journal: Journal::start(fingerprint, params.n_files),
            is_header_written: false,
            has_failed: false,
        })
    }

    /// Where a journal stopped: the next byte pushed is [`Self::source_pos`], and what was written before is there.
    ///
    /// Only [`Self::finish`] is left to do if all files had ended.
    ///
    /// # Errors
    /// As [`Self::new`]; [`WeightsError::BadJournal`] if the journal is of another model, type or version, or damaged.
    pub fn resume(params: &ConversionParams, journal: &Journal) -> Result<Self, WeightsError> {
        let mut conversion = Self::new(params)?;
        journal.check(
            conversion.fingerprint,
            conversion.n_files,
            &conversion.needed,
        )?;
        conversion.file = journal.file;
        conversion.offset = journal.offset;
        if let Some(place) = &journal.place {
            conversion.source = Source::at(place.clone(), journal.offset);
        }
        conversion.ahead = journal.ahead.iter().copied().collect();
        for idx in &journal.announced {
            conversion.is_announced[*idx] = true;
        }
        for done in &journal.done {
            conversion.done[done.idx] = Some(*done);
        }
        // Without a tensor there may be no header either.
        conversion.is_header_written = !journal.done.is_empty();
        conversion.journal = journal.clone();
        Ok(conversion)
    }

    /// Length of the GGUF file.
    pub fn output_bytes(&self) -> u64 {
        self.layout.len
    }

    /// The byte that is to be pushed next.
    pub fn source_pos(&self) -> SourcePos {
        SourcePos {
            file: self.file,
            offset: self.offset,
        }
    }

    /// How far it is.
    pub fn progress(&self) -> ConversionProgress {
        ConversionProgress {
            done: self.done.iter().flatten().count(),
            total: self.done.len(),
        }
    }

    /// What [`Self::resume`] needs to go on behind the last finished tensor or file.
    ///
    /// To be stored only after everything written so far has reached the storage.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// [`WeightsError::NotWeights`], and what the formats' headers can be refused for;
    /// [`WeightsError::MissingTensor`], [`WeightsError::RepeatedTensor`], [`WeightsError::ShapeMismatch`],
    /// [`WeightsError::UnsupportedType`], [`WeightsError::TooLargeForF16`], [`WeightsError::NotFinite`],
    /// [`WeightsError::OutOfMemory`], [`WeightsError::Write`].
    ///
    /// # Panics
    /// After an error, and after the last file.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        assert!(!self.has_failed, "a conversion that failed is resumed");
        assert!(self.file < self.n_files, "all files have ended");
        let result = self.take(bytes, sink);
        self.has_failed = result.is_err();
        result
    }

    /// That all bytes of the file were pushed.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`]; [`WeightsError::MissingTensor`] after the last file.
    ///
    /// # Panics
    /// As [`Self::push`].
    pub fn end_file(&mut self) -> Result<(), WeightsError> {
        assert!(!self.has_failed, "a conversion that failed is resumed");
        assert!(self.file < self.n_files, "all files have ended");
        let result = self.end_source();
        self.has_failed = result.is_err();
        result
    }

    /// What became of every tensor.
    ///
    /// # Panics
    /// Before all files have ended.
    pub fn finish(self) -> QuantizeReport {
        assert_eq!(self.file, self.n_files, "every file was ended");
        let reports = self.targets.iter().zip(&self.done).map(|(target, done)| {
            let done = done.expect("looked after when the last file ended");
            TensorReport {
                name: target.spec.gguf_name.clone(),
                dtype: target.dtype,
                is_fallback: target.is_fallback,
                max_error: done.max_error,
                rms_error: done.rms_error,
            }
        });
        QuantizeReport::new(reports.collect(), self.layout.len)
    }

    fn take(&mut self, mut bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        if !self.is_header_written {
            write(sink, 0, &self.layout.header)?;
            self.is_header_written = true;
        }
        while !bytes.is_empty() {
            let n = match self.source.data_left() {
                0 => self.read_header(bytes)?,
                data_left => {
                    let n = data_left.min(bytes.len() as u64);
                    let n = self.read_data(&bytes[..n as usize], sink)?;
                    self.source.skip(n as u64);
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
        let parsed = self.source.parse(bytes, &self.needed)?;
        if let Some(announced) = parsed.announced {
            for idx in announced {
                if std::mem::replace(&mut self.is_announced[idx], true) {
                    return Err(self.needed.repeated(idx));
                }
            }
            if self.file + 1 == self.n_files {
                self.needed.all(|idx| self.is_announced[idx])?;
            }
        }
        self.ahead.extend(parsed.found);
        Ok(parsed.used)
    }

    /// Takes bytes up to where the next tensor begins or one ends.
    fn read_data(&mut self, bytes: &[u8], sink: &mut dyn WriteAt) -> Result<usize, WeightsError> {
        while let Some(found) = self.ahead.front()
            && found.offset == self.offset
        {
            let found = self.ahead.pop_front().expect("there is one");
            self.running
                .push(Running::new(&self.targets[found.idx], found, &self.layout));
        }
        let until_next = match self.ahead.front().map(|found| found.offset) {
            // Only a journal can have said so.
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

    /// Notes the tensors that are complete.
    fn end_tensors(&mut self, sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        let mut has_ended = false;
        let mut i = 0;
        while i < self.running.len() {
            if self.running[i].left > 0 {
                i += 1;
                continue;
            }
            let ended = self.running.swap_remove(i);
            write(sink, ended.out_offset, padding(ended.out_offset))?;
            let report = self.targets[ended.idx].report(&ended.errors())?;
            self.done[ended.idx] = Some(Done {
                idx: ended.idx,
                max_error: report.max_error,
                rms_error: report.rms_error,
            });
            has_ended = true;
        }
        if has_ended && self.running.is_empty() {
            self.note();
        }
        Ok(())
    }

    fn end_source(&mut self) -> Result<(), WeightsError> {
        self.source.end(self.offset)?;
        self.file += 1;
        self.offset = 0;
        self.source = Source::start();
        self.ahead.clear();
        if self.file == self.n_files {
            self.needed.all(|idx| self.done[idx].is_some())?;
        }
        self.note();
        Ok(())
    }

    /// Brings the journal up to here, where no tensor is under way.
    fn note(&mut self) {
        self.journal.file = self.file;
        self.journal.offset = self.offset;
        self.journal.place = self.source.place();
        self.journal.ahead = self.ahead.iter().copied().collect();
        let announced = self.is_announced.iter().enumerate();
        self.journal.announced = announced.filter(|(_, is)| **is).map(|(i, _)| i).collect();
        self.journal.done = self.done.iter().flatten().copied().collect();
    }
}

/// A tensor whose bytes are arriving.
struct Running {
    idx: usize,
    decoder: RowDecoder,
    encoder: RowEncoder,
    /// Source bytes still to come.
    left: u64,
    /// Where the next bytes of the output go.
    out_offset: u64,
    values: Vec<f32>,
    bytes: Vec<u8>,
}

impl Running {
    fn new(target: &Target, found: Found, layout: &Layout) -> Self {
        let spec = &target.spec;
        let mut encoder = RowEncoder::new(&spec.name, found.dtype, target.dtype);
        encoder.errors = Some(ConversionErrors::default());
        Self {
            idx: found.idx,
            left: stored_bytes(target, found.dtype),
            decoder: RowDecoder::new(spec, found.dtype, spec.role == Role::Projection),
            encoder,
            out_offset: layout.offsets[found.idx],
            values: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// The next bytes, at most [`Self::left`].
    fn take(&mut self, mut bytes: &[u8], sink: &mut dyn WriteAt) -> Result<(), WeightsError> {
        self.left -= bytes.len() as u64;
        while !bytes.is_empty() {
            let n = self.decoder.room().min(bytes.len() as u64) as usize;
            self.decoder.push(&bytes[..n])?;
            bytes = &bytes[n..];
            loop {
                self.values.clear();
                if self.decoder.next_chunk(&mut self.values)? == 0 {
                    break;
                }
                self.bytes.clear();
                self.encoder.encode(&self.values, &mut self.bytes)?;
                write(sink, self.out_offset, &self.bytes)?;
                self.out_offset += self.bytes.len() as u64;
            }
        }
        Ok(())
    }

    fn errors(&self) -> ConversionErrors {
        self.encoder.errors.unwrap_or_default()
    }
}

/// Bytes a tensor takes in the source.
fn stored_bytes(target: &Target, dtype: StoredType) -> u64 {
    let row = dtype.row_bytes(target.spec.cols).expect("floats fit");
    row as u64 * target.spec.rows as u64
}

fn write(sink: &mut dyn WriteAt, offset: u64, bytes: &[u8]) -> Result<(), WeightsError> {
    sink.write_at(offset, bytes)
        .map_err(|source| WeightsError::Write { source })
}

/// FNV-1a: tells headers apart, and is the same in every build.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
