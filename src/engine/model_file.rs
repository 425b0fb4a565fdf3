//! `ModelFile`: an opened model file: its configuration, tokenizer and defaults are read, its weights are not.

use std::ops::Range;

use crate::generate::params::GenerationParams;
use crate::infer::{TensorPart, TensorSource};
use crate::kernels::pack::Packer;
use crate::model::config::Gpt2Config;
use crate::notice::Notice;
use crate::tokenizer::Tokenizer;
use crate::weights::{Checkpoint, ReadSeek, WeightsError};

use super::{EngineError, defaults, special_tokens, tokenizer_metadata};

/// A model about to be loaded, from a file of any format.
pub struct ModelFile {
    /// The model's shape.
    pub config: Gpt2Config,
    /// Its tokenizer, no larger than its vocabulary.
    pub tokenizer: Tokenizer,
    /// The generation parameters that the files state.
    pub defaults: GenerationParams,
    /// What there is to know about the files.
    pub notices: Vec<Notice>,
    /// Type of most weights in the file, as in `q8_0`.
    pub dtype: String,
    /// Where the weights come from.
    pub tensors: Box<dyn TensorSource<Error = WeightsError>>,
}

impl ModelFile {
    /// Compiles the tokenizer's pattern, for which the first text of any model would wait otherwise; called while a
    /// model's bytes arrive.
    pub fn prepare() {
        Tokenizer::warm_up();
    }

    /// A model file whose tokenizer is checked against its configuration.
    ///
    /// # Errors
    /// [`EngineError::Tokenizer`] if the tokenizer is of another model.
    pub fn new(
        config: Gpt2Config,
        mut tokenizer: Tokenizer,
        defaults: GenerationParams,
        dtype: String,
        tensors: Box<dyn TensorSource<Error = WeightsError>>,
    ) -> Result<Self, EngineError> {
        tokenizer.fit_to(config.vocab_size)?;
        tokenizer.add_special_ids(config.special_ids())?;
        Ok(Self {
            config,
            notices: tokenizer.notices().to_vec(),
            tokenizer,
            defaults,
            dtype,
            tensors,
        })
    }

    /// Opens a GGUF file.
    ///
    /// # Errors
    /// [`EngineError`] if the file is not a GGUF of a GPT-2, is damaged or incomplete.
    pub fn from_gguf(reader: Box<dyn ReadSeek>) -> Result<Self, EngineError> {
        let mut checkpoint = Checkpoint::from_gguf(reader)?;
        let tokenizer = tokenizer_metadata::take(checkpoint.metadata_mut())?.read()?;
        let mut config = checkpoint.config().clone();
        let metadata = checkpoint.metadata();
        let read = defaults::from_metadata(metadata, config.vocab_size);
        let notices = [
            defaults::notices_of(metadata),
            special_tokens::of_gguf(&mut config, metadata, &tokenizer),
            read.notices,
        ];
        let mut file = Self::from_checkpoint(checkpoint, config, tokenizer, read.params)?;
        file.notices.extend(notices.concat());
        Ok(file)
    }

    /// A model file of an open checkpoint, with its configuration, whose special tokens are set, its tokenizer and its
    /// defaults.
    ///
    /// # Errors
    /// As [`ModelFile::new`].
    pub fn from_checkpoint(
        checkpoint: Checkpoint,
        config: Gpt2Config,
        tokenizer: Tokenizer,
        defaults: GenerationParams,
    ) -> Result<Self, EngineError> {
        let dtype = checkpoint.main_type().name().to_ascii_lowercase();
        let notices = checkpoint.notices().to_vec();
        let mut file = Self::new(config, tokenizer, defaults, dtype, Box::new(checkpoint))?;
        file.notices.splice(0..0, notices);
        Ok(file)
    }
}

// `weights` and `infer` do not name each other, so the engine connects them.
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
