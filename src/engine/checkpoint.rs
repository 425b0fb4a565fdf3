//! `Checkpoint`: a model whose header, tokenizer and defaults are read, weights still to come.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use crate::generate::params::GenerationParams;
use crate::infer::TensorSource;
use crate::kernels::pack::PackedWeight;
use crate::model::config::Gpt2Config;
use crate::tokenizer::{Tokenizer, Vocabulary};
use crate::weights::WeightsError;
use crate::weights::dtype::StoredType;
use crate::weights::gguf::{Header, TensorInfo, Value};
use crate::weights::names::{self, TensorSpec};

use super::{EngineError, defaults};

/// Where a model file is read from.
pub trait ModelReader: Read + Seek {}
impl<T: Read + Seek> ModelReader for T {}

/// A model about to be loaded, from a file of any format.
pub struct Checkpoint {
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

impl Checkpoint {
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
    pub fn from_gguf(mut reader: Box<dyn ModelReader>) -> Result<Self, EngineError> {
        let mut header = Header::read(&mut reader)?;
        check_architecture(&header)?;
        let vocabulary = take_vocabulary(&mut header.metadata)?;
        let config = gguf_config(&header, vocabulary.tokens().len())?;
        let defaults = defaults::from_metadata(&header.metadata);
        let dtype = most_weights(&header);
        let tensors = GgufTensors {
            specs: names::tensors(&config)
                .into_iter()
                .map(|spec| (spec.name.clone(), spec))
                .collect(),
            tensors: header.tensors,
            reader,
        };
        Self::new(config, vocabulary, defaults, dtype, Box::new(tensors))
    }
}

fn check_architecture(header: &Header) -> Result<(), WeightsError> {
    match header.value("general.architecture")?.as_str() {
        Some("gpt2") => Ok(()),
        other => Err(WeightsError::UnsupportedModel {
            architecture: other.unwrap_or("unnamed").to_owned(),
        }),
    }
}

fn gguf_config(header: &Header, n_tokens: usize) -> Result<Gpt2Config, WeightsError> {
    const EPSILON: &str = "gpt2.attention.layer_norm_epsilon";
    let token = |key: &str| {
        u32::try_from(header.size(key)?).map_err(|_| WeightsError::WrongKeyType {
            key: key.to_owned(),
            expected: "a token id",
        })
    };
    // Rows of the embedding: some models round them up above the number of tokens.
    let rows = header
        .tensors
        .get("token_embd.weight")
        .and_then(|info| info.dims.get(1))
        .and_then(|rows| usize::try_from(*rows).ok());
    let eos_token_id = token("tokenizer.ggml.eos_token_id")?;
    let config = Gpt2Config {
        vocab_size: rows.unwrap_or(n_tokens),
        n_ctx: header.size("gpt2.context_length")?,
        n_embd: header.size("gpt2.embedding_length")?,
        n_layer: header.size("gpt2.block_count")?,
        n_head: header.size("gpt2.attention.head_count")?,
        n_inner: header.size("gpt2.feed_forward_length")?,
        layer_norm_epsilon: header.value(EPSILON)?.as_f64().ok_or_else(|| {
            WeightsError::WrongKeyType {
                key: EPSILON.to_owned(),
                expected: "a number",
            }
        })? as f32,
        bos_token_id: token("tokenizer.ggml.bos_token_id").unwrap_or(eos_token_id),
        eos_token_id,
    };
    Ok(config.validated()?)
}

/// The type that most weights are stored in, as in `q8_0`.
fn most_weights(header: &Header) -> String {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for info in header.tensors.values() {
        let n = info.dims.iter().fold(1u64, |n, dim| n.saturating_mul(*dim));
        let sum = counts.entry(info.type_id).or_default();
        *sum = sum.saturating_add(n);
    }
    counts
        .into_iter()
        .max_by_key(|(_, n)| *n)
        .and_then(|(id, _)| StoredType::from_gguf_id(id))
        .map_or_else(
            || "unknown".to_owned(),
            |dtype| dtype.name().to_ascii_lowercase(),
        )
}

/// The tensors of a GGUF file, each read when it is asked for.
struct GgufTensors {
    reader: Box<dyn ModelReader>,
    tensors: BTreeMap<String, TensorInfo>,
    /// By Hugging Face's name.
    specs: BTreeMap<String, TensorSpec>,
}

impl GgufTensors {
    /// What the configuration needs and what there is, of the same shape.
    fn find(&self, name: &str) -> Result<(TensorSpec, TensorInfo), WeightsError> {
        let missing = || WeightsError::MissingTensor {
            name: name.to_owned(),
        };
        let spec = self.specs.get(name).ok_or_else(missing)?.clone();
        let info = self
            .tensors
            .get(&spec.gguf_name)
            .ok_or_else(missing)?
            .clone();
        let expected: Vec<u64> = if spec.rows == 1 {
            vec![spec.cols as u64]
        } else {
            vec![spec.cols as u64, spec.rows as u64]
        };
        if info.dims != expected {
            return Err(WeightsError::ShapeMismatch {
                name: spec.gguf_name,
                got: info.dims,
                expected,
            });
        }
        Ok((spec, info))
    }

