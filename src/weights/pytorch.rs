//! `PytorchParser`: an incremental parser of `pytorch_model.bin`, a zip archive of one pickle with the tensors' names
//! and shapes, followed by their numbers.
//!
//! Since version 1.6 `torch.save` writes the entries NAME/data.pkl, NAME/byteorder (since 2.1), NAME/data/0 and so
//! on, NAME/version and the archive's directory, in that order and uncompressed. The headers of the entries leave
//! their sizes out, so the sizes of the storages are taken from the pickle.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use super::expected::ExpectedTensors;
use super::location::Parsed;
use super::pickle::Pickle;
use super::storages::Storages;
use super::zip::{Descriptor, END_BYTES, LocalHeader, Search};

/// The state of the parser between two pieces of a file.
#[derive(Debug)]
pub(super) struct PytorchParser {
    /// The byte that is parsed next.
    pos: u64,
    /// The bytes of the next header or descriptor that have arrived.
    buffer: Vec<u8>,
    phase: Phase,
    /// The archive's folder with its slash, once its pickle has begun.
    folder: Option<String>,
    /// The storages whose numbers have not arrived yet.
    storages: Storages,
}

#[derive(Debug)]
enum Phase {
    /// Before an entry or the directory.
    Header,
    /// Inside the pickle.
    Pickle {
        pickle: Box<Pickle>,
        header: LocalHeader,
    },
    /// Inside an entry whose size stands only in its descriptor, or inside `byteorder`.
    Search(Search, Meaning),
    /// After an entry of known size, with its descriptor if one follows.
    Data(Option<(Descriptor, u64)>),
    /// Inside the descriptor of an entry of that size.
    Descriptor(Descriptor, u64),
    /// Inside the directory: its last bytes so far.
    Directory(VecDeque<u8>),
}

/// The meaning of an entry without names and numbers of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// `little` or `big`.
    ByteOrder,
    /// Ignored.
    Nothing,
}

/// The state of a parser inside an entry of numbers, to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PytorchState {
    pub(super) data_left: u64,
    end: Option<(Descriptor, u64)>,
    folder: String,
    pub(super) storages: Storages,
}

impl PytorchParser {
    /// A parser that has read the first bytes of a file.
    pub(super) fn start(head: Vec<u8>) -> Self {
        Self {
            pos: head.len() as u64,
            buffer: head,
            phase: Phase::Header,
            folder: None,
            storages: Storages::default(),
        }
    }

    /// A parser that resumes at byte `pos`, inside data.
    pub(super) fn resume(state: PytorchState, pos: u64) -> Self {
        Self {
            pos: pos.saturating_add(state.data_left),
            buffer: Vec::new(),
            phase: Phase::Data(state.end),
            folder: Some(state.folder),
            storages: state.storages,
        }
    }

    /// The state for [`Self::resume`], between two tensors, with `data_left` bytes of the entry to come.
    pub(super) fn state(&self, data_left: u64) -> PytorchState {
        let Phase::Data(end) = self.phase else {
            unreachable!("a tensor ends inside an entry");
        };
        PytorchState {
            data_left,
            end,
            folder: self.folder.clone().unwrap_or_default(),
            storages: self.storages.clone(),
        }
    }

