//! `WeightsError`: why a checkpoint cannot be read or written. Its remedy is in `hint`.

use std::io;

use crate::file_kind::FileKind;
use crate::model::ModelError;
use crate::shown;

/// A name out of a file, fit to be shown.
pub(super) fn shown(name: &str) -> String {
    shown::beginning(&shown::name(name), 80)
}

/// Why a checkpoint cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a GGUF file.
    #[error("this is not a GGUF file: it is {found}")]
    NotGguf {
        /// The kind it seems to be.
        found: FileKind,
    },
    /// Neither safetensors nor PyTorch's.
    #[error("this file holds no weights that can be converted: it is {found}")]
    NotWeights {
        /// The kind it seems to be.
        found: FileKind,
    },
    /// A pickle names a function or class that weights do not need: loading it elsewhere could run a program.
    #[error("this PyTorch file names `{name}`, which weights do not need, so it is not opened")]
    ForbiddenGlobal {
        /// Module and name.
        name: String,
    },
    /// An entry of PyTorch's archive is compressed.
    #[error("`{name}` in this PyTorch file is compressed, which PyTorch itself never does")]
    Compressed {
        /// The entry's name.
        name: String,
    },
    /// PyTorch's archive has its tensors before their names.
    #[error("this PyTorch file holds its numbers before their names")]
    DataBeforeNames,
    /// A tensor is a view that turns the sign of its numbers.
    #[error("this PyTorch file holds a tensor as the negative of its numbers")]
    NegativeView,
    /// Several dictionaries of weights, none under a key that says that it is the model.
    #[error("this PyTorch file holds several models, and no key says which one is meant")]
    SeveralModels,
    /// Two tensors are views of the same numbers.
    #[error("the tensors `{name}` and `{other}` share numbers in this PyTorch file")]
    SharedNumbers {
        /// The first tensor's name.
        name: String,
        /// The second tensor's.
        other: String,
    },
    /// The stored progress of a conversion does not belong to it.
    #[error("the stored part of this download does not fit it: {what}")]
    BadJournal {
        /// The rule it breaks.
        what: &'static str,
    },
    /// The file is shorter than its header says.
    #[error("the model file ends at byte {got} of {expected}")]
    Truncated {
        /// Its length.
        got: u64,
        /// The length it needs at least.
        expected: u64,
    },
    /// Written for a big-endian machine.
    #[error("this model file is big-endian")]
    BigEndian,
    /// A version of GGUF that is not known here.
    #[error("this is GGUF version {version}, known are 1 to 3")]
    UnsupportedVersion {
        /// Its version.
        version: u32,
    },
    /// A model of another architecture.
    #[error("this is a model of the kind `{architecture}`, only gpt2 models run here")]
    UnsupportedModel {
        /// Its `general.architecture`.
        architecture: String,
    },
    /// The header contradicts itself or a limit.
    #[error("the model file is damaged near byte {offset}: {what}")]
    Malformed {
        /// Where.
        offset: u64,
        /// The rule it breaks.
        what: &'static str,
    },
    /// The safetensors header cannot be parsed.
    #[error("the safetensors header is damaged")]
    BadSafetensors {
        /// The parser's error.
        source: safetensors::SafeTensorError,
    },
    /// A metadata key is absent.
    #[error("the model file lacks `{key}`")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A metadata value has the wrong type.
    #[error("`{key}` in the model file is not {expected}")]
    WrongKeyType {
        /// The key.
        key: String,
        /// The right type.
        expected: &'static str,
    },
    /// A tensor is absent.
    #[error("the model file lacks the tensor `{name}`: it is incomplete, or not a GPT-2")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor stands in the files twice.
    #[error("the model files hold the tensor `{name}` twice")]
    RepeatedTensor {
        /// Its name.
        name: String,
    },
    /// An adapter without the model that it changes, or inside of it.
    #[error("this is an adapter (LoRA), or a model into which one is not merged")]
    Adapter,
    /// Weights in a form that another program has quantized.
    #[error("these weights are quantized by {by}, in a form that is not read here")]
    Quantized {
        /// The program.
        by: &'static str,
    },
    /// A linear map as PyTorch's own layers keep it.
    #[error(
        "tensor `{name}` is stored transposed, {got:?} instead of {expected:?}: so do programs like nanoGPT, whose files \
         are not those of GPT-2 in transformers"
    )]
    Transposed {
        /// Its name.
        name: String,
        /// The stored shape.
        got: Vec<u64>,
        /// The shape in Hugging Face's files.
        expected: Vec<u64>,
    },
    /// One of several files of a model.
    #[error("this is part {number} of the {count} that a GGUF was split into")]
    SplitGguf {
        /// Its number, from 1.
        number: u64,
        /// Number of parts.
        count: u64,
    },
    /// A tensor contradicts the configuration.
    #[error("tensor `{name}` has shape {got:?}, the configuration needs {expected:?}")]
    ShapeMismatch {
        /// Its name.
        name: String,
        /// The stored shape.
        got: Vec<u64>,
        /// The shape that the configuration needs.
        expected: Vec<u64>,
    },
    /// A tensor type that is not read here.
    #[error("tensor `{name}` has the type {dtype}, which is not supported")]
    UnsupportedType {
        /// Its name.
        name: String,
        /// GGML's, safetensors' or PyTorch's name of the type.
        dtype: String,
    },
    /// A value that 16-bit floats cannot hold.
    #[error("tensor `{name}` holds {value}, too large for 16-bit floats")]
    TooLargeForF16 {
        /// Its name.
        name: String,
        /// The value.
        value: f32,
    },
    /// Infinity or NaN among the weights.
    #[error("tensor `{name}` holds values that are not finite numbers ({source})")]
    NotFinite {
        /// Its name.
        name: String,
        /// The position of the value, in the packer's words.
        source: io::Error,
    },
    /// The machine or the browser gives no more memory.
    #[error("there is not enough memory for tensor `{name}`")]
    OutOfMemory {
        /// Its name.
        name: String,
    },
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ModelError),
    /// The tensor library refused the bytes of a tensor.
    #[error("tensor `{name}` cannot be converted")]
    Convert {
        /// Its name.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file cannot be read.
    #[error("the model file cannot be read ({source})")]
    Read {
        /// The system's error.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the model file cannot be written ({source})")]
    Write {
        /// The system's error.
        source: io::Error,
    },
}

impl WeightsError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotGguf { found } | Self::NotWeights { found } => found.hint(),
            Self::ForbiddenGlobal { .. } => "take a safetensors or GGUF file of the model",
            Self::Compressed { .. }
            | Self::DataBeforeNames
            | Self::NegativeView
            | Self::SharedNumbers { .. } => {
                "save the model again with transformers, as safetensors"
            }
            Self::SeveralModels => "save the one that is meant in a file of its own",
            Self::BadJournal { .. } => "start the download again",
            Self::Truncated { .. } => {
                "the file was cut short: get it again from where it came from"
            }
            Self::BigEndian => "take the usual little-endian file",
            Self::UnsupportedVersion { .. } | Self::MissingKey { .. } => {
                "convert the model again with a current llama.cpp"
            }
            Self::UnsupportedModel { .. } => "take a gpt2 model",
            Self::WrongKeyType { .. } => "convert the model again",
            Self::Malformed { .. } | Self::BadSafetensors { .. } | Self::Convert { .. } => {
                "get the file again from where it came from"
            }
            Self::MissingTensor { .. } => "take all files of one GPT-2 model",
            Self::RepeatedTensor { .. } => "take the files of one model",
            Self::Adapter => {
                "merge it into its base model first, with merge_and_unload of peft, and save the result"
            }
            Self::Quantized { .. } => {
                "take the model from before, in 16 or 32 bits, or one as GGUF"
            }
            Self::Transposed { .. } => {
                "transpose the weights of the attention and of the MLP (c_attn, c_proj, c_fc) and save them again"
            }
            Self::SplitGguf { .. } => {
                "join the parts with llama.cpp: llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf"
            }
            Self::ShapeMismatch { .. } => {
                "config and weights come from different models; take both from one repository"
            }
            Self::UnsupportedType { .. } => "take a Q8_0, Q4_0, Q4_K or Q6_K file",
            Self::TooLargeForF16 { .. } => "quantize the model to q8_0",
            Self::NotFinite { .. } => "download the file again, or train anew",
            Self::OutOfMemory { .. } => "close other programs or choose a smaller model",
            Self::Config(error) => error.hint(),
            Self::Read { .. } => "check that the file is still there, and try again",
            Self::Write { .. } => "check the free space, and try again",
        }
    }
}
