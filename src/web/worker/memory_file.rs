//! `MemoryFile`: a file in the browser's memory, outside this program's own, which never gives any back.

use std::io;

use js_sys::{Array, Uint8Array};
use web_sys::Blob;

use crate::web::shared::js_error::{WebError, reason};

/// Bytes of a part.
const PART_BYTES: u64 = 4 << 20;

/// A file of parts that are made as they are written to.
#[derive(Default)]
pub struct MemoryFile {
    parts: Vec<Uint8Array>,
    len: u64,
}

impl MemoryFile {
    /// Writes all of `bytes` at `offset`; what lies between is zero.
    ///
    /// # Errors
    /// `InvalidInput` beyond what any model needs.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset
            .checked_add(bytes.len() as u64)
            .filter(|end| *end < 1 << 40)
            .ok_or(io::ErrorKind::InvalidInput)?;
        self.len = self.len.max(end);
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Below 2^40 / 2^22.
            let part = (at / PART_BYTES) as usize;
            let start = (at % PART_BYTES) as u32;
            while self.parts.len() <= part {
                self.parts
                    .push(Uint8Array::new_with_length(PART_BYTES as u32));
            }
            let n = rest.len().min((PART_BYTES as u32 - start) as usize);
            let place = self.parts[part].subarray(start, start + n as u32);
            place.copy_from(&rest[..n]);
            rest = &rest[n..];
            at += n as u64;
        }
        Ok(())
    }

    /// The whole file.
    ///
    /// # Errors
    /// [`WebError::Read`] if the browser has no room for it.
    pub fn into_blob(self) -> Result<Blob, WebError> {
        let parts: Array = self.parts.into_iter().collect();
        let whole = Blob::new_with_u8_array_sequence(&parts)
            .and_then(|blob| blob.slice_with_f64_and_f64(0.0, self.len as f64));
        whole.map_err(|e| WebError::Read { reason: reason(&e) })
    }
}
