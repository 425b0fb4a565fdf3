//! `TiedHead`: what becomes of an embedding and of a head that a configuration ties to it, of which files hold either
//! one or both.
//!
//! Whichever arrives first is written in the embedding's place. If the other one is the same, it is dropped; if it
//! differs, it is written behind all tensors, as `transformers` 5 uses it. The two arrive far apart, so they are
//! compared by a hash, and the second one is held back, encoded, until its last number has arrived.

use serde::{Deserialize, Serialize};

use super::expected::Tied;
use super::gguf::Value;
use super::gguf_layout::{Layout, TensorToWrite};
use super::hash::NumbersHash;
use super::target::Target;

/// An entry of metadata that takes exactly the bytes of a tensor's entry. The header with a head has that instead, so
/// the header can be replaced when the head turns out to differ, and no tensor moves.
const ROOM: (&str, &str) = ("huggingtweets.head", "token embedding");

/// The state of the pair; part of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct TiedHead {
    /// Whether the header has room for a second tensor.
    pub(super) has_room: bool,
    /// The one that arrived first, once it is written.
    pub(super) first: Option<(usize, NumbersHash)>,
    /// Whether the second one differs and is written too.
    pub(super) differs: bool,
}

impl TiedHead {
    /// Whether the tensor is the second of the two.
    pub(super) fn is_second(&self, tied: Option<Tied>, idx: usize) -> bool {
        let is_in_pair = tied.is_some_and(|tied| tied.contains(idx));
        is_in_pair && self.first.is_some_and(|(first, _)| first != idx)
    }

    /// The layout with one tensor for both, and with room in the header for the second.
    pub(super) fn layout_with_room(layout: &Layout, targets: &[Target]) -> Layout {
        let (key, value) = ROOM;
        let room = (key.to_owned(), Value::String(value.to_owned()));
        layout.with(&[room], &to_write(&targets[..targets.len() - 1]))
    }

    /// The layout with both, made of the one without room; the second lies last.
    pub(super) fn layout_of_both(&self, layout: &Layout, targets: &[Target], tied: Tied) -> Layout {
        let mut tensors = to_write(targets);
        if self.first.is_some_and(|(first, _)| first == tied.head) {
            // llama.cpp wants the entries in the order of the tensors.
            tensors.swap(tied.embedding, tied.head);
        }
        layout.with(&[], &tensors)
    }

    /// Whether a stored state is possible.
    pub(super) fn is_valid(&self, tied: Option<Tied>, is_done: impl Fn(usize) -> bool) -> bool {
        let Some(tied) = tied else {
            return *self == Self::default();
        };
        let first_is_done = self
            .first
            .is_none_or(|(first, _)| tied.contains(first) && is_done(first));
        let both_are_done = is_done(tied.embedding) && is_done(tied.head);
        first_is_done
            && both_are_done == self.differs
            && (!self.differs || (self.has_room && self.first.is_some()))
            && (self.first.is_some() || !(is_done(tied.embedding) || is_done(tied.head)))
    }
}

fn to_write(targets: &[Target]) -> Vec<TensorToWrite> {
    targets.iter().map(Target::to_write).collect()
}
