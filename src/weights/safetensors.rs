//! safetensors: reads the header of one file and checks that the file is as long as it says.
//!
//! Offsets are 64 bits wide, where the crate's own header has `usize`: in a browser that is 32 bits, too few
//! for GPT-2 XL in one file.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use safetensors::{Dtype, SafeTensorError};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::dtype::StoredType;
use super::error::{FileKind, WeightsError};
use super::needed::{Found, Needed};

/// `{}`.
const MIN_HEADER_BYTES: u64 = 2;
/// A header lists names and shapes; GPT-2 XL's takes 50 kB.
const MAX_HEADER_BYTES: u64 = 1 << 24;

/// The header of a safetensors file.
#[derive(Debug)]
pub struct Header {
    tensors: HashMap<String, TensorInfo>,
    data_start: u64,
    data_end: u64,
}

/// What the header says of one tensor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TensorInfo {
    /// How its numbers are stored.
    pub dtype: Dtype,
    /// Sizes, outermost first.
    pub shape: Vec<u64>,
    /// First byte and the one after the last, counted from the end of the header.
    pub data_offsets: (u64, u64),
}

impl TensorInfo {
    /// Bytes that numbers of that type and shape take, if they are whole ones.
    fn size_bytes(&self) -> Option<u64> {
        let bits = self
            .shape
            .iter()
            .try_fold(self.dtype.bitsize() as u64, |n, dim| n.checked_mul(*dim))?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }
}

/// The header's JSON: tensors by name, and beside them what the writer noted.
struct Tensors(HashMap<String, TensorInfo>);

impl<'de> Deserialize<'de> for Tensors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Tensors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            // Not derived: `flatten` would hold all of it once more before it knows what it is.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tensors, A::Error> {
                let mut tensors = HashMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else if tensors.insert(name, map.next_value()?).is_some() {
                        return Err(A::Error::custom("a tensor stands there twice"));
                    }
                }
                Ok(Tensors(tensors))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl Header {
    /// Reads the header and checks that all tensors lie inside the file.
    ///
    /// # Errors
    /// [`WeightsError::NotSafetensors`], [`WeightsError::Truncated`], [`WeightsError::BadSafetensors`],
    /// [`WeightsError::Malformed`], [`WeightsError::Read`].
    pub fn read<R: Read + Seek>(reader: &mut R) -> Result<Self, WeightsError> {
        let read = |source| WeightsError::Read { source };
        let file_len = reader.seek(SeekFrom::End(0)).map_err(read)?;
        reader.seek(SeekFrom::Start(0)).map_err(read)?;
        let mut head = Vec::new();
        reader
            .by_ref()
            .take(64)
            .read_to_end(&mut head)
            .map_err(read)?;
        let header_len = match head.first_chunk::<8>() {
            Some(len) if head.get(8).is_none_or(|b| *b == b'{') => header_len(*len)?,
            _ => {
                return Err(WeightsError::NotSafetensors {
                    found: FileKind::of(&head),
                });
            }
        };
        let data_start = 8 + header_len;
        if data_start > file_len {
            return Err(WeightsError::Truncated {
                got: file_len,
                expected: data_start,
            });
        }
        let mut json = vec![0; usize::try_from(header_len).expect("capped above")];
        reader.seek(SeekFrom::Start(8)).map_err(read)?;
        reader.read_exact(&mut json).map_err(read)?;
        let header = Self::parse(&json)?;
        let expected = header.data_end;
        if file_len < expected {
            return Err(WeightsError::Truncated {
                got: file_len,
                expected,
            });
        }
        Ok(header)
    }

    /// Reads the JSON after the eight bytes of its length; its tensors cover the data without gaps or overlaps.
    ///
    /// # Errors
    /// [`WeightsError::BadSafetensors`].
    pub(super) fn parse(json: &[u8]) -> Result<Self, WeightsError> {
        let bad = |source| WeightsError::BadSafetensors { source };
        let Tensors(tensors) = serde_json::from_slice(json)
            .map_err(|e| bad(SafeTensorError::InvalidHeaderDeserialization(e)))?;
        let mut in_order: Vec<_> = tensors.iter().collect();
        in_order.sort_by_key(|(_, info)| info.data_offsets);
        let data_start = 8 + json.len() as u64;
        let mut data_end = data_start;
        for (name, info) in in_order {
            let (start, end) = info.data_offsets;
            if data_start.checked_add(start) != Some(data_end) || end < start {
                return Err(bad(SafeTensorError::InvalidOffset(name.clone())));
            }
            if info.size_bytes() != Some(end - start) {
                return Err(bad(SafeTensorError::TensorInvalidInfo));
            }
            data_end = data_start
                .checked_add(end)
                .ok_or_else(|| bad(SafeTensorError::ValidationOverflow))?;
        }
        Ok(Self {
            tensors,
            data_start,
            data_end,
        })
    }

    /// First byte after the last tensor, counted from the start of the file.
    pub(super) fn data_end(&self) -> u64 {
        self.data_end
    }

    /// The tensors that are needed, in the order of the file.
    ///
    /// # Errors
    /// [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`].
    pub(super) fn needed(&self, needed: &Needed) -> Result<Vec<Found>, WeightsError> {
        let mut all = Vec::new();
        for (name, info) in &self.tensors {
            let Some(idx) = needed.find(name) else {
                continue;
            };
            let dtype = match info.dtype {
                Dtype::F32 => Some(StoredType::F32),
                Dtype::F16 => Some(StoredType::F16),
                Dtype::BF16 => Some(StoredType::BF16),
                _ => None,
            };
            all.push(Found {
                idx,
                dtype: needed.check(idx, &info.shape, dtype, info.dtype)?,
                offset: self.data_start + info.data_offsets.0,
            });
        }
        all.sort_by_key(|found| found.offset);
        Ok(all)
    }
}

/// Length of the JSON that follows the first eight bytes.
///
/// # Errors
/// [`WeightsError::BadSafetensors`] if no header is that short, [`WeightsError::Malformed`] if none is that long.
pub(super) fn header_len(bytes: [u8; 8]) -> Result<u64, WeightsError> {
    match u64::from_le_bytes(bytes) {
        len if len < MIN_HEADER_BYTES => Err(WeightsError::BadSafetensors {
            source: SafeTensorError::HeaderTooSmall,
        }),
        len if len <= MAX_HEADER_BYTES => Ok(len),
        _ => Err(WeightsError::Malformed {
            offset: 0,
            what: "the header is longer than 16 MiB",
        }),
    }
}
