//! `Companions`: the small files beside float weights, as bytes.

use crate::generate::params::GenerationParams;
use crate::tokenizer::TokenizerFiles;
use crate::weights::{Checkpoint, ReadSeek};

use super::{EngineError, ModelFile};

/// The small files beside float weights.
#[derive(Debug, Clone, Default)]
pub struct Companions {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `generation_config.json`.
    pub generation_config: Option<Vec<u8>>,
    /// The files of the tokenizer.
    pub tokenizer: TokenizerFiles,
}

impl Companions {
    /// Takes the bytes of the file called `name`; files that no model is opened from are ignored.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        match name {
            "config.json" => self.config = bytes,
            "generation_config.json" => self.generation_config = Some(bytes),
            name => {
                self.tokenizer.insert(name, bytes);
            }
        }
    }

    /// The generation parameters of the model.
    ///
    /// # Errors
    /// [`EngineError::Generate`].
    pub fn params(&self) -> Result<GenerationParams, EngineError> {
        let generation_config = self.generation_config.as_deref();
        Ok(GenerationParams::from_hugging_face(
            &self.config,
            generation_config,
        )?)
    }

    /// Opens the model that consists of these files and of the files of its weights.
    ///
    /// # Errors
    /// [`EngineError`] if the files are damaged, incomplete or of different models.
    pub fn open(&self, weights: Vec<Box<dyn ReadSeek>>) -> Result<ModelFile, EngineError> {
        let (params, tokenizer) = (self.params()?, self.tokenizer.read()?);
        let checkpoint = Checkpoint::from_floats(&self.config, weights)?;
        ModelFile::from_checkpoint(checkpoint, tokenizer, params)
    }
}
