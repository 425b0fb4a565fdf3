//! `WriteAt`: a file that is written at any offset, in any order.

use std::io;

/// A file that is written at any offset, in any order.
pub trait WriteAt {
    /// Writes all of `bytes` at `offset` bytes from the start of the file, which grows as needed.
    ///
    /// # Errors
    /// The errors of the storage.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

/// A file in memory.
impl WriteAt for Vec<u8> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
        let start = usize::try_from(offset).map_err(|_| out_of_memory())?;
        let end = start.checked_add(bytes.len()).ok_or_else(out_of_memory)?;
        if end > self.len() {
            let more = end - self.len();
            self.try_reserve(more).map_err(|_| out_of_memory())?;
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(bytes);
        Ok(())
    }
}
