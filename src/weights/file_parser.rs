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
pub(super) struct FileParser {
    format: Format,
    /// Bytes of data before the next header.
    data_left: u64,
}

#[derive(Debug)]
enum Format {
    /// Too few bytes have arrived to tell the format.
    Start(Vec<u8>),
    /// Inside the header of a safetensors file, of which these bytes have arrived.
    SafetensorsHeader(Vec<u8>),
    /// After the only header of a file.
    Data,
    /// In a file written by PyTorch.
    Pytorch(Box<PytorchParser>),
    /// In a file written by PyTorch before version 1.6.
    Legacy(Box<LegacyParser>),
}

impl FileParser {
    /// A parser at the first byte of a file in any format of float weights.
    pub(super) fn start() -> Self {
        Format::Start(Vec::new()).with(0)
    }

    /// A parser at the first byte of a file whose tensors are known already and end at byte `data_end`.
    pub(super) fn of_data(data_end: u64) -> Self {
        Format::Data.with(data_end)
    }

    /// Bytes before the next header, of tensors or without use.
    pub(super) fn data_left(&self) -> u64 {
        self.data_left
    }

    /// Passes over `n` bytes of data.
    ///
    /// # Panics
    /// If fewer are left.
    pub(super) fn skip(&mut self, n: u64) {
        let left = self.data_left.checked_sub(n);
        self.data_left = left.expect("a header is not data");
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
        let parsed = self.format.parse(bytes, expected)?;
        self.data_left = parsed.n_data;
        Ok(parsed)
    }

    /// Accepts the end of the file at byte `pos`.
    ///
    /// # Errors
    /// [`WeightsError::Truncated`]; [`WeightsError::NotWeights`] if the file was too short to tell its format.
    pub(super) fn end(&self, pos: u64) -> Result<(), WeightsError> {
        let missing = match &self.format {
            Format::Start(head) => {
                return Err(WeightsError::NotWeights {
                    found: FileKind::of(head),
                });
            }
            Format::SafetensorsHeader(header) => {
                let len = *header.first_chunk::<8>().expect("read by FileKind::of");
                8 + st::header_len(len)? - header.len() as u64
            }
            Format::Pytorch(file) if !file.may_end() => self.data_left.max(1),
            Format::Legacy(file) if !file.may_end() => self.data_left.max(1),
            Format::Data | Format::Pytorch(_) | Format::Legacy(_) => self.data_left,
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
        let data_left = self.data_left;
        match &self.format {
            Format::Start(_) | Format::SafetensorsHeader(_) => None,
            Format::Data => Some(ParserState::Data { data_left }),
            Format::Pytorch(file) => Some(ParserState::Pytorch(file.state(data_left))),
            Format::Legacy(file) => Some(ParserState::Legacy(file.state(data_left))),
        }
    }

    /// A parser that resumes at byte `pos` of the file.
    pub(super) fn resume(state: ParserState, pos: u64) -> Self {
        let data_left = state.data_left();
        let format = match state {
            ParserState::Data { .. } => Format::Data,
            ParserState::Pytorch(state) => {
                Format::Pytorch(Box::new(PytorchParser::resume(state, pos)))
            }
            ParserState::Legacy(state) => {
                Format::Legacy(Box::new(LegacyParser::resume(state, pos)))
            }
        };
        format.with(data_left)
    }
}

impl Format {
    /// A parser with data ahead.
    fn with(self, data_left: u64) -> FileParser {
        FileParser {
            format: self,
            data_left,
        }
    }

    /// As [`FileParser::parse`].
    fn parse(&mut self, bytes: &[u8], expected: &ExpectedTensors) -> Result<Parsed, WeightsError> {
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
                    parsed.n_data = header.data_end() - whole as u64;
                    *self = Self::Data;
                }
                Ok(parsed)
            }
            // The format has nothing after the tensors; further bytes are ignored.
            Self::Data => Ok(Parsed {
                n_used: bytes.len(),
                ..Parsed::default()
            }),
            Self::Pytorch(file) => file.parse(bytes, expected),
            Self::Legacy(file) => file.parse(bytes, expected),
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
    fn data_left(&self) -> u64 {
        match self {
            Self::Data { data_left } => *data_left,
            Self::Pytorch(state) => state.data_left,
            Self::Legacy(state) => state.data_left,
        }
    }

    /// Expected tensors after this piece of data, with offsets from the first byte of their storages.
    pub(super) fn later(&self) -> Vec<&TensorLocation> {
        match self {
            Self::Data { .. } => Vec::new(),
            Self::Pytorch(state) => state.storages.tensors().collect(),
            Self::Legacy(state) => state.storages.tensors().collect(),
        }
    }
}
