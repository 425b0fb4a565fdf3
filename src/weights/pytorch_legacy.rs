//! `LegacyParser`: an incremental parser of the files that `torch.save` wrote before version 1.6.
//!
//! Five pickles follow each other: a magic number, a version, the machine's byte order, the tensors' names and shapes,
//! and the keys of the storages. Then come the storages in the order of the keys, each after its length.
//!
//! Source: PyTorch `torch/serialization.py`, `_legacy_save`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use super::expected::ExpectedTensors;
use super::location::Parsed;
use super::pickle::Pickle;
use super::storages::Storages;
use crate::file_kind::FileKind;

/// The pickles of the magic number and of version 1001, which are the same in every file of a protocol of pickle.
const MAGIC: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
const VERSION: &[u8] = b"M\xe9\x03.";
/// Bytes of the length before a storage.
const LEN_BYTES: usize = 8;

/// The state of the parser between two pieces of a file.
#[derive(Debug)]
pub(super) struct LegacyParser {
    /// The next byte of the file.
    pos: u64,
    phase: Phase,
    storages: Storages,
}

#[derive(Debug)]
enum Phase {
    /// Inside the first two pickles: the bytes so far.
    Magic(Vec<u8>),
    /// Inside the description of the machine.
    Machine(Box<Pickle>),
    /// Inside the names and shapes.
    Tensors(Box<Pickle>),
    /// Inside the keys.
    Keys(Box<Pickle>),
    /// After the numbers of a storage, or inside the length of the next one.
    Data {
        /// Bytes of the length so far.
        len: Vec<u8>,
        /// Storages that follow.
        keys: VecDeque<String>,
    },
}

/// The state of a parser inside a storage, to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LegacyState {
    pub(super) data_left: u64,
    keys: VecDeque<String>,
    pub(super) storages: Storages,
}

impl LegacyParser {
    /// Bytes that tell this format from others.
    pub(super) const HEAD_BYTES: usize = 2 + MAGIC.len();

    /// A parser that has read the first [`Self::HEAD_BYTES`] of a file.
    ///
    /// # Errors
    /// [`WeightsError::NotWeights`] for any other pickle.
    pub(super) fn start(head: Vec<u8>) -> Result<Self, WeightsError> {
        if head.get(2..) != Some(MAGIC) {
            return Err(WeightsError::NotWeights {
                found: FileKind::Pickle,
            });
        }
        Ok(Self {
            pos: head.len() as u64,
            phase: Phase::Magic(head),
            storages: Storages::default(),
        })
    }

    /// A parser that resumes at byte `pos`, inside data.
    pub(super) fn resume(state: LegacyState, pos: u64) -> Self {
        Self {
            pos: pos.saturating_add(state.data_left),
            phase: Phase::Data {
                len: Vec::new(),
                keys: state.keys,
            },
            storages: state.storages,
        }
    }

    /// The state for [`Self::resume`], between two tensors, with `data_left` bytes of the storage to come.
    pub(super) fn state(&self, data_left: u64) -> LegacyState {
        let Phase::Data { keys, .. } = &self.phase else {
            unreachable!("a tensor ends inside a storage");
        };
        LegacyState {
            data_left,
            keys: keys.clone(),
            storages: self.storages.clone(),
        }
    }

    /// Parses the next bytes outside of numbers; consumes at least one, except after the last storage all.
    ///
    /// # Errors
    /// As [`Pickle::push`] and [`Storages::of`]; [`WeightsError::BigEndian`], [`WeightsError::MissingTensor`].
    pub(super) fn parse(
        &mut self,
        bytes: &[u8],
        expected: &ExpectedTensors,
    ) -> Result<Parsed, WeightsError> {
        let mut parsed = Parsed::default();
        let phase = std::mem::replace(&mut self.phase, Phase::Magic(Vec::new()));
        self.phase = match phase {
            Phase::Magic(mut head) => {
                let whole = Self::HEAD_BYTES + 2 + VERSION.len();
                parsed.n_used = bytes.len().min(whole - head.len());
                head.extend_from_slice(&bytes[..parsed.n_used]);
                if head.len() < whole {
                    Phase::Magic(head)
                } else if &head[Self::HEAD_BYTES + 2..] == VERSION {
                    Phase::Machine(self.pickle(parsed.n_used))
                } else {
                    return self.malformed("its version is another one than 1001");
                }
            }
            Phase::Machine(mut pickle) => {
                parsed.n_used = pickle.push(bytes)?;
                if !pickle.is_done() {
                    Phase::Machine(pickle)
                } else if pickle.flag("little_endian") == Some(false) {
                    return Err(WeightsError::BigEndian);
                } else {
                    Phase::Tensors(self.pickle(parsed.n_used))
                }
            }
            Phase::Tensors(mut pickle) => {
                parsed.n_used = pickle.push(bytes)?;
                if pickle.is_done() {
                    let (storages, announced, remarks) = Storages::of(&pickle, expected, self.pos)?;
                    parsed.remarks = remarks;
                    self.storages = storages;
                    parsed.announced = Some(announced);
                    Phase::Keys(self.pickle(parsed.n_used))
                } else {
                    Phase::Tensors(pickle)
                }
            }
            Phase::Keys(mut pickle) => {
                parsed.n_used = pickle.push(bytes)?;
                if pickle.is_done() {
                    let Some(keys) = pickle.texts() else {
                        return self.malformed("it does not list its numbers");
                    };
                    Phase::Data {
                        len: Vec::new(),
                        keys,
                    }
                } else {
                    Phase::Keys(pickle)
                }
            }
            Phase::Data { mut len, mut keys } => {
                if keys.is_empty() {
                    // PyTorch itself ignores what follows.
                    if let Some(location) = self.storages.tensors().next() {
                        return Err(expected.missing(location.idx));
                    }
                    parsed.n_used = bytes.len();
                } else {
                    parsed.n_used = bytes.len().min(LEN_BYTES - len.len());
                    len.extend_from_slice(&bytes[..parsed.n_used]);
                    if let Some(numbers) = len.first_chunk::<LEN_BYTES>() {
                        let numbers = u64::from_le_bytes(*numbers);
                        len.clear();
                        let key = keys.pop_front().unwrap_or_default();
                        let Some(storage) = self.storages.remove(&key) else {
                            return self.malformed("numbers belong to no tensor");
                        };
                        if numbers.checked_mul(storage.number_bytes) != Some(storage.size_bytes) {
                            return self
                                .malformed("its numbers are more or fewer than its list says");
                        }
                        parsed.n_data = storage.size_bytes;
                        let start = self.pos + parsed.n_used as u64;
                        parsed.located = storage.locate(start)?;
                    }
                }
                Phase::Data { len, keys }
            }
        };
        self.pos += parsed.n_used as u64;
        self.pos = self.pos.saturating_add(parsed.n_data);
        Ok(parsed)
    }

    /// Whether the file may end here.
    pub(super) fn may_end(&self) -> bool {
        matches!(&self.phase, Phase::Data { len, keys } if len.is_empty() && keys.is_empty())
    }

    /// A pickle that begins `n_used` bytes ahead.
    fn pickle(&self, n_used: usize) -> Box<Pickle> {
        Box::new(Pickle::start(self.pos + n_used as u64))
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, WeightsError> {
        Err(WeightsError::Malformed {
            offset: self.pos,
            what,
        })
    }
}
