//! `BaseModel`: an opened model whose training is continued: its weights stay where they are, its tokenizer is read.

use crate::model::config::Gpt2Config;
use crate::notice::Notice;
use crate::tokenizer::Tokenizer;
use crate::weights::{Checkpoint, ReadSeek};

use super::{Companions, EngineError, special_tokens, tokenizer_metadata};

/// A model to begin a training with.
pub struct BaseModel {
    /// Its weights.
    pub checkpoint: Checkpoint,
    /// Its shape, with the special tokens of its files.
    pub config: Gpt2Config,
    /// Its tokenizer, no larger than its vocabulary.
    pub tokenizer: Tokenizer,
    /// What there is to know about the files.
    pub notices: Vec<Notice>,
}

impl BaseModel {
    /// Opens a GGUF file.
    ///
    /// # Errors
    /// [`EngineError`] if the file is not a GGUF of a GPT-2, is damaged or incomplete.
    pub fn from_gguf(reader: Box<dyn ReadSeek>) -> Result<Self, EngineError> {
        let mut checkpoint = Checkpoint::from_gguf(reader)?;
        let tokenizer = tokenizer_metadata::take(checkpoint.metadata_mut())?.read()?;
        let mut config = checkpoint.config().clone();
        let notices = special_tokens::of_gguf(&mut config, checkpoint.metadata(), &tokenizer);
        Self::new(checkpoint, config, tokenizer, notices)
    }

    /// Opens a model of float weights with the files beside them.
    ///
    /// # Errors
    /// [`EngineError`] if the files are damaged, incomplete or of different models.
    pub fn from_floats(
        companions: &Companions,
        weights: Vec<Box<dyn ReadSeek>>,
    ) -> Result<Self, EngineError> {
        let tokenizer = companions.tokenizer()?;
        let checkpoint = Checkpoint::from_floats(&companions.config, weights)?;
        let mut config = checkpoint.config().clone();
        let notices = companions.set_special_tokens(&mut config, &tokenizer);
        Self::new(checkpoint, config, tokenizer, notices)
    }

    fn new(
        checkpoint: Checkpoint,
        config: Gpt2Config,
        mut tokenizer: Tokenizer,
        mut notices: Vec<Notice>,
    ) -> Result<Self, EngineError> {
        tokenizer.fit_to(config.vocab_size)?;
        tokenizer.add_special_ids(config.special_ids())?;
        notices.extend_from_slice(checkpoint.notices());
        notices.extend_from_slice(tokenizer.notices());
        Ok(Self {
            checkpoint,
            config,
            tokenizer,
            notices,
        })
    }
}
