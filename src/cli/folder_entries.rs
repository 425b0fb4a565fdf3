//! `FolderEntries`: the files of an unpacked export.

use crate::posts::archive::error::ReadError;
use crate::posts::archive::{Entries, Entry, is_of_interest};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use walkdir::WalkDir;

/// Deepest folder that is searched.
const MAX_DEPTH: usize = 8;

/// The files of a folder that may hold posts, the account or its picture.
pub struct FolderEntries {
    entries: Vec<Entry>,
    paths: Vec<PathBuf>,
    read: Rc<Cell<u64>>,
}

impl FolderEntries {
    /// Lists the folder. Links are not followed.
    ///
    /// # Errors
    /// The system's error.
    pub fn new(root: &Path) -> io::Result<Self> {
        let mut found = Self {
            entries: Vec::new(),
            paths: Vec::new(),
            read: Rc::default(),
        };
        for file in WalkDir::new(root).max_depth(MAX_DEPTH).sort_by_file_name() {
            let file = file?;
            if !file.file_type().is_file() {
                continue;
            }
            let relative = file.path().strip_prefix(root).unwrap_or(file.path());
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            if is_of_interest(&name) {
                found.entries.push(Entry {
                    name,
                    size_bytes: file.metadata()?.len(),
                });
                found.paths.push(file.into_path());
            }
        }
        Ok(found)
    }
}

impl Entries for FolderEntries {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn open(&mut self, idx: usize) -> Result<Box<dyn Read>, ReadError> {
        let file = File::open(&self.paths[idx]).map_err(|source| ReadError::Io {
            name: self.entries[idx].name.clone(),
            source,
        })?;
        Ok(Box::new(Counted {
            file,
            read: Rc::clone(&self.read),
        }))
    }

    fn bytes_read(&self) -> u64 {
        self.read.get()
    }
}

struct Counted {
    file: File,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}
