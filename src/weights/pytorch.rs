//! `Pytorch`: a `pytorch_model.bin` as its bytes arrive: a zip archive with one pickle of names, then the numbers.
//!
//! Since version 1.6 `torch.save` writes the entries NAME/data.pkl, NAME/byteorder (since 2.1), NAME/data/0 and so
//! on, NAME/version and the archive's directory, all stored as they are, in that order. The headers before the
//! entries give no sizes, so those of the numbers come from the pickle.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::error::{FileKind, WeightsError};
use super::names::Role;
use super::needed::{Found, Needed};
use super::pickle::{Pickle, PickledTensor};
use super::source::Parsed;
use super::zip::{Descriptor, END_BYTES, LocalHeader, Search};

/// Bytes enough for most headers.
const READ_BYTES: u64 = 1 << 12;
/// Bytes of the head that an old tar archive is known by.
const HEAD_BYTES: u64 = 512;

/// The needed tensors in a file, read as it would arrive but for the numbers, which are passed over.
///
/// # Errors
/// As [`Pytorch::parse`], and [`WeightsError::NotPytorch`], [`WeightsError::Truncated`], [`WeightsError::Read`].
pub(super) fn read<R: Read + Seek>(
    reader: &mut R,
    needed: &Needed,
) -> Result<Vec<Found>, WeightsError> {
    let failed = |source| WeightsError::Read { source };
    let file_len = reader.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut read_at = |pos: u64, len: u64| {
        let mut bytes = Vec::new();
        reader.seek(SeekFrom::Start(pos))?;
        reader.by_ref().take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let head = read_at(0, HEAD_BYTES).map_err(failed)?;
    let found = FileKind::of(&head);
    if found != FileKind::Zip {
        return Err(WeightsError::NotPytorch { found });
    }
    let mut file = Pytorch::start(Vec::new());
    let mut all = Vec::new();
    while file.pos < file_len {
        let bytes = read_at(file.pos, READ_BYTES).map_err(failed)?;
        if bytes.is_empty() {
            break;
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() && file.data_left() == 0 {
            let parsed = file.parse(rest, needed)?;
            rest = &rest[parsed.used..];
            all.extend(parsed.found);
        }
        file.skip_to(file_len)?;
    }
    file.end()?;
    Ok(all)
}

/// A file that is being read from its first byte to its last.
#[derive(Debug)]
pub(super) struct Pytorch {
    /// Of the file, the next one to be read.
    pos: u64,
    /// What has come of the next header, or of an entry's end.
    buffer: Vec<u8>,
    phase: Phase,
    /// The archive's folder with its slash, once its pickle has begun.
    folder: Option<String>,
    /// By key, those whose numbers have not come yet.
    storages: BTreeMap<String, Storage>,
}

#[derive(Debug)]
enum Phase {
    /// Before an entry or the directory.
    Header,
    Pickle {
        pickle: Box<Pickle>,
        header: LocalHeader,
    },
    /// Inside an entry whose size only its descriptor tells, or one that says the order of bytes.
    Search(Search, Meaning),
    /// Inside an entry of known size, and after it.
    Data {
        left: u64,
        end: Option<(Descriptor, u64)>,
    },
    Descriptor(Descriptor, u64),
    /// Inside the directory, of which the last bytes are kept.
    Directory(VecDeque<u8>),
}

/// What an entry says that is neither names nor numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// `little` or `big`.
    ByteOrder,
    Nothing,
}

/// Numbers that have not come yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Storage {
    size_bytes: u64,
    /// The needed ones in it; offsets count from its first byte.
    tensors: Vec<Found>,
}

/// A place among the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PytorchPlace {
    data_left: u64,
    end: Option<(Descriptor, u64)>,
    folder: String,
    storages: BTreeMap<String, Storage>,
}

impl PytorchPlace {
    /// Tensors in storages that have not begun.
    pub(super) fn ahead(&self) -> impl Iterator<Item = &Found> {
        self.storages.values().flat_map(|storage| &storage.tensors)
    }
}

impl Pytorch {
    /// After the first bytes of a file.
    pub(super) fn start(head: Vec<u8>) -> Self {
        Self {
            pos: head.len() as u64,
            buffer: head,
            phase: Phase::Header,
            folder: None,
            storages: BTreeMap::new(),
        }
    }

    /// At byte `pos`.
    pub(super) fn at(place: PytorchPlace, pos: u64) -> Self {
        Self {
            pos,
            buffer: Vec::new(),
            phase: Phase::Data {
                left: place.data_left,
                end: place.end,
            },
            folder: Some(place.folder),
            storages: place.storages,
        }
    }

