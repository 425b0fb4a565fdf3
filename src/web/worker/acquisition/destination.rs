//! `Destination`: where a model is written while it arrives: on the device with its record, or in this tab.

use std::io;

use crate::engine::WriteAt;
use crate::store::ArtifactRecord;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_news::{ModelNews, Progress};
use crate::web::shared::model_storage::{ModelStorage, ModelWriter};
use crate::web::worker::memory_file::MemoryFile;

/// Takes the bytes of a model.
pub(super) enum Destination {
    /// Storage on the device, with the model's record; the progress goes to the tabs that wait for the model.
    Stored {
        writer: ModelWriter,
        news: Option<ModelNews>,
    },
    /// Memory of this tab.
    Memory(MemoryFile),
}

impl Destination {
    /// Opens a destination in `storage` under a key, where earlier bytes stay; without a storage, in memory.
    pub(super) async fn open(storage: Option<(&ModelStorage, &str)>) -> Result<Self, WebError> {
        Ok(match storage {
            Some((storage, key)) => Self::Stored {
                writer: storage.write(key).await?,
                news: ModelNews::sender(key),
            },
            None => Self::Memory(MemoryFile::default()),
        })
    }

    /// Sends the progress to other tabs.
    pub(super) fn send(&self, progress: Progress) {
        if let Self::Stored {
            news: Some(news), ..
        } = self
        {
            news.send(progress);
        }
    }

    /// Waits until everything has reached the device.
    pub(super) async fn flush(&mut self) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.flush().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Waits while too many bytes are on their way to the device.
    pub(super) async fn settle(&mut self) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.settle().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Writes the record after all bytes have reached the device.
    pub(super) async fn commit(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.commit(record).await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Deletes all bytes and writes `record`, which describes no bytes.
    pub(super) async fn restart(&mut self, record: &ArtifactRecord) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.restart(record).await,
            Self::Memory(_) => Ok(()),
        }
    }
}

impl WriteAt for Destination {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stored { writer, .. } => writer.write_at(offset, bytes),
            Self::Memory(file) => file.write_at(offset, bytes),
        }
    }
}
