//! `MemoryFile`: a file in the browser's memory, outside WebAssembly memory, which never shrinks.

use std::io;

use js_sys::{Array, Uint8Array};
use web_sys::Blob;

use crate::web::shared::js_error::{WebError, reason};

/// Bytes of a block.
const BLOCK_BYTES: u64 = 4 << 20;

/// A file of blocks that are allocated by the first write.
#[derive(Default)]
pub struct MemoryFile {
    blocks: Vec<Uint8Array>,
    len: u64,
}

impl MemoryFile {
    /// Writes all of `bytes` at `offset`; a gap before it is zero.
    ///
    /// # Errors
    /// `InvalidInput` beyond 2^40 bytes.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset
            .checked_add(bytes.len() as u64)
            .filter(|end| *end < 1 << 40)
            .ok_or(io::ErrorKind::InvalidInput)?;
        self.len = self.len.max(end);
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            // The number is below 2^40 / 2^22.
            let block = (at / BLOCK_BYTES) as usize;
            let start = (at % BLOCK_BYTES) as u32;
            while self.blocks.len() <= block {
                self.blocks
                    .push(Uint8Array::new_with_length(BLOCK_BYTES as u32));
            }
            let n = rest.len().min((BLOCK_BYTES as u32 - start) as usize);
            let target = self.blocks[block].subarray(start, start + n as u32);
            target.copy_from(&rest[..n]);
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
        let blocks: Array = self.blocks.into_iter().collect();
        let whole = Blob::new_with_u8_array_sequence(&blocks)
            .and_then(|blob| blob.slice_with_f64_and_f64(0.0, self.len as f64));
        whole.map_err(|e| WebError::Read { reason: reason(&e) })
    }
}
