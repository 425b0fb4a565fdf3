//! `Output`: where a model is written while it arrives: on the device with its record, or in this tab.

use std::io;

use crate::engine::WriteAt;
use crate::store::KeptModel;
use crate::web::js_error::WebError;
use crate::web::memory_file::MemoryFile;
use crate::web::model_storage::{ModelStorage, StorageFile};

/// Where a model is written.
pub(super) enum Output {
    /// On the device, with its record.
    Stored {
        file: StorageFile,
        record: StorageFile,
    },
    /// In this tab.
    Memory(MemoryFile),
}

impl Output {
    /// Ready to be written, what it holds being kept.
    pub(super) async fn open(storage: Option<(&ModelStorage, &str)>) -> Result<Self, WebError> {
        Ok(match storage {
            Some((storage, key)) => Self::Stored {
                file: storage.write(&format!("{key}.gguf")).await?,
                record: storage.write(&format!("{key}.json")).await?,
            },
            None => Self::Memory(MemoryFile::default()),
        })
    }

    /// Waits until everything has reached the device.
    pub(super) fn flush(&self) -> Result<(), WebError> {
        match self {
            Self::Stored { file, .. } => file.flush(),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Remembers how far the model is, once that has reached the device.
    pub(super) fn note(&self, kept: &KeptModel) -> Result<(), WebError> {
        match self {
            Self::Stored { file, record } => {
                file.flush()?;
                record.replace(kept.to_json().as_bytes())
            }
            Self::Memory(_) => Ok(()),
        }
    }

    /// Begins again with `kept` for its record.
    pub(super) fn empty(&self, kept: &KeptModel) -> Result<(), WebError> {
        match self {
            Self::Stored { file, record } => {
                record.replace(kept.to_json().as_bytes())?;
                file.truncate(0)
            }
            Self::Memory(_) => Ok(()),
        }
    }
}

impl WriteAt for Output {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stored { file, .. } => file.write_at(offset, bytes),
            Self::Memory(file) => file.write_at(offset, bytes),
        }
    }
}
