//! `TensorLocation`: where a tensor lies in a file of float weights and how its numbers are stored.

use serde::{Deserialize, Serialize};

use super::dtype::StoredType;

/// An expected tensor that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TensorLocation {
    /// Index into [`ExpectedTensors::specs`](super::expected::ExpectedTensors::specs).
    pub(super) idx: usize,
    /// How its numbers are stored.
    pub(super) dtype: StoredType,
    /// First byte, counted from the start of the file.
    pub(super) offset: u64,
}

/// The result of parsing some bytes of a file.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// How many of the bytes were consumed.
    pub(super) n_used: usize,
    /// The expected tensors that the file holds, once its list of tensors is complete.
    pub(super) announced: Option<Vec<usize>>,
    /// Expected tensors whose offsets have become known, in the order of the file.
    pub(super) located: Vec<TensorLocation>,
}