    /// Parses the next bytes of headers, pickle and directory; consumes at least one.
    ///
    /// # Errors
    /// As [`Pickle::push`], [`Storages::of`] and [`LocalHeader::parse`]; [`WeightsError::DataBeforeNames`],
    /// [`WeightsError::BigEndian`], [`WeightsError::MissingTensor`].
    pub(super) fn parse(
        &mut self,
        bytes: &[u8],
        expected: &ExpectedTensors,
    ) -> Result<Parsed, WeightsError> {
        let mut parsed = Parsed::default();
        if let Phase::Data(end) = self.phase {
            self.phase = match end {
                Some((descriptor, size)) => Phase::Descriptor(descriptor, size),
                None => Phase::Header,
            };
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Header);
        self.phase = match phase {
            Phase::Data(_) => unreachable!("replaced above"),
            Phase::Header => {
                parsed.n_used = self.fill(LocalHeader::len(&self.buffer), bytes);
                if LocalHeader::is_directory(&self.buffer) {
                    if self.folder.is_none() {
                        return self.malformed("the archive is not PyTorch's: it has no data.pkl");
                    }
                    if let Some(location) = self.storages.tensors().next() {
                        return Err(expected.missing(location.idx));
                    }
                    Phase::Directory(std::mem::take(&mut self.buffer).into())
                } else if self.buffer.len() < LocalHeader::len(&self.buffer) {
                    Phase::Header
                } else {
                    let start = self.pos + parsed.n_used as u64;
                    let header = std::mem::take(&mut self.buffer);
                    let header = LocalHeader::parse(&header, start - header.len() as u64)?;
                    self.begin(header, start, &mut parsed)?
                }
            }
            Phase::Pickle { mut pickle, header } => {
                parsed.n_used = pickle.push(bytes)?;
                if pickle.is_done() {
                    if header.size.is_some_and(|size| size != pickle.len()) {
                        return self.malformed("its list of tensors has another size");
                    }
                    let (storages, announced, remarks) = Storages::of(&pickle, expected, self.pos)?;
                    parsed.remarks = remarks;
                    self.storages = storages;
                    parsed.announced = Some(announced);
                    Phase::after(header.descriptor, pickle.len())
                } else {
                    Phase::Pickle { pickle, header }
                }
            }
            Phase::Search(mut search, meaning) => {
                parsed.n_used = search.push(bytes);
                if !search.is_done() {
                    Phase::Search(search, meaning)
                } else if meaning == Meaning::ByteOrder && search.first() == b"big" {
                    return Err(WeightsError::BigEndian);
                } else {
                    Phase::Header
                }
            }
            Phase::Descriptor(descriptor, size) => {
                parsed.n_used = self.fill(descriptor.len(), bytes);
                if self.buffer.len() < descriptor.len() {
                    Phase::Descriptor(descriptor, size)
                } else if descriptor.is_of(&std::mem::take(&mut self.buffer), size) {
                    Phase::Header
                } else {
                    return self.malformed("an entry of the archive has another size");
                }
            }
            Phase::Directory(mut last) => {
                parsed.n_used = bytes.len();
                last.extend(&bytes[bytes.len().saturating_sub(END_BYTES)..]);
                last.drain(..last.len().saturating_sub(END_BYTES));
                Phase::Directory(last)
            }
        };
        self.pos += parsed.n_used as u64;
        self.pos = self.pos.saturating_add(parsed.n_data);
        Ok(parsed)
    }

    /// Whether the file may end here.
    pub(super) fn may_end(&self) -> bool {
        match &self.phase {
            Phase::Directory(last) => LocalHeader::is_end(&Vec::from(last.clone())),
            _ => false,
        }
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, WeightsError> {
        Err(WeightsError::Malformed {
            offset: self.pos,
            what,
        })
    }

    /// Fills the buffer up to `n` bytes; returns how many were consumed.
    fn fill(&mut self, n: usize, bytes: &[u8]) -> usize {
        let n_used = bytes.len().min(n - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..n_used]);
        n_used
    }

    /// The phase of an entry whose content begins at byte `start`.
    fn begin(
        &mut self,
        header: LocalHeader,
        start: u64,
        parsed: &mut Parsed,
    ) -> Result<Phase, WeightsError> {
        let (name, descriptor) = (header.name.as_str(), header.descriptor);
        let (folder, entry) = match &self.folder {
            Some(folder) => ("", name.strip_prefix(folder.as_str())),
            None => match name.split_once('/') {
                Some((folder, entry)) => (folder, Some(entry)),
                None => ("", None),
            },
        };
        let key = entry.and_then(|entry| entry.strip_prefix("data/"));
        if self.folder.is_none() {
            if key.is_some() {
                return Err(WeightsError::DataBeforeNames);
            }
            if entry == Some("data.pkl") {
                self.folder = Some(format!("{folder}/"));
                let pickle = Box::new(Pickle::start(start));
                return Ok(Phase::Pickle { pickle, header });
            }
        }
        if let Some(storage) = key.and_then(|key| self.storages.remove(key)) {
            if header.size.is_some_and(|size| size != storage.size_bytes) {
                return self.malformed("an entry of the archive has another size than its numbers");
            }
            parsed.n_data = storage.size_bytes;
            parsed.located = storage.locate(start)?;
            let end = descriptor.map(|descriptor| (descriptor, parsed.n_data));
            return Ok(Phase::Data(end));
        }
        let meaning = match entry {
            Some("byteorder") => Meaning::ByteOrder,
            _ => Meaning::Nothing,
        };
        Ok(match header.size {
            Some(size) if meaning == Meaning::Nothing || size == 0 => {
                parsed.n_data = size;
                Phase::Data(descriptor.map(|descriptor| (descriptor, size)))
            }
            size => Phase::Search(Search::new(size, descriptor), meaning),
        })
    }
}

impl Phase {
    /// The phase after an entry of `size` bytes.
    fn after(descriptor: Option<Descriptor>, size: u64) -> Self {
        match descriptor {
            Some(descriptor) => Self::Descriptor(descriptor, size),
            None => Self::Header,
        }
    }
}
