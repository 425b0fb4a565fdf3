//! `TensorLocation`: where a tensor lies in a file of float weights and how its numbers are stored.

use serde::{Deserialize, Serialize};

use super::dtype::StoredType;
use super::names::TensorSpec;
use super::remarks::Remarks;

/// An expected tensor that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TensorLocation {
    /// Index into [`ExpectedTensors::specs`](super::expected::ExpectedTensors::specs).
    pub(super) idx: usize,
    /// How its numbers are stored.
    pub(super) dtype: StoredType,
    /// First byte, counted from the start of the file.
    pub(super) offset: u64,
    /// How its numbers follow each other.
    pub(super) strides: Strides,
}

impl TensorLocation {
    /// Bytes from its first number to its last; `None` beyond any file.
    pub(super) fn size_bytes(&self, spec: &TensorSpec) -> Option<u64> {
        size_bytes(spec, self.dtype, self.strides)
    }
}

/// The order of the file; tensors that share numbers stay in the order of their indices.
pub(super) fn sort_by_offset(locations: &mut [TensorLocation]) {
    locations.sort_unstable_by_key(|location| (location.offset, location.idx));
}

/// The distances, in numbers, from a number to the next one in its column and in its row. Rows and columns are those of
/// [`TensorSpec`], as computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Strides {
    /// To the same column of the next row.
    pub(super) row: u64,
    /// To the next column of the same row.
    pub(super) col: u64,
}

impl Strides {
    /// Row after row without gaps.
    pub(super) fn of_rows(spec: &TensorSpec) -> Self {
        Self {
            row: spec.cols as u64,
            col: 1,
        }
    }

    /// As Hugging Face's files hold the tensor: linear maps column after column, others row after row.
    pub(super) fn of_hugging_face(spec: &TensorSpec) -> Self {
        match spec.role.is_transposed_in_hugging_face() {
            true => Self {
                row: 1,
                col: spec.rows as u64,
            },
            false => Self::of_rows(spec),
        }
    }

    /// Those of a tensor whose dimensions in Hugging Face's order have these strides.
    pub(super) fn of_view(spec: &TensorSpec, strides: &[u64]) -> Option<Self> {
        let own = Self::of_rows(spec);
        let (row, col) = match *strides {
            [col] if spec.rows == 1 => (own.row, col),
            [a, b] if spec.role.is_transposed_in_hugging_face() => (b, a),
            [a, b] => (a, b),
            _ => return None,
        };
        // The stride of a dimension of 1 may be any number.
        Some(Self {
            row: if spec.rows == 1 { own.row } else { row },
            col: if spec.cols == 1 { own.col } else { col },
        })
    }

    /// Whether rows follow each other without gaps.
    pub(super) fn is_of_rows(self, spec: &TensorSpec) -> bool {
        self == Self::of_rows(spec)
    }
}

/// Bytes from a tensor's first number to its last; `None` beyond any file.
pub(super) fn size_bytes(spec: &TensorSpec, dtype: StoredType, strides: Strides) -> Option<u64> {
    if strides.is_of_rows(spec) {
        let row = dtype.row_bytes(spec.cols)? as u64;
        return row.checked_mul(spec.rows as u64);
    }
    let rows = strides.row.checked_mul(spec.rows as u64 - 1)?;
    let cols = strides.col.checked_mul(spec.cols as u64 - 1)?;
    let numbers = rows.checked_add(cols)?.checked_add(1)?;
    numbers.checked_mul(dtype.row_bytes(1)? as u64)
}

/// The result of parsing some bytes of a file.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// How many of the bytes were consumed.
    pub(super) n_used: usize,
    /// Bytes of data that follow them.
    pub(super) n_data: u64,
    /// The expected tensors that the file holds, once its list of tensors is complete.
    pub(super) announced: Option<Vec<usize>>,
    /// What the list of tensors tells beside them.
    pub(super) remarks: Remarks,
    /// Expected tensors whose offsets have become known, in the order of the file.
    pub(super) located: Vec<TensorLocation>,
}
