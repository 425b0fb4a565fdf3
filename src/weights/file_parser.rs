//! `FileParser`: an incremental parser of one file of weights, in any format, fed from its first byte to its last.

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use super::expected::ExpectedTensors;
use super::location::{Parsed, TensorLocation};
use super::pytorch::{PytorchParser, PytorchState};
use super::pytorch_legacy::{LegacyParser, LegacyState};
use super::safetensors as st;
use crate::file_kind::FileKind;

/// Bytes after which every format is recognisable: an old tar archive is at byte 257.
const HEAD_BYTES: usize = 512;

/// The state of a parser between two pieces of a file.
///
/// Bytes between headers are data: the owner passes over [`Self::data_left`] bytes with [`Self::skip`], using or
/// ignoring them, and feeds what follows to [`Self::parse`].
#[derive(Debug)]
pub(super) enum FileParser {
    /// Too few bytes have arrived to tell the format.
    Start(Vec<u8>),
    /// Inside the header of a safetensors file, of which these bytes have arrived.
    SafetensorsHeader(Vec<u8>),
    /// After the only header of a file.
    Data { left: u64 },
    /// In a file written by PyTorch.
    Pytorch(Box<PytorchParser>),
    /// In a file written by PyTorch before version 1.6.
    Legacy(Box<LegacyParser>),
}

impl FileParser {
    /// A parser at the first byte of a file in any format of float weights.
    pub(super) fn start() -> Self {
        Self::Start(Vec::new())
    }

    /// A parser at the first byte of a file whose tensors are known already and end at byte `data_end`.
    pub(super) fn of_data(data_end: u64) -> Self {
        Self::Data { left: data_end }
    }

    /// Bytes before the next header, of tensors or without use.
    pub(super) fn data_left(&self) -> u64 {
        match self {
            Self::Start(_) | Self::SafetensorsHeader(_) => 0,
            Self::Data { left } => *left,
            Self::Pytorch(file) => file.data_left(),
            Self::Legacy(file) => file.data_left(),
        }
    }

    /// Passes over bytes of data.
    pub(super) fn skip(&mut self, n: u64) {
        match self {
            Self::Start(_) | Self::SafetensorsHeader(_) => unreachable!("a header is not data"),
            Self::Data { left } => *left -= n,
            Self::Pytorch(file) => file.skip(n),
            Self::Legacy(file) => file.skip(n),
        }
    }

    /// Parses the next bytes of a header, with no data left. Consumes at least one byte, or reaches data.
    ///
    /// # Errors
    /// [`WeightsError::NotWeights`], and the errors of the format.
    pub(super) fn parse(
        &mut self,
        bytes: &[u8],
        expected: &ExpectedTensors,
    ) -> Result<Parsed, WeightsError> {
        match self {
            Self::Start(head) => {
                head.push(bytes[0]);
                let found = FileKind::of(head);
                match found {
                    FileKind::Safetensors => *self = Self::SafetensorsHeader(std::mem::take(head)),
                    FileKind::Zip => {
                        let parser = PytorchParser::start(std::mem::take(head));
                        *self = Self::Pytorch(Box::new(parser));
                    }
                    // Fewer bytes could be the length of a safetensors header.
                    FileKind::Pickle if head.len() == LegacyParser::HEAD_BYTES => {
                        let parser = LegacyParser::start(std::mem::take(head))?;
                        *self = Self::Legacy(Box::new(parser));
                    }
                    _ if head.len() == HEAD_BYTES => {
                        return Err(WeightsError::NotWeights { found });
                    }
                    _ => {}
                }
                Ok(Parsed {
                    n_used: 1,
                    ..Parsed::default()
                })
            }
            Self::SafetensorsHeader(header) => {
                let len = *header.first_chunk::<8>().expect("read by FileKind::of");
                let whole = 8 + usize::try_from(st::header_len(len)?).expect("capped there");
                let n_used = bytes.len().min(whole - header.len());
                header.extend_from_slice(&bytes[..n_used]);
                let mut parsed = Parsed {
                    n_used,
                    ..Parsed::default()
                };
                if header.len() == whole {
                    let header = st::Header::parse(&header[8..])?;
                    (parsed.located, parsed.remarks) = header.locate(expected)?;
                    let announced = parsed.located.iter().map(|location| location.idx);
                    parsed.announced = Some(announced.collect());
                    let left = header.data_end() - whole as u64;
                    *self = Self::Data { left };
                }
                Ok(parsed)
            }
            // The format has nothing after the tensors; further bytes are ignored.
            Self::Data { .. } => Ok(Parsed {
                n_used: bytes.len(),
                ..Parsed::default()
            }),
            Self::Pytorch(file) => file.parse(bytes, expected),
            Self::Legacy(file) => file.parse(bytes, expected),
        }
    }

    /// Accepts the end of the file at byte `pos`.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`]; [`WeightsError::NotWeights`] if the file was too short to tell its format.
    pub(super) fn end(&self, pos: u64) -> Result<(), WeightsError> {
        let missing = match self {
            Self::Start(head) => {
                return Err(WeightsError::NotWeights {
                    found: FileKind::of(head),
                });
            }
            Self::SafetensorsHeader(header) => {
                let len = *header.first_chunk::<8>().expect("read by FileKind::of");
                8 + st::header_len(len)? - header.len() as u64
            }
            Self::Data { left } => *left,
            Self::Pytorch(file) => return file.end(),
            Self::Legacy(file) => return file.end(),
        };
        match missing {
            0 => Ok(()),
            n => Err(WeightsError::Truncated {
                got: pos,
                expected: pos.saturating_add(n),
            }),
        }
    }

    /// The state to resume from here; `None` outside data.
    pub(super) fn state(&self) -> Option<ParserState> {
        match self {
            Self::Start(_) | Self::SafetensorsHeader(_) => None,
            Self::Data { left } => Some(ParserState::Data { data_left: *left }),
            Self::Pytorch(file) => Some(ParserState::Pytorch(file.state())),
            Self::Legacy(file) => Some(ParserState::Legacy(file.state())),
        }
    }

    /// A parser that resumes at byte `pos` of the file.
    pub(super) fn resume(state: ParserState, pos: u64) -> Self {
        match state {
            ParserState::Data { data_left } => Self::Data { left: data_left },
            ParserState::Pytorch(state) => {
                Self::Pytorch(Box::new(PytorchParser::resume(state, pos)))
            }
            ParserState::Legacy(state) => Self::Legacy(Box::new(LegacyParser::resume(state, pos))),
        }
    }
}

/// The state of a parser inside the data of a file, to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ParserState {
    /// After the header of a safetensors file; the name in the attribute is that of stored journals.
    #[serde(rename = "Safetensors")]
    Data {
        data_left: u64,
    },
    Pytorch(PytorchState),
    Legacy(LegacyState),
}

impl ParserState {
    /// Expected tensors after this piece of data, with offsets from the first byte of their storages.
    pub(super) fn later(&self) -> Vec<&TensorLocation> {
        match self {
            Self::Data { .. } => Vec::new(),
            Self::Pytorch(state) => state.storages.tensors().collect(),
            Self::Legacy(state) => state.storages.tensors().collect(),
        }
    }
}
