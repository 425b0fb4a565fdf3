//! `BaseModel`: a model on this device that a bot can be trained from or computed on: one of the Hub that is stored here,
//! or a bot that was trained here.

use web_sys::Blob;

use super::{kept_bots, made_bot};
use crate::web::shared::model_storage::ModelStorage;

/// A model on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseModel {
    /// A name to show, which the record and the card have too.
    pub name: String,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A key of [`ModelStorage`].
    Stored(String),
    /// The folder of a bot.
    Bot(String),
}

impl BaseModel {
    /// All that are complete, but for the bot in the folder `open`, which is about to be replaced.
    pub async fn list(open: Option<&str>) -> Vec<Self> {
        let stored = match ModelStorage::open().await {
            Ok(Some(storage)) => storage.list().await,
            _ => Vec::new(),
        };
        let stored = stored.into_iter().filter(|it| it.record.is_complete());
        let stored = stored.map(|it| Self {
            name: it.record.name,
            place: Place::Stored(it.key),
        });
        let bots = kept_bots::list().await.into_iter();
        let bots = bots.filter(|bot| bot.is_trained && Some(bot.name.as_str()) != open);
        let bots = bots.map(|bot| Self {
            name: format!("@{}", bot.handles),
            place: Place::Bot(bot.name),
        });
        stored.chain(bots).collect()
    }

    /// Its name in the record of a training.
    pub fn base_name(&self) -> &str {
        self.name.trim_end_matches(".gguf")
    }

    /// The first of `models` with this name in records whose file is as wanted, and its file.
    pub async fn find(
        models: Vec<Self>,
        name: &str,
        is_wanted: impl Fn(&Blob) -> bool,
    ) -> Option<(Self, Blob)> {
        for model in models.into_iter().filter(|it| it.base_name() == name) {
            if let Some(file) = model.file().await.filter(&is_wanted) {
                return Some((model, file));
            }
        }
        None
    }

    /// Its file; `None` if it was deleted meanwhile.
    pub async fn file(&self) -> Option<Blob> {
        match &self.place {
            Place::Stored(key) => {
                let storage = ModelStorage::open().await.ok()??;
                storage.blob(key).await.ok()?
            }
            Place::Bot(folder) => {
                let trained = made_bot::trained(folder).await?;
                made_bot::file(folder, &trained.gguf).await.map(Blob::from)
            }
        }
    }
}
