//! `FineTuneError`: why a training cannot begin or go on.

use crate::model::ModelError;
use crate::weights::WeightsError;

/// Why a training cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum FineTuneError {
    /// A figure that no training can have.
    #[error("{name} is {value}, which is out of range")]
    OutOfRange {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// The allowed values, in words.
        allowed: String,
    },
    /// Fewer tokens than one block has.
    #[error("the text has {got} tokens, fewer than the {block_len} of one block")]
    TooLittleText {
        /// Tokens of the text.
        got: usize,
        /// Tokens of a block.
        block_len: usize,
    },
    /// A token that the model does not have.
    #[error("the text has token {token_id}, and the model has {vocab_size} tokens")]
    TokenOutOfRange {
        /// The token.
        token_id: u32,
        /// V.
        vocab_size: usize,
    },
    /// The base model's weights cannot be read.
    #[error("the base model cannot be read: {0}")]
    Weights(#[from] WeightsError),
    /// The model refused an operation.
    #[error("the model cannot be computed: {0}")]
    Model(#[from] ModelError),
    /// The loss is no number any more.
    #[error("the loss of step {step} is not finite")]
    NotFinite {
        /// The step, from 1.
        step: u32,
    },
    /// A checkpoint that cannot be read.
    #[error("the checkpoint is damaged: {what}")]
    BadCheckpoint {
        /// What is wrong.
        what: &'static str,
    },
    /// A checkpoint of another training.
    #[error("the checkpoint is of another training: its {what} differs")]
    OtherTraining {
        /// What differs.
        what: &'static str,
    },
    /// A checkpoint or a model cannot be read or written.
    #[error("reading or writing failed: {0}")]
    Io(#[from] std::io::Error),
    /// There is no adapter.
    #[error("a full fine-tuning has no adapter")]
    NoAdapter,
}

impl FineTuneError {
    /// The remedy.
    pub fn hint(&self) -> String {
        match self {
            Self::OutOfRange { allowed, .. } => format!("it must be {allowed}"),
            Self::TooLittleText { got, .. } => {
                format!("add posts, or choose blocks of at most {got} tokens")
            }
            Self::TokenOutOfRange { .. } => {
                "tokenize the text with the model's own tokenizer".to_owned()
            }
            Self::Weights(_) => "take the model's files from its repository again".to_owned(),
            Self::Model(source) => source.hint().to_owned(),
            Self::NotFinite { .. } => "begin again with a lower learning rate".to_owned(),
            Self::BadCheckpoint { .. } => {
                "continue from an earlier checkpoint, or begin again".to_owned()
            }
            Self::OtherTraining { .. } => {
                "continue with the same model, text and figures, or begin again".to_owned()
            }
            Self::Io(_) => "check the free space, then try again".to_owned(),
            Self::NoAdapter => "write the whole model".to_owned(),
        }
    }
}
