//! `Source`: one file of weights as its bytes arrive, whichever format it has, without seeking.

use serde::{Deserialize, Serialize};

use super::error::{FileKind, WeightsError};
use super::needed::{Found, Needed};
use super::pytorch::{Pytorch, PytorchPlace};
use super::safetensors as st;

/// Bytes after which every format has shown itself: an old tar archive says so at byte 257.
const HEAD_BYTES: usize = 512;

/// What some bytes of a file gave.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// How many of them were read.
    pub(super) used: usize,
    /// The needed tensors that the file says it holds, once it has said so.
    pub(super) announced: Option<Vec<usize>>,
    /// Needed tensors whose places are known now, in the order of the file.
    pub(super) found: Vec<Found>,
}

/// A file of weights that is being read from its first byte to its last.
///
/// Bytes between its headers are `data`: whoever holds this passes over [`Self::data_left`] bytes with
/// [`Self::skip`], using or ignoring them, and gives [`Self::parse`] what follows.
#[derive(Debug)]
pub(super) enum Source {
    /// Too little has come to say what it is.
    Head(Vec<u8>),
    Safetensors(Safetensors),
    Pytorch(Box<Pytorch>),
}

impl Source {
    /// Before the first byte.
    pub(super) fn start() -> Self {
        Self::Head(Vec::new())
    }

    /// Bytes that hold tensors or nothing, before the next header.
    pub(super) fn data_left(&self) -> u64 {
        match self {
            Self::Head(_) => 0,
            Self::Safetensors(file) => file.data_left,
            Self::Pytorch(file) => file.data_left(),
        }
    }

    /// Passes over bytes of data.
    pub(super) fn skip(&mut self, n: u64) {
        match self {
            Self::Head(_) => unreachable!("the head is no data"),
            Self::Safetensors(file) => file.data_left -= n,
            Self::Pytorch(file) => file.skip(n),
        }
    }

    /// Reads on in a header; with no data left. Some byte is used, or there is data now.
    ///
    /// # Errors
    /// [`WeightsError::NotWeights`], and the format's.
    pub(super) fn parse(&mut self, bytes: &[u8], needed: &Needed) -> Result<Parsed, WeightsError> {
        match self {
            Self::Safetensors(file) => file.parse(bytes, needed),
            Self::Pytorch(file) => file.parse(bytes, needed),
            Self::Head(head) => {
                head.push(bytes[0]);
                let found = FileKind::of(head);
                match found {
                    FileKind::Safetensors => {
                        let head = std::mem::take(head);
                        *self = Self::Safetensors(Safetensors::start(head));
                    }
                    FileKind::Zip => {
                        let head = std::mem::take(head);
                        *self = Self::Pytorch(Box::new(Pytorch::start(head)));
                    }
                    _ if head.len() == HEAD_BYTES => {
                        return Err(WeightsError::NotWeights { found });
                    }
                    _ => {}
                }
                Ok(Parsed {
                    used: 1,
                    ..Parsed::default()
                })
            }
        }
    }

    /// That the file ends at byte `pos`.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`]; [`WeightsError::NotWeights`] if it was too short to be anything.
    pub(super) fn end(&self, pos: u64) -> Result<(), WeightsError> {
        match self {
            Self::Head(head) => Err(WeightsError::NotWeights {
                found: FileKind::of(head),
            }),
            Self::Safetensors(file) => file.end(pos),
            Self::Pytorch(file) => file.end(),
        }
    }

    /// What is needed to go on from here, if here is data.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Self::Head(_) => None,
            Self::Safetensors(file) => Some(Place::Safetensors {
                data_left: file.data_left,
            }),
            Self::Pytorch(file) => Some(Place::Pytorch(file.place())),
        }
    }

    /// There, at byte `pos` of the file.
    pub(super) fn at(place: Place, pos: u64) -> Self {
        match place {
            Place::Safetensors { data_left } => Self::Safetensors(Safetensors {
                header: Vec::new(),
                is_read: true,
                data_left,
            }),
            Place::Pytorch(place) => Self::Pytorch(Box::new(Pytorch::at(place, pos))),
        }
    }
}

/// A place among the data of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    Safetensors { data_left: u64 },
    Pytorch(PytorchPlace),
}

impl Place {
    /// Tensors that come after the data here.
    pub(super) fn ahead(&self) -> Vec<&Found> {
        match self {
            Self::Safetensors { .. } => Vec::new(),
            Self::Pytorch(place) => place.ahead().collect(),
        }
    }
}

/// A safetensors file: one header, then data.
#[derive(Debug)]
pub(super) struct Safetensors {
    /// What has come of the header.
    header: Vec<u8>,
    is_read: bool,
    data_left: u64,
}

impl Safetensors {
    fn start(head: Vec<u8>) -> Self {
        Self {
            header: head,
            is_read: false,
            data_left: 0,
        }
    }

    fn parse(&mut self, bytes: &[u8], needed: &Needed) -> Result<Parsed, WeightsError> {
        if self.is_read {
            // Nothing is known to follow the tensors; what does is passed over.
            return Ok(Parsed {
                used: bytes.len(),
                ..Parsed::default()
            });
        }
        let len = *self.header.first_chunk::<8>().expect("the head has them");
        let whole = 8 + usize::try_from(st::header_len(len)?).expect("capped there");
        let used = bytes.len().min(whole - self.header.len());
        self.header.extend_from_slice(&bytes[..used]);
        let mut parsed = Parsed {
            used,
            ..Parsed::default()
        };
        if self.header.len() == whole {
            let header = st::Header::parse(&self.header[8..])?;
            parsed.found = header.needed(needed)?;
            parsed.announced = Some(parsed.found.iter().map(|found| found.idx).collect());
            self.data_left = header.data_end() - whole as u64;
            self.header = Vec::new();
            self.is_read = true;
        }
        Ok(parsed)
    }

    fn end(&self, pos: u64) -> Result<(), WeightsError> {
        let missing = match (self.is_read, self.header.first_chunk::<8>()) {
            (false, Some(len)) => 8 + st::header_len(*len)? - self.header.len() as u64,
            _ => self.data_left,
        };
        match missing {
            0 => Ok(()),
            n => Err(WeightsError::Truncated {
                got: pos,
                expected: pos.saturating_add(n),
            }),
        }
    }
}
