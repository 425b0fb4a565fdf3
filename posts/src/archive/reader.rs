//! `Reader`: an export that is read a bounded amount at a time.

use super::entries::Entries;
use super::error::ReadError;
use super::report::{Sink, Step};

/// A kind of export being read.
pub(super) trait Reader {
    /// Reads on, about `budget` bytes of content, and hands out the posts in them.
    ///
    /// # Errors
    /// [`ReadError`]; posts handed out before are good.
    fn step(&mut self, budget: u64, sink: &mut Sink<'_>) -> Result<Step, ReadError>;

    /// Bytes of the source read and to be read.
    fn bytes(&self) -> (u64, u64);
}

/// Bytes of `entries` read, at most `total`, and `total`.
pub(super) fn bytes_of(entries: &dyn Entries, total: u64) -> (u64, u64) {
    (entries.bytes_read().min(total), total)
}
