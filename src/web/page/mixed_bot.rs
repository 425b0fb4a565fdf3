//! Bots mixed of two: LoRA adapters of one base model, computed beside it by shares that the visitor moves.

use gloo::file::File as Picked;
use js_sys::{Array, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File};

use super::base_models::BaseModel;
use super::bundled_file::bundled_file;
use super::context::Page;
use super::kept_bots;
use super::made_bot::{self, card_of};
use crate::bot::Bot;
use crate::bundled::BUNDLED_NAME;
use crate::hub::ModelRef;
use crate::state::model_choice::{BotShare, ModelChoice};
use crate::state::notice::Notice;
use crate::trainer::TrainedBot;

/// The files of an adapter, as the folder of a bot has them.
const FILES: [&str; 2] = [
    "adapter%2Fadapter_config.json",
    "adapter%2Fadapter_model.safetensors",
];

/// A trained bot that can be mixed with the one it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixable {
    /// The name of its folder.
    pub folder: String,
    /// Its handles.
    pub handles: String,
    /// The name of the base model of both, if it is not on this device.
    pub missing_base: Option<String>,
}

/// The bots whose adapters were trained on the same base model as that of `bot`.
pub async fn mixable(bot: &str) -> Vec<Mixable> {
    let Some(base) = made_bot::trained(bot).await.and_then(|own| base_of(&own)) else {
        return Vec::new();
    };
    // Nothing is fetched before the visitor asks for the mixture.
    let is_here = base.name == BUNDLED_NAME || base.file().await.is_some();
    let missing_base = (!is_here).then(|| base.name.clone());
    let mut found = Vec::new();
    for other in kept_bots::list().await {
        if other.name == bot || !other.is_trained {
            continue;
        }
        let trained = made_bot::trained(&other.name).await;
        let is_same = trained
            .and_then(|it| base_of(&it))
            .is_some_and(|other| other.sha256 == base.sha256);
        if is_same {
            found.push(Mixable {
                folder: other.name,
                handles: other.handles,
                missing_base: missing_base.clone(),
            });
        }
    }
    found
}

/// The base model of a bot with an adapter.
struct Base {
    name: String,
    size_bytes: u64,
    sha256: String,
}

impl Base {
    /// Its file, if it is on this device.
    async fn file(&self) -> Option<Blob> {
        match &*self.name {
            // A later version of the page may come with another one.
            BUNDLED_NAME => {
                let file = bundled_file().await.ok()?;
                self.is(&file).await.then_some(file)
            }
            name => {
                let models = BaseModel::list(None).await.into_iter();
                for model in models.filter(|model| model.base_name() == name) {
                    let Some(file) = model.file().await else {
                        continue;
                    };
                    let is_same = match model.sha256().await {
                        Some(sha256) => sha256 == self.sha256,
                        None => self.is(&file).await,
                    };
                    if is_same {
                        return Some(file);
                    }
                }
                None
            }
        }
    }

    /// Whether a file is this model.
    async fn is(&self, file: &Blob) -> bool {
        // Sizes are whole numbers below 2^53.
        file.size() == self.size_bytes as f64
            && sha256_of(file).await.as_ref() == Some(&self.sha256)
    }
}

/// SHA-256 in hexadecimal digits; `None` if the file cannot be read.
async fn sha256_of(file: &Blob) -> Option<String> {
    let bytes = JsFuture::from(file.array_buffer()).await.ok()?;
    let subtle = window().crypto().ok()?.subtle();
    let digest = subtle.digest_with_str_and_buffer_source("SHA-256", bytes.unchecked_ref());
    let digest = JsFuture::from(digest.ok()?).await.ok()?;
    let digest = Uint8Array::new(&digest).to_vec();
    Some(base16ct::lower::encode_string(&digest))
}

/// Whether a file is the base model of the bot in this folder.
pub async fn is_base_of(folder: &str, file: &Blob) -> bool {
    match made_bot::trained(folder)
        .await
        .and_then(|bot| base_of(&bot))
    {
        Some(base) => base.is(file).await,
        None => false,
    }
}

fn base_of(bot: &TrainedBot) -> Option<Base> {
    let has_adapter = bot
        .files
        .iter()
        .any(|(name, _)| name.starts_with("adapter/"));
    let mut artifacts = bot.record.artifacts.iter();
    let base = artifacts.find(|artifact| artifact.kind == "pretrained-model")?;
    let file = base.files.first()?;
    let name = bot.record.run.config.get("base")?.as_str()?.to_owned();
    has_adapter.then(|| Base {
        name,
        size_bytes: file.size_bytes,
        sha256: file.sha256.clone(),
    })
}

/// Opens the mixture of two bots, the first with so many percent, on their base model: `base`, or the one that is on this
/// device. Says on the page if something of it is not there.
pub async fn open(page: Page, folders: [String; 2], first_percent: u8, base: Option<File>) {
    let mut missing = Notice::NotHere;
    let opened = try_open(page, folders, first_percent, base, &mut missing).await;
    if opened.is_none() {
        page.change(|state| state.miss_made_bot(missing));
    }
}

async fn try_open(
    page: Page,
    folders: [String; 2],
    first_percent: u8,
    base: Option<File>,
    missing: &mut Notice,
) -> Option<()> {
    let mut cards = Vec::new();
    let mut adapters = Vec::new();
    for folder in &folders {
        cards.push(Bot::from_readme(
            &Bot::repo_here(folder),
            &card_of(folder).await?,
        )?);
        let mut files = Vec::new();
        for name in FILES {
            files.push(Picked::from(made_bot::file(folder, name).await?));
        }
        adapters.push((folder.clone(), files.try_into().ok()?));
    }
    let bot = Bot::mixed(&cards[0], &cards[1])?;
    let file = match base {
        Some(file) => file,
        None => {
            let base = base_of(&made_bot::trained(&folders[0]).await?)?;
            *missing = Notice::NoBase;
            let blob = base.file().await?;
            File::new_with_blob_sequence(&Array::of1(&blob), &format!("{}.gguf", base.name)).ok()?
        }
    };
    let file = Picked::from(file);
    let choice = ModelChoice {
        shares: BotShare::pair(folders, first_percent),
        name: format!("{}, mixed of two", file.name()),
        ..ModelChoice::new(ModelRef::of_files(
            Some(bot.repo.clone()),
            vec![file.name()],
        ))
        .with_size(file.size())
        .of_bot(&bot.repo)
    };
    page.take_adapters(adapters);
    page.open_made_bot(bot, choice, file);
    Some(())
}
