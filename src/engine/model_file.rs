//! `ModelFile`: an opened model file: configuration, tokenizer and defaults are read, its weights are not.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::generate::params::GenerationParams;
use crate::infer::{TensorPart, TensorSource};
use crate::kernels::pack::Packer;
use crate::model::config::Gpt2Config;
use crate::tokenizer::{Tokenizer, Vocabulary};
use crate::weights::gguf::Value;
use crate::weights::{Checkpoint, ReadSeek, WeightsError};

use super::{EngineError, defaults};

/// A model about to be loaded, from a file of any format.
pub struct ModelFile {
    /// The model's shape.
    pub config: Gpt2Config,
    /// Its tokenizer, no larger than its vocabulary.
    pub tokenizer: Tokenizer,
    /// The parameters it asks for, not checked.
    pub defaults: GenerationParams,
    /// Type of most weights in the file, as in `q8_0`.
    pub dtype: String,
    /// Where the weights come from.
    pub tensors: Box<dyn TensorSource<Error = WeightsError>>,
}

impl ModelFile {
    /// With a vocabulary that is checked against the configuration.
    ///
    /// # Errors
    /// [`EngineError::Tokenizer`] if the vocabulary is unusable or of another model.
    pub fn new(
        config: Gpt2Config,
        vocabulary: Vocabulary,
        defaults: GenerationParams,
        dtype: String,
        tensors: Box<dyn TensorSource<Error = WeightsError>>,
    ) -> Result<Self, EngineError> {
        let tokenizer = Tokenizer::new(vocabulary)?;
        tokenizer.check_vocab_size(config.vocab_size)?;
        Ok(Self {
            config,
            tokenizer,
            defaults,
            dtype,
            tensors,
        })
    }

    /// From a GGUF file.
    ///
    /// # Errors
    /// [`EngineError`] if it is no GGUF, no GPT-2, damaged or cut short.
    pub fn from_gguf(reader: Box<dyn ReadSeek>) -> Result<Self, EngineError> {
        let mut checkpoint = Checkpoint::from_gguf(reader)?;
        let vocabulary = take_vocabulary(checkpoint.metadata_mut())?;
        let defaults = defaults::from_metadata(checkpoint.metadata());
        Self::from_checkpoint(checkpoint, vocabulary, defaults)
    }

    /// From an open checkpoint and what stands beside it.
    ///
    /// # Errors
    /// As [`ModelFile::new`].
    pub fn from_checkpoint(
        checkpoint: Checkpoint,
        vocabulary: Vocabulary,
        defaults: GenerationParams,
    ) -> Result<Self, EngineError> {
        let config = checkpoint.config().clone();
        let dtype = checkpoint.main_type().name().to_ascii_lowercase();
        Self::new(config, vocabulary, defaults, dtype, Box::new(checkpoint))
    }
}

// Neither `weights` nor `infer` knows the other; they meet here.
impl TensorSource for Checkpoint {
    type Error = WeightsError;

    fn packer(&mut self, name: &str) -> Result<Packer, WeightsError> {
        Self::packer(self, name)
    }

    fn rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        packer: &mut Packer,
    ) -> Result<(), WeightsError> {
        Self::pack_rows(self, name, rows, packer)
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        Self::floats(self, name)
    }

    fn parts(&self) -> Vec<TensorPart> {
        let parts = self.parts_in_file_order().into_iter();
        parts
            .map(|(name, rows, bytes)| TensorPart { name, rows, bytes })
            .collect()
    }
}

/// The vocabulary in a GGUF's metadata; its lists are taken out, which saves a copy of 100,000 strings.
///
/// # Errors
/// [`EngineError::Weights`] if there is none or it is no byte-level BPE, else as [`Vocabulary::from_gguf`].
pub fn take_vocabulary(metadata: &mut BTreeMap<String, Value>) -> Result<Vocabulary, EngineError> {
    const MODEL: &str = "tokenizer.ggml.model";
    match metadata.get(MODEL).and_then(Value::as_str) {
        Some("gpt2") => {}
        Some(other) => {
            return Err(EngineError::Tokenizer(
                crate::tokenizer::TokenizerError::Unsupported {
                    part: "model",
                    got: other.to_owned(),
                },
            ));
        }
        None => return Err(missing(MODEL)),
    }
    let mut strings = |key: &str| match metadata.remove(key) {
        Some(Value::Strings(strings)) => Ok(strings),
        Some(_) => Err(EngineError::Weights(WeightsError::WrongKeyType {
            key: key.to_owned(),
            expected: "a list of strings",
        })),
        None => Err(missing(key)),
    };
    let tokens = strings("tokenizer.ggml.tokens")?;
    let merges = strings("tokenizer.ggml.merges")?;
    Ok(Vocabulary::from_gguf(tokens, &merges)?)
}

fn missing(key: &str) -> EngineError {
    EngineError::Weights(WeightsError::MissingKey {
        key: key.to_owned(),
    })
}
