//! `WeightsError`: why a checkpoint cannot be read or written.

use crate::model::ModelError;

/// A name out of a file, fit to be shown.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// What a file that is no checkpoint seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A web page: the address led to one, often an error page.
    Html,
    /// Git LFS's pointer to a file.
    LfsPointer,
    /// A zip archive, such as PyTorch's `.bin`.
    Zip,
    /// PyTorch's format from before 1.6, or any other pickle.
    Pickle,
    /// A tar archive, such as PyTorch's first format.
    Tar,
    /// JSON text.
    Json,
    /// safetensors.
    Safetensors,
    /// GGUF.
    Gguf,
    /// GGML's older format.
    OldGgml,
    /// No bytes at all.
    Empty,
    /// None of these.
    Unknown,
}

impl FileKind {
    /// A guess from the first bytes of a file.
    pub fn of(head: &[u8]) -> Self {
        let text = head.trim_ascii_start();
        let starts = |prefix: &str| {
            text.len() >= prefix.len()
                && text[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
        };
        if head.is_empty() {
            Self::Empty
        } else if head.len() > 8 && head[8] == b'{' && head[4..8] == [0; 4] {
            // Before all whose first bytes could also be its length.
            Self::Safetensors
        } else if starts("<!doctype") || starts("<html") || starts("<head") || starts("<?xml") {
            Self::Html
        } else if starts("version https://git-lfs") {
            Self::LfsPointer
        } else if head.starts_with(b"GGUF") {
            Self::Gguf
        } else if head.starts_with(b"PK\x03\x04") {
            Self::Zip
        } else if head.first() == Some(&0x80) && head.get(1).is_some_and(|v| (2..=5).contains(v)) {
            Self::Pickle
        } else if head.get(257..262) == Some(b"ustar") {
            Self::Tar
        } else if [b"ggml", b"lmgg", b"fmgg", b"tjgg"]
            .iter()
            .any(|magic| head.starts_with(*magic))
        {
            Self::OldGgml
        } else if text.first().is_some_and(|b| *b == b'{' || *b == b'[') {
            Self::Json
        } else {
            Self::Unknown
        }
    }
}

impl std::fmt::Display for FileKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Html => "a web page; check the address, the server may have answered with an error page",
            Self::LfsPointer => {
                "a Git LFS pointer, not the file it points to; run `git lfs pull` or download it from the Hub"
            }
            Self::Zip => {
                "a zip archive such as PyTorch's .bin, which needs its config.json; choose the folder, or convert it with `quantize`"
            }
            Self::Pickle | Self::Tar => {
                "in PyTorch's format from before version 1.6; open it with transformers and save it as safetensors"
            }
            Self::Json => "JSON text; take the GGUF or safetensors file beside it",
            Self::Safetensors => {
                "safetensors, which needs its config.json; choose the folder, or convert it with `quantize`"
            }
            Self::Gguf => "GGUF; open it as that",
            Self::OldGgml => "a GGML file from before GGUF; convert it again with a current llama.cpp",
            Self::Empty => "empty; download it again",
            Self::Unknown => "of an unknown kind; choose a .gguf file or a model folder",
        })
    }
}