    fn stored(spec: &TensorSpec, info: &TensorInfo) -> Result<StoredType, WeightsError> {
        StoredType::from_gguf_id(info.type_id).ok_or_else(|| WeightsError::UnsupportedType {
            name: spec.gguf_name.clone(),
            dtype: info.type_id.to_string(),
        })
    }

    /// The numbers of a tensor, (rows, cols).
    fn numbers(&mut self, spec: &TensorSpec, info: &TensorInfo) -> Result<Vec<f32>, WeightsError> {
        let dtype = Self::stored(spec, info)?;
        let row_bytes = dtype
            .row_bytes(spec.cols)
            .ok_or_else(|| WeightsError::Malformed {
                offset: info.offset,
                what: "a row is not a whole number of quantization blocks",
            })?;
        self.seek(info)?;
        let mut row = vec![0; row_bytes];
        let mut numbers = Vec::with_capacity(spec.rows * spec.cols);
        for _ in 0..spec.rows {
            self.reader
                .read_exact(&mut row)
                .map_err(|source| WeightsError::Read { source })?;
            dtype
                .decode(&row, &mut numbers)
                .map_err(|source| WeightsError::Convert {
                    name: spec.gguf_name.clone(),
                    source,
                })?;
        }
        Ok(numbers)
    }

    fn seek(&mut self, info: &TensorInfo) -> Result<(), WeightsError> {
        self.reader
            .seek(SeekFrom::Start(info.offset))
            .map_err(|source| WeightsError::Read { source })?;
        Ok(())
    }
}

impl TensorSource for GgufTensors {
    type Error = WeightsError;

    fn matrix(&mut self, name: &str) -> Result<PackedWeight, WeightsError> {
        let (spec, info) = self.find(name)?;
        let stored = Self::stored(&spec, &info)?;
        let dtype = stored.weight_type();
        let read = |source| WeightsError::Read { source };
        if stored == StoredType::from(dtype) {
            self.seek(&info)?;
            return PackedWeight::read(dtype, spec.rows, spec.cols, &mut self.reader).map_err(read);
        }
        let numbers = self.numbers(&spec, &info)?;
        let mut bytes = Vec::new();
        StoredType::from(dtype)
            .encode(&numbers, &mut bytes)
            .map_err(|source| WeightsError::Convert {
                name: spec.gguf_name.clone(),
                source,
            })?;
        PackedWeight::read(dtype, spec.rows, spec.cols, &mut &bytes[..]).map_err(read)
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let (spec, info) = self.find(name)?;
        self.numbers(&spec, &info)
    }

    fn contains(&self, name: &str) -> bool {
        self.specs
            .get(name)
            .is_some_and(|spec| self.tensors.contains_key(&spec.gguf_name))
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
