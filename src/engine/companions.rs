//! `Companions`: the small files beside float weights, as bytes.

use crate::generate::params::GenerationParams;
use crate::tokenizer::Vocabulary;
use crate::weights::{Checkpoint, ReadSeek};

use super::{EngineError, ModelFile};

/// The small files beside float weights.
#[derive(Debug, Clone, Default)]
pub struct Companions {
    /// `config.json`.
    pub config: Vec<u8>,
    /// `generation_config.json`.
    pub generation_config: Option<Vec<u8>>,
    /// `tokenizer.json`.
    pub tokenizer: Option<Vec<u8>>,
    /// `vocab.json`.
    pub vocab: Option<Vec<u8>>,
    /// `merges.txt`.
    pub merges: Option<Vec<u8>>,
}

impl Companions {
    /// Takes the bytes of the file called `name`; files that no model is opened from are ignored.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        match name {
            "config.json" => self.config = bytes,
            "generation_config.json" => self.generation_config = Some(bytes),
            "tokenizer.json" => self.tokenizer = Some(bytes),
            "vocab.json" => self.vocab = Some(bytes),
            "merges.txt" => self.merges = Some(bytes),
            _ => {}
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

    /// The vocabulary of the tokenizer.
    ///
    /// # Errors
    /// [`EngineError::Tokenizer`]; [`EngineError::NoTokenizer`] if none of its forms is complete.
    pub fn vocabulary(&self) -> Result<Vocabulary, EngineError> {
        Ok(match (&self.tokenizer, &self.vocab, &self.merges) {
            (Some(json), ..) => Vocabulary::from_tokenizer_json(json)?,
            (None, Some(vocab), Some(merges)) => Vocabulary::from_vocab_and_merges(vocab, merges)?,
            _ => return Err(EngineError::NoTokenizer),
        })
    }

    /// The model of these files and of the files of its weights.
    ///
    /// # Errors
    /// [`EngineError`] if the files are damaged, incomplete or of different models.
    pub fn open(&self, weights: Vec<Box<dyn ReadSeek>>) -> Result<ModelFile, EngineError> {
        let (params, vocabulary) = (self.params()?, self.vocabulary()?);
        let checkpoint = Checkpoint::from_floats(&self.config, weights)?;
        ModelFile::from_checkpoint(checkpoint, vocabulary, params)
    }
}
