//! `fingerprint` and `NumbersHash`: hashes that are the same in every build, of bytes and of numbers that are never in memory
//! together.

use serde::{Deserialize, Serialize};

/// FNV-1a: a fingerprint that is the same in every build.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A hash of numbers, by which two tensors are compared that are never in memory together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct NumbersHash(u64);

impl NumbersHash {
    /// Adds numbers; their pieces do not matter, their order does.
    pub(super) fn add(&mut self, values: &[f32]) {
        for value in values {
            // Adding 0 makes -0 and 0 one.
            let mixed =
                (self.0 ^ u64::from((value + 0.0).to_bits())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.0 = mixed ^ (mixed >> 29);
        }
    }
}