    /// What [`Self::at`] needs, between two tensors.
    pub(super) fn place(&self) -> PytorchPlace {
        let Phase::Data { left, end } = self.phase else {
            unreachable!("a tensor ends inside an entry");
        };
        PytorchPlace {
            data_left: left,
            end,
            folder: self.folder.clone().unwrap_or_default(),
            storages: self.storages.clone(),
        }
    }

    /// Bytes of the entry that is being read.
    pub(super) fn data_left(&self) -> u64 {
        match self.phase {
            Phase::Data { left, .. } => left,
            _ => 0,
        }
    }

    /// Passes over some of them.
    pub(super) fn skip(&mut self, n: u64) {
        match &mut self.phase {
            Phase::Data { left, .. } => *left -= n,
            _ => unreachable!("there is no data here"),
        }
        self.pos += n;
    }

    /// Passes over all of them, in a file of that length.
    fn skip_to(&mut self, file_len: u64) -> Result<(), WeightsError> {
        match self.data_left() {
            0 => Ok(()),
            left if left <= file_len.saturating_sub(self.pos) => {
                self.skip(left);
                Ok(())
            }
            left => Err(WeightsError::Truncated {
                got: file_len,
                expected: self.pos.saturating_add(left),
            }),
        }
    }

    /// Reads on in headers, pickle and directory; some byte is used.
    ///
    /// # Errors
    /// As [`Pickle::push`] and [`LocalHeader::parse`]; [`WeightsError::DataBeforeNames`],
    /// [`WeightsError::BigEndian`], [`WeightsError::MissingTensor`], [`WeightsError::ShapeMismatch`],
    /// [`WeightsError::UnsupportedType`], [`WeightsError::NotContiguous`], [`WeightsError::SharedNumbers`].
    pub(super) fn parse(&mut self, bytes: &[u8], needed: &Needed) -> Result<Parsed, WeightsError> {
        let mut parsed = Parsed::default();
        if let Phase::Data { left: 0, end } = self.phase {
            self.phase = match end {
                Some((descriptor, size)) => Phase::Descriptor(descriptor, size),
                None => Phase::Header,
            };
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Header);
        self.phase = match phase {
            Phase::Data { .. } => unreachable!("data is skipped"),
            Phase::Header => {
                parsed.used = self.fill(LocalHeader::len(&self.buffer), bytes);
                if LocalHeader::is_directory(&self.buffer) {
                    if self.folder.is_none() {
                        return self
                            .malformed("the archive is none of PyTorch's: it has no data.pkl");
                    }
                    if let Some(found) = self.storages.values().find_map(|s| s.tensors.first()) {
                        return Err(WeightsError::MissingTensor {
                            name: needed.specs[found.idx].name.clone(),
                        });
                    }
                    Phase::Directory(std::mem::take(&mut self.buffer).into())
                } else if self.buffer.len() < LocalHeader::len(&self.buffer) {
                    Phase::Header
                } else {
                    let start = self.pos + parsed.used as u64;
                    let header = std::mem::take(&mut self.buffer);
                    let header = LocalHeader::parse(&header, start - header.len() as u64)?;
                    self.begin(header, start, &mut parsed)?
                }
            }
            Phase::Pickle { mut pickle, header } => {
                parsed.used = pickle.push(bytes)?;
                if pickle.is_done() {
                    if header.size.is_some_and(|size| size != pickle.len()) {
                        return self.malformed("its list of tensors has another size");
                    }
                    parsed.announced = Some(self.list(&pickle, needed)?);
                    Phase::after(header.descriptor, pickle.len())
                } else {
                    Phase::Pickle { pickle, header }
                }
            }
            Phase::Search(mut search, meaning) => {
                parsed.used = search.push(bytes);
                if !search.is_done() {
                    Phase::Search(search, meaning)
                } else if meaning == Meaning::ByteOrder && search.first() == b"big" {
                    return Err(WeightsError::BigEndian);
                } else {
                    Phase::Header
                }
            }
            Phase::Descriptor(descriptor, size) => {
                parsed.used = self.fill(descriptor.len(), bytes);
                if self.buffer.len() < descriptor.len() {
                    Phase::Descriptor(descriptor, size)
                } else if descriptor.is_of(&std::mem::take(&mut self.buffer), size) {
                    Phase::Header
                } else {
                    return self.malformed("an entry of the archive has another size");
                }
            }
            Phase::Directory(mut last) => {
                parsed.used = bytes.len();
                last.extend(&bytes[bytes.len().saturating_sub(END_BYTES)..]);
                last.drain(..last.len().saturating_sub(END_BYTES));
                Phase::Directory(last)
            }
        };
        self.pos += parsed.used as u64;
        Ok(parsed)
    }

