//! `BaseModel`: a model on this device that a bot can be trained from or computed on: one of the Hub that is stored here,
//! or a bot that was trained here.

use std::collections::BTreeMap;

use web_sys::Blob;

use super::{kept_bots, made_bot};
use crate::web::shared::model_storage::ModelStorage;

/// A model on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseModel {
    /// Its name, which the record and the card have too.
    pub name: String,
    /// The name, with a number from the second model of that name on.
    pub label: String,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A key of [`ModelStorage`], and the model's SHA-256 where it was computed.
    Stored(String, Option<String>),
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
        let stored = stored.map(|it| {
            let sha256 = it.record.parts.into_iter().find_map(|part| part.sha256);
            (it.record.name, Place::Stored(it.key, sha256))
        });
        let bots = kept_bots::list().await.into_iter();
        let bots = bots.filter(|bot| bot.is_trained && Some(bot.name.as_str()) != open);
        let bots = bots.map(|bot| (format!("@{}", bot.handles), Place::Bot(bot.name)));
        let mut n_of_name = BTreeMap::<String, usize>::new();
        let models = stored.chain(bots).map(|(name, place)| {
            let n = n_of_name.entry(name.clone()).or_default();
            *n += 1;
            let label = match *n {
                1 => name.clone(),
                n => format!("{name} ({n})"),
            };
            Self { name, label, place }
        });
        models.collect()
    }

    /// Its name in the record of a training.
    pub fn base_name(&self) -> &str {
        self.name.trim_end_matches(".gguf")
    }

    /// SHA-256 of its file in hexadecimal digits, where storage has it.
    pub async fn sha256(&self) -> Option<String> {
        match &self.place {
            Place::Stored(_, sha256) => sha256.clone(),
            Place::Bot(folder) => {
                let trained = made_bot::trained(folder).await?;
                let mut files = trained.record.artifacts.iter().flat_map(|it| &it.files);
                let file = files.find(|file| file.name == trained.gguf)?;
                Some(file.sha256.clone())
            }
        }
    }

    /// Its file; `None` if it was deleted meanwhile.
    pub async fn file(&self) -> Option<Blob> {
        match &self.place {
            Place::Stored(key, _) => {
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
