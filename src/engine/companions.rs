//! `Companions`: the small files beside float weights, as bytes.

use serde_json::Value;

use crate::generate::model_defaults::ModelDefaults;
use crate::hub::ADAPTER_CONFIG;
use crate::json;
use crate::model::config::Gpt2Config;
use crate::model::token_ids::TokenIds;
use crate::notice::Notice;
use crate::tokenizer::{Tokenizer, TokenizerFiles};
use crate::weights::{Checkpoint, ReadSeek};

use super::{EngineError, ModelFile, special_tokens};

/// Most tokens of a list in a configuration; each needs a search of its own.
const MAX_END_TOKENS: usize = 64;

/// The small files beside float weights.
#[derive(Debug, Clone, Default)]
pub struct Companions {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `generation_config.json`.
    pub generation_config: Option<Vec<u8>>,
    /// Whether an adapter lies beside the model: its `adapter_config.json` is there.
    pub has_adapter: bool,
    /// The files of the tokenizer.
    pub tokenizer: TokenizerFiles,
}

impl Companions {
    /// Takes the bytes of the file called `name`; files that no model is opened from are ignored.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        match name {
            "config.json" => self.config = bytes,
            ADAPTER_CONFIG => self.has_adapter = true,
            "generation_config.json" => self.generation_config = Some(bytes),
            name => {
                self.tokenizer.insert(name, bytes);
            }
        }
    }

    /// The generation parameters of the model, with what is passed over.
    ///
    /// # Errors
    /// [`EngineError::Generate`].
    pub fn defaults(&self) -> Result<ModelDefaults, EngineError> {
        let generation_config = self.generation_config.as_deref();
        Ok(ModelDefaults::of_files(&self.config, generation_config)?)
    }

    /// Sets the tokens that begin and end a text in `config`, and tells what of the files is passed over.
    pub fn set_special_tokens(
        &self,
        config: &mut Gpt2Config,
        tokenizer: &Tokenizer,
    ) -> Vec<Notice> {
        let files = (&self.config[..], self.generation_config.as_deref());
        let eos_token = self.tokenizer.eos_token();
        let mut notices = special_tokens::of_folder(config, files, tokenizer, eos_token.as_deref());
        if self.has_adapter {
            notices.push(Notice::new(
                ADAPTER_CONFIG,
                "the adapter (LoRA) beside the model is passed over, so the texts are the base model's; merge it first, \
                 with merge_and_unload of peft",
            ));
        }
        notices
    }

    /// The tokenizer of the model. The tokens that the configurations open and end texts with are special.
    ///
    /// # Errors
    /// [`EngineError::Tokenizer`].
    pub fn tokenizer(&self) -> Result<Tokenizer, EngineError> {
        // A damaged configuration is refused by its own reader.
        let read = |file: &Vec<u8>| json::from_slice(file).unwrap_or_default();
        let config: Value = read(&self.config);
        let class = config["tokenizer_class"].as_str();
        let mut tokenizer = self.tokenizer.read_as(class)?;
        let generation_config = self.generation_config.as_ref().map(read);
        for file in [Some(&config), generation_config.as_ref()]
            .into_iter()
            .flatten()
        {
            for key in ["bos_token_id", "eos_token_id"] {
                let ids = TokenIds::of(&file[key]).ids;
                tokenizer.add_special_ids(ids.into_iter().take(MAX_END_TOKENS))?;
            }
        }
        Ok(tokenizer)
    }

    /// Opens the model that consists of these files and of the files of its weights.
    ///
    /// # Errors
    /// [`EngineError`] if the files are damaged, incomplete or of different models.
    pub fn open(&self, weights: Vec<Box<dyn ReadSeek>>) -> Result<ModelFile, EngineError> {
        let (defaults, tokenizer) = (self.defaults()?, self.tokenizer()?);
        let checkpoint = Checkpoint::from_floats(&self.config, weights)?;
        let mut config = checkpoint.config().clone();
        let notices = self.set_special_tokens(&mut config, &tokenizer);
        let mut file = ModelFile::from_checkpoint(checkpoint, config, tokenizer, defaults.params)?;
        file.notices.extend([notices, defaults.notices].concat());
        Ok(file)
    }
}