/// Why a checkpoint cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a GGUF at all.
    #[error("this is not a GGUF file: it is {found}")]
    NotGguf {
        /// What it seems to be.
        found: FileKind,
    },
    /// Not a safetensors file.
    #[error("this is not a safetensors file: it is {found}")]
    NotSafetensors {
        /// What it seems to be.
        found: FileKind,
    },
    /// Not a file of PyTorch's.
    #[error("this is not a PyTorch file: it is {found}")]
    NotPytorch {
        /// What it seems to be.
        found: FileKind,
    },
    /// A pickle names a function or class that weights do not need: loading it elsewhere could run a program.
    #[error(
        "this PyTorch file names `{name}`, which no weights need, so it is not opened; take a safetensors or GGUF file of the model"
    )]
    ForbiddenGlobal {
        /// Module and name.
        name: String,
    },
    /// An entry of PyTorch's archive is compressed.
    #[error(
        "`{name}` in this PyTorch file is compressed, which PyTorch itself never does; save the model again with transformers, as safetensors"
    )]
    Compressed {
        /// The entry's name.
        name: String,
    },
    /// PyTorch's archive has its tensors before their names.
    #[error(
        "this PyTorch file holds its numbers before their names and cannot be read as it arrives; save the model again with transformers, as safetensors"
    )]
    DataBeforeNames,
    /// A tensor's numbers do not follow each other in PyTorch's file.
    #[error(
        "the numbers of tensor `{name}` do not follow each other in this PyTorch file; save the model again with transformers, as safetensors"
    )]
    NotContiguous {
        /// Its name.
        name: String,
    },
    /// Two tensors are views of the same numbers.
    #[error(
        "the tensors `{name}` and `{other}` share numbers in this PyTorch file; save the model again with transformers, as safetensors"
    )]
    SharedNumbers {
        /// Its name.
        name: String,
        /// The other's.
        other: String,
    },
    /// Neither safetensors nor PyTorch's.
    #[error("these are no weights that can be converted: it is {found}")]
    NotWeights {
        /// What it seems to be.
        found: FileKind,
    },
    /// What was kept of a conversion cannot be gone on with.
    #[error("what is kept of this download does not fit it: {what}; start the download again")]
    BadJournal {
        /// The rule it breaks.
        what: &'static str,
    },
    /// The file is shorter than its header says.
    #[error(
        "the model file ends at byte {got} of {expected}; the download was cut short, press retry"
    )]
    Truncated {
        /// Its length.
        got: u64,
        /// The length it needs at least.
        expected: u64,
    },
    /// Written for a big-endian machine.
    #[error("this model file is big-endian; take the usual little-endian one")]
    BigEndian,
    /// A version of GGUF that is not known here.
    #[error(
        "this is GGUF version {version}, known are 1 to 3; convert the model with a current llama.cpp"
    )]
    UnsupportedVersion {
        /// Its version.
        version: u32,
    },
    /// A model of another kind.
    #[error("this is a model of the kind `{architecture}`; only gpt2 models run here")]
    UnsupportedModel {
        /// What its file says it is.
        architecture: String,
    },
    /// The header contradicts itself or a limit.
    #[error("the model file is damaged near byte {offset}: {what}; download it again")]
    Malformed {
        /// Where.
        offset: u64,
        /// The rule it breaks.
        what: &'static str,
    },
    /// The safetensors header cannot be parsed.
    #[error("the safetensors header is damaged; download the file again")]
    BadSafetensors {
        /// What the parser met.
        source: safetensors::SafeTensorError,
    },
    /// A metadata key is absent.
    #[error("the model file lacks `{key}`; convert the model again with a current llama.cpp")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A metadata key holds something else than it should.
    #[error("`{key}` in the model file is not {expected}; convert the model again")]
    WrongKeyType {
        /// The key.
        key: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A tensor is absent.
    #[error("the model file lacks the tensor `{name}`; it is incomplete, or not a GPT-2")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor stands in the files twice.
    #[error("the model files hold the tensor `{name}` twice; take those of one model")]
    RepeatedTensor {
        /// Its name.
        name: String,
    },
    /// A tensor contradicts the configuration.
    #[error(
        "tensor `{name}` has shape {got:?}, the configuration needs {expected:?}; config and weights come from different models"
    )]
    ShapeMismatch {
        /// Its name.
        name: String,
        /// As stored.
        got: Vec<u64>,
        /// As needed.
        expected: Vec<u64>,
    },
    /// A tensor type that nothing here reads.
    #[error(
        "tensor `{name}` has the type {dtype}, which is not supported; take a Q8_0, Q4_0, Q4_K or Q6_K file"
    )]
    UnsupportedType {
        /// Its name.
        name: String,
        /// GGML's number or safetensors' name of the type.
        dtype: String,
    },
    /// A value that 16-bit floats cannot hold.
    #[error(
        "tensor `{name}` holds {value}, too large for 16-bit floats; quantize the model to q8_0"
    )]
    TooLargeForF16 {
        /// Its name.
        name: String,
        /// The value.
        value: f32,
    },
    /// Infinity or not a number among the weights.
    #[error(
        "tensor `{name}` holds values that are no numbers ({source}); download the file again, or train anew"
    )]
    NotFinite {
        /// Its name.
        name: String,
        /// Where, as the packing says it.
        source: std::io::Error,
    },
    /// The machine or the browser gives no more memory.
    #[error(
        "there is not enough memory for tensor `{name}`; close other pages or choose a smaller model"
    )]
    OutOfMemory {
        /// Its name.
        name: String,
    },
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ModelError),
    /// The tensor library refused the bytes of a tensor.
    #[error("tensor `{name}` cannot be converted; the file is damaged, download it again")]
    Convert {
        /// Its name.
        name: String,
        /// candle's error.
        source: candle_core::Error,
    },
    /// The file cannot be read.
    #[error(
        "the model file cannot be read ({source}); check that it is still there and press retry"
    )]
    Read {
        /// The system's error.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("the model file cannot be written ({source}); check the free space and the folder")]
    Write {
        /// The system's error.
        source: std::io::Error,
    },
}
