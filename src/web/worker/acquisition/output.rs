//! `Output`: where a model is written while it arrives: on the device with its record, or in this tab.

use std::io;

use crate::engine::WriteAt;
use crate::store::KeptModel;
use crate::web::shared::js_error::WebError;
use crate::web::shared::model_news::{HowFar, ModelNews};
use crate::web::shared::model_storage::{ModelStorage, ModelWriter};
use crate::web::worker::memory_file::MemoryFile;

/// Where a model is written.
pub(super) enum Output {
    /// On the device, with its record; tabs that wait for it hear how far it is.
    Stored {
        writer: ModelWriter,
        news: Option<ModelNews>,
    },
    /// In this tab.
    Memory(MemoryFile),
}

impl Output {
    /// Ready to be written, what it holds being kept.
    pub(super) async fn open(storage: Option<(&ModelStorage, &str)>) -> Result<Self, WebError> {
        Ok(match storage {
            Some((storage, key)) => Self::Stored {
                writer: storage.write(key).await?,
                news: ModelNews::tell_of(key),
            },
            None => Self::Memory(MemoryFile::default()),
        })
    }

    /// Tells other tabs how far the model is.
    pub(super) fn tell(&self, how_far: HowFar) {
        if let Self::Stored {
            news: Some(news), ..
        } = self
        {
            news.tell(how_far);
        }
    }

    /// Waits until everything has reached the device.
    pub(super) async fn flush(&mut self) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.flush().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Waits until what has not reached the device yet fits the memory.
    pub(super) async fn settle(&mut self) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.settle().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Remembers how far the model is, once that has reached the device.
    pub(super) async fn note(&mut self, kept: &KeptModel) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.note(kept).await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Begins again with `kept` for its record.
    pub(super) async fn empty(&mut self, kept: &KeptModel) -> Result<(), WebError> {
        match self {
            Self::Stored { writer, .. } => writer.empty(kept).await,
            Self::Memory(_) => Ok(()),
        }
    }
}

impl WriteAt for Output {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stored { writer, .. } => writer.write_at(offset, bytes),
            Self::Memory(file) => file.write_at(offset, bytes),
        }
    }
}
