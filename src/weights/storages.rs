//! `Storages`: the rows of numbers in a PyTorch file, and the expected tensors in each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::WeightsError;
use super::expected::ExpectedTensors;
use super::location::{Strides, TensorLocation, sort_by_offset};
use super::names::Role;
use super::pickle::Pickle;
use super::remarks::Remarks;

/// A storage whose numbers have not arrived yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Storage {
    pub(super) size_bytes: u64,
    /// Bytes of one number.
    pub(super) number_bytes: u64,
    /// The expected tensors in it; offsets count from its first byte.
    pub(super) tensors: Vec<TensorLocation>,
}

impl Storage {
    /// Its tensors, where its first byte is the file's byte `start`.
    ///
    /// # Errors
    /// [`WeightsError::Malformed`].
    pub(super) fn locate(self, start: u64) -> Result<Vec<TensorLocation>, WeightsError> {
        let mut tensors = self.tensors;
        for location in &mut tensors {
            location.offset = match location.offset.checked_add(start) {
                Some(offset) => offset,
                None => return malformed(start, "a tensor lies beyond any file"),
            };
        }
        Ok(tensors)
    }
}

/// The storages whose numbers have not arrived yet, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Storages(BTreeMap<String, Storage>);

impl Storages {
    /// The storages of a pickle, which ends at byte `pos`, the expected tensors in them, and what the other names tell.
    ///
    /// # Errors
    /// [`WeightsError::Malformed`], [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`],
    /// [`WeightsError::Transposed`], [`WeightsError::Quantized`], [`WeightsError::SharedNumbers`].
    pub(super) fn of(
        pickle: &Pickle,
        expected: &ExpectedTensors,
        pos: u64,
    ) -> Result<(Self, Vec<usize>, Remarks), WeightsError> {
        let mut storages: BTreeMap<String, Storage> = BTreeMap::new();
        for storage in pickle.storages() {
            let number_bytes = storage.kind.size_bytes;
            let Some(size_bytes) = storage.len.checked_mul(number_bytes) else {
                return malformed(pos, "a tensor lies beyond any file");
            };
            let known = storages.entry(storage.key.clone());
            let known = known.or_insert_with(|| Storage {
                size_bytes,
                number_bytes,
                tensors: Vec::new(),
            });
            if known.size_bytes != size_bytes {
                return malformed(pos, "the same numbers have two sizes");
            }
        }
        let is_expected = |name: &str| expected.find(name).is_some();
        let mut announced = Vec::new();
        let stored = pickle.tensors(is_expected)?;
        let (selected, remarks) =
            expected.select(stored.map(|(name, tensor, storage)| (name, (tensor, storage))))?;
        for (idx, _, (tensor, storage)) in selected {
            let kind = storage.kind;
            let dtype = expected.check(idx, &tensor.shape, kind.dtype, kind.name)?;
            let spec = &expected.specs[idx];
            let Some(strides) = Strides::of_view(spec, &tensor.strides) else {
                return malformed(pos, "a tensor has more strides than dimensions, or fewer");
            };
            let location = TensorLocation {
                idx,
                dtype,
                offset: 0,
                strides,
            };
            let first = storage.offset.checked_add(tensor.offset);
            let offset = first.and_then(|first| first.checked_mul(kind.size_bytes));
            let end = location
                .size_bytes(spec)
                .and_then(|size| size.checked_add(offset?));
            let known = storages.get_mut(&storage.key).expect("inserted above");
            let (Some(offset), Some(end)) = (offset, end) else {
                return malformed(pos, "a tensor lies beyond any file");
            };
            if end > known.size_bytes {
                return malformed(pos, "a tensor lies beyond its numbers");
            }
            known.tensors.push(TensorLocation { offset, ..location });
            announced.push(idx);
        }
        for storage in storages.values_mut() {
            if let Some(head) = expected.same_as_embedding(&storage.tensors) {
                storage.tensors.retain(|location| location.idx != head);
                announced.retain(|idx| *idx != head);
            }
            sort_by_offset(&mut storage.tensors);
            refuse_shared(&storage.tensors, expected)?;
        }
        Ok((Self(storages), announced, remarks))
    }

    /// Takes the storage with this key.
    pub(super) fn remove(&mut self, key: &str) -> Option<Storage> {
        self.0.remove(key)
    }

    /// Expected tensors in all of them.
    pub(super) fn tensors(&self) -> impl Iterator<Item = &TensorLocation> {
        self.0.values().flat_map(|storage| &storage.tensors)
    }
}

/// Refuses tensors that share numbers, except an untied embedding and head: both are converted row by row, so that
/// neither is in memory whole.
fn refuse_shared(
    tensors: &[TensorLocation],
    expected: &ExpectedTensors,
) -> Result<(), WeightsError> {
    let mut before: Option<(&TensorLocation, u64)> = None;
    let in_rows = |location: &TensorLocation| {
        let spec = &expected.specs[location.idx];
        spec.role == Role::Embedding && location.strides.is_of_rows(spec)
    };
    for location in tensors {
        let spec = &expected.specs[location.idx];
        let size = location.size_bytes(spec).expect("checked before");
        let end = location.offset + size;
        if let Some((other, other_end)) = before
            && location.offset < other_end
            && !(in_rows(location) && in_rows(other) && expected.tied().is_none())
        {
            return Err(WeightsError::SharedNumbers {
                name: expected.specs[other.idx].name.clone(),
                other: spec.name.clone(),
            });
        }
        before = match before {
            Some((_, other_end)) if other_end > end => before,
            _ => Some((location, end)),
        };
    }
    Ok(())
}

fn malformed<T>(offset: u64, what: &'static str) -> Result<T, WeightsError> {
    Err(WeightsError::Malformed { offset, what })
}
