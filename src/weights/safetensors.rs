//! `Header`: the header of a safetensors file, parsed and checked.
//!
//! Offsets have 64 bits. The header of the crate `safetensors` has `usize`, which in a browser is 32 bits: too few for
//! GPT-2 XL in one file.

use std::collections::HashMap;
use std::fmt;

use safetensors::{Dtype, SafeTensorError};
use serde::de::{Error as _, IgnoredAny, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::dtype::StoredType;
use super::error::{WeightsError, shown};
use super::expected::ExpectedTensors;
use super::location::{Strides, TensorLocation, sort_by_offset};
use super::remarks::Remarks;

/// The length of the shortest header, `{}`.
const MIN_HEADER_BYTES: u64 = 2;
/// Most bytes of a header, which lists names and shapes; GPT-2 XL's takes 50 kB.
const MAX_HEADER_BYTES: u64 = 1 << 24;

/// The header of a safetensors file.
#[derive(Debug)]
pub(super) struct Header {
    tensors: HashMap<String, TensorInfo>,
    data_start: u64,
    data_end: u64,
}

/// The header's entry for one tensor.
#[derive(Debug, Deserialize)]
struct TensorInfo {
    /// How its numbers are stored.
    dtype: DtypeName,
    /// Sizes, outermost first.
    shape: Vec<u64>,
    /// First byte and the one after the last, counted from the end of the header.
    data_offsets: (u64, u64),
}

/// A type's name. A tensor that nobody needs may have a type that is not known here.
#[derive(Debug, Deserialize)]
struct DtypeName(String);

impl DtypeName {
    fn known(&self) -> Option<Dtype> {
        Dtype::deserialize(self.0.as_str().into_deserializer())
            .map_err(|_: serde::de::value::Error| ())
            .ok()
    }
}

impl TensorInfo {
    /// Whether all numbers take `n` bytes; true for an unknown type.
    fn has_size(&self, n: u64) -> bool {
        let Some(dtype) = self.dtype.known() else {
            return true;
        };
        let mut dims = self.shape.iter();
        let bits = dims.try_fold(dtype.bitsize() as u64, |n, dim| n.checked_mul(*dim));
        bits.is_some() && bits == n.checked_mul(8)
    }
}

/// The header's JSON: tensors by name, and `__metadata__`, which is ignored.
struct Tensors(HashMap<String, TensorInfo>);

impl<'de> Deserialize<'de> for Tensors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Tensors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tensors by name")
            }

            // Not derived: `flatten` would buffer the whole map before deserializing it.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tensors, A::Error> {
                let mut tensors = HashMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else if tensors.insert(name, map.next_value()?).is_some() {
                        return Err(A::Error::custom("a tensor is listed twice"));
                    }
                }
                Ok(Tensors(tensors))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl Header {
    /// Parses the JSON that follows the eight bytes of its length; the tensors must cover the data without gaps or
    /// overlaps.
    ///
    /// # Errors
    /// [`WeightsError::BadSafetensors`].
    pub(super) fn parse(json: &[u8]) -> Result<Self, WeightsError> {
        let bad = |source| WeightsError::BadSafetensors { source };
        let Tensors(tensors) = serde_json::from_slice(json)
            .map_err(|e| bad(SafeTensorError::InvalidHeaderDeserialization(e)))?;
        let mut in_order: Vec<_> = tensors.iter().collect();
        in_order.sort_unstable_by_key(|(_, info)| info.data_offsets);
        let data_start = 8 + json.len() as u64;
        let mut data_end = data_start;
        for (name, info) in in_order {
            let (start, end) = info.data_offsets;
            if data_start.checked_add(start) != Some(data_end) || end < start {
                return Err(bad(SafeTensorError::InvalidOffset(name.clone())));
            }
            if !info.has_size(end - start) {
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

    /// The expected tensors, in the order of the file, and what the other names tell.
    ///
    /// # Errors
    /// As [`ExpectedTensors::select`] and [`ExpectedTensors::check`].
    pub(super) fn locate(
        &self,
        expected: &ExpectedTensors,
    ) -> Result<(Vec<TensorLocation>, Remarks), WeightsError> {
        let mut located = Vec::new();
        let stored = self.tensors.iter();
        let stored = stored.map(|(name, info)| (name.as_str(), info));
        let (selected, remarks) = expected.select(stored)?;
        for (idx, _, info) in selected {
            let dtype = match info.dtype.0.as_str() {
                "F32" => Some(StoredType::F32),
                "F16" => Some(StoredType::F16),
                "BF16" => Some(StoredType::BF16),
                "F64" => Some(StoredType::F64),
                _ => None,
            };
            located.push(TensorLocation {
                idx,
                dtype: expected.check(idx, &info.shape, dtype, shown(&info.dtype.0))?,
                offset: self.data_start + info.data_offsets.0,
                strides: Strides::of_hugging_face(&expected.specs[idx]),
            });
        }
        sort_by_offset(&mut located);
        Ok((located, remarks))
    }
}

/// Length of the JSON that follows the first eight bytes.
///
/// # Errors
/// [`WeightsError::BadSafetensors`] for a length below 2, [`WeightsError::Malformed`] above 16 MiB.
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