    /// That the file ends here.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`].
    pub(super) fn end(&self) -> Result<(), WeightsError> {
        let missing = match &self.phase {
            Phase::Directory(last) if LocalHeader::is_end(&Vec::from(last.clone())) => {
                return Ok(());
            }
            Phase::Data { left, .. } => *left,
            _ => 0,
        };
        Err(WeightsError::Truncated {
            got: self.pos,
            expected: self.pos.saturating_add(missing.max(1)),
        })
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, WeightsError> {
        Err(WeightsError::Malformed {
            offset: self.pos,
            what,
        })
    }

    /// Takes bytes until there are `n`; says how many it took.
    fn fill(&mut self, n: usize, bytes: &[u8]) -> usize {
        let used = bytes.len().min(n - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..used]);
        used
    }

    /// What an entry is, whose content begins at byte `start`.
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
            for mut found in storage.tensors {
                found.offset = match found.offset.checked_add(start) {
                    Some(offset) => offset,
                    None => return self.malformed("a tensor lies beyond any file"),
                };
                parsed.found.push(found);
            }
            return Ok(Phase::Data {
                left: storage.size_bytes,
                end: descriptor.map(|descriptor| (descriptor, storage.size_bytes)),
            });
        }
        let meaning = match entry {
            Some("byteorder") => Meaning::ByteOrder,
            _ => Meaning::Nothing,
        };
        Ok(match header.size {
            Some(size) if meaning == Meaning::Nothing || size == 0 => Phase::Data {
                left: size,
                end: descriptor.map(|descriptor| (descriptor, size)),
            },
            size => Phase::Search(Search::new(size, descriptor), meaning),
        })
    }

    /// Takes the storages over from the pickle; gives the tensors that are needed.
    fn list(&mut self, pickle: &Pickle, needed: &Needed) -> Result<Vec<usize>, WeightsError> {
        for storage in pickle.storages() {
            let Some(size_bytes) = storage.len.checked_mul(storage.kind.size_bytes) else {
                return self.malformed("a tensor lies beyond any file");
            };
            let known = self.storages.entry(storage.key.clone());
            let known = known.or_insert_with(|| Storage {
                size_bytes,
                tensors: Vec::new(),
            });
            if known.size_bytes != size_bytes {
                return self.malformed("the same numbers have two sizes");
            }
        }
        let mut announced = Vec::new();
        for (name, tensor, storage) in pickle.tensors()? {
            let Some(idx) = needed.find(name) else {
                continue;
            };
            let kind = storage.kind;
            let dtype = needed.check(idx, &tensor.shape, kind.dtype, kind.name)?;
            if !is_contiguous(tensor) {
                return Err(WeightsError::NotContiguous {
                    name: needed.specs[idx].name.clone(),
                });
            }
            let numbers = tensor.shape.iter().product::<u64>();
            if tensor
                .offset
                .checked_add(numbers)
                .is_none_or(|end| end > storage.len)
            {
                return self.malformed("a tensor lies beyond its numbers");
            }
            let known = self
                .storages
                .get_mut(&storage.key)
                .expect("put there above");
            known.tensors.push(Found {
                idx,
                dtype,
                offset: tensor.offset * kind.size_bytes,
            });
            announced.push(idx);
        }
        for storage in self.storages.values_mut() {
            storage.tensors.sort_by_key(|found| found.offset);
            refuse_shared(&storage.tensors, needed)?;
        }
        Ok(announced)
    }
}

impl Phase {
    /// After an entry of that size.
    fn after(descriptor: Option<Descriptor>, size: u64) -> Self {
        match descriptor {
            Some(descriptor) => Self::Descriptor(descriptor, size),
            None => Self::Header,
        }
    }
}

/// Whether the numbers follow each other, row after row.
fn is_contiguous(tensor: &PickledTensor) -> bool {
    let mut step = 1_u64;
    tensor.shape.len() == tensor.strides.len()
        && tensor
            .shape
            .iter()
            .zip(&tensor.strides)
            .rev()
            .all(|(dim, stride)| {
                let is_next = *dim == 1 || *stride == step;
                step = step.saturating_mul(*dim);
                is_next
            })
}

/// Only embedding and head may lie on each other: both are read row by row, so that neither is held whole.
fn refuse_shared(tensors: &[Found], needed: &Needed) -> Result<(), WeightsError> {
    let mut before: Option<(&Found, u64)> = None;
    for found in tensors {
        let spec = &needed.specs[found.idx];
        let row = found.dtype.row_bytes(spec.cols).expect("floats fit");
        let end = found.offset + row as u64 * spec.rows as u64;
        if let Some((other, other_end)) = before
            && found.offset < other_end
        {
            let other = &needed.specs[other.idx];
            if spec.role != Role::Embedding || other.role != Role::Embedding {
                return Err(WeightsError::SharedNumbers {
                    name: other.name.clone(),
                    other: spec.name.clone(),
                });
            }
        }
        before = match before {
            Some((_, other_end)) if other_end > end => before,
            _ => Some((found, end)),
        };
    }
    Ok(())
}
