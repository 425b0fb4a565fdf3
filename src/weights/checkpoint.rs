//! `Checkpoint`: a GPT-2 on disk in either format, its tensors given one by one as they are needed.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom};

use candle_core::{Device, Tensor};
use safetensors::Dtype;

use super::dtype::StoredType;
use super::error::WeightsError;
use super::names::{self, Role, TensorSpec};
use super::quantize::fitting;
use super::{gguf, safetensors as st};
use crate::kernels::pack::{PackedWeight, WeightType};
use crate::model::config::Gpt2Config;

/// A file, a blob, or bytes in memory.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// Numbers converted at a time: bounds what a conversion holds beside the packed result.
const CHUNK_VALUES: usize = 1 << 16;

/// A checkpoint whose header has been read and found complete: every tensor that the configuration
/// needs is there, in the right shape and a known type, inside the file.
pub struct Checkpoint {
    config: Gpt2Config,
    files: Vec<Box<dyn ReadSeek>>,
    tensors: BTreeMap<String, StoredTensor>,
    metadata: BTreeMap<String, gguf::Value>,
    float_target: Option<WeightType>,
}

/// Where a tensor lies and how.
#[derive(Debug, Clone)]
struct StoredTensor {
    spec: TensorSpec,
    dtype: StoredType,
    /// Index of the file.
    file: usize,
    /// First byte in it.
    offset: u64,
    /// Stored (cols, rows), as Hugging Face stores linear maps.
    is_transposed: bool,
}

impl StoredTensor {
    fn size_bytes(&self) -> u64 {
        let row = self
            .dtype
            .row_bytes(self.spec.cols)
            .expect("checked when opened");
        row as u64 * self.spec.rows as u64
    }
}

impl Checkpoint {
    /// Opens a GGUF file as llama.cpp writes GPT-2.
    ///
    /// # Errors
    /// As [`gguf::Header::read`]; [`WeightsError::UnsupportedModel`] for another architecture,
    /// [`WeightsError::MissingKey`], [`WeightsError::WrongKeyType`], [`WeightsError::Config`],
    /// [`WeightsError::MissingTensor`], [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`].
    pub fn from_gguf(mut reader: Box<dyn ReadSeek>) -> Result<Self, WeightsError> {
        let header = gguf::Header::read(&mut reader)?;
        let config = gguf_config(&header)?;
        let mut tensors = BTreeMap::new();
        for spec in names::tensors(&config) {
            let Some(info) = header.tensors.get(&spec.gguf_name) else {
                if spec.is_optional {
                    continue;
                }
                return Err(WeightsError::MissingTensor {
                    name: spec.gguf_name,
                });
            };
            let is_vector = spec.role == Role::Vector;
            let expected = match is_vector {
                true => vec![spec.cols as u64],
                false => vec![spec.cols as u64, spec.rows as u64],
            };
            // Some writers keep a trailing dimension of 1.
            let n_dims = info.dims.iter().rposition(|d| *d != 1).map_or(1, |i| i + 1);
            if info.dims[..n_dims.max(expected.len()).min(info.dims.len())] != expected {
                return Err(WeightsError::ShapeMismatch {
                    name: spec.gguf_name,
                    got: info.dims.clone(),
                    expected,
                });
            }
            let Some(dtype) = StoredType::from_gguf_id(info.type_id) else {
                return Err(WeightsError::UnsupportedType {
                    name: spec.gguf_name,
                    dtype: format!("number {}", info.type_id),
                });
            };
            let stored = StoredTensor {
                dtype,
                file: 0,
                offset: info.offset,
                is_transposed: false,
                spec,
            };
            tensors.insert(stored.spec.name.clone(), stored);
        }
        Ok(Self {
            config,
            files: vec![reader],
            tensors,
            metadata: header.metadata,
            float_target: None,
        })
    }

    /// Opens safetensors files (one, or all shards) with their `config.json`.
    ///
    /// Names may begin with `transformer.`; `attn.bias` and `attn.masked_bias` are PyTorch's mask and passed over.
    /// A separate `lm_head.weight` counts only if the configuration does not tie it to the embedding.
    ///
    /// # Errors
    /// As [`st::Header::read`]; [`WeightsError::Config`], [`WeightsError::MissingTensor`],
    /// [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`].
    pub fn from_safetensors(
        config_json: &[u8],
        mut files: Vec<Box<dyn ReadSeek>>,
    ) -> Result<Self, WeightsError> {
        let config = Gpt2Config::from_json(config_json)?;
        let is_head_tied = Gpt2Config::is_head_tied(config_json)?;
        let mut found = HashMap::new();
        for (file, reader) in files.iter_mut().enumerate() {
            let header = st::Header::read(reader)?;
            for (name, info, offset) in header.tensors() {
                let name = name
                    .strip_prefix("transformer.")
                    .unwrap_or(&name)
                    .to_owned();
                found.insert(name, (file, info.dtype, info.shape.clone(), offset));
            }
        }
        let mut tensors = BTreeMap::new();
        for spec in names::tensors(&config) {
            if spec.is_optional && is_head_tied {
                continue;
            }
            let Some((file, dtype, shape, offset)) = found.remove(&spec.name) else {
                return Err(WeightsError::MissingTensor { name: spec.name });
            };
            let expected = match spec.role {
                Role::Vector => vec![spec.cols],
                Role::Projection => vec![spec.cols, spec.rows],
                Role::Embedding | Role::Positions => vec![spec.rows, spec.cols],
            };
            if shape != expected {
                let widened = |shape: Vec<usize>| shape.into_iter().map(|d| d as u64).collect();
                return Err(WeightsError::ShapeMismatch {
                    name: spec.name,
                    got: widened(shape),
                    expected: widened(expected),
                });
            }
            let dtype = match dtype {
                Dtype::F32 => StoredType::F32,
                Dtype::F16 => StoredType::F16,
                Dtype::BF16 => StoredType::BF16,
                other => {
                    return Err(WeightsError::UnsupportedType {
                        name: spec.name,
                        dtype: other.to_string(),
                    });
                }
            };
            let stored = StoredTensor {
                dtype,
                file,
                offset,
                is_transposed: spec.role == Role::Projection,
                spec,
            };
            tensors.insert(stored.spec.name.clone(), stored);
        }
        Ok(Self {
            config,
            files,
            tensors,
            metadata: BTreeMap::new(),
            float_target: None,
        })
    }

    /// Quantizes float matrices to `dtype` as they are read; those already quantized stay as they are.
    #[must_use]
    pub fn quantizing_floats(mut self, dtype: WeightType) -> Self {
        self.float_target = Some(dtype);
        self
    }

    /// The model's shape.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// GGUF's metadata; empty for safetensors.
    pub fn metadata(&self) -> &BTreeMap<String, gguf::Value> {
        &self.metadata
    }

    /// The same, to move the long lists of the tokenizer out of it.
    pub fn metadata_mut(&mut self) -> &mut BTreeMap<String, gguf::Value> {
        &mut self.metadata
    }

    /// Type that most weights are stored in.
    pub fn main_type(&self) -> StoredType {
        let mut counts: HashMap<StoredType, usize> = HashMap::new();
        for stored in self.tensors.values() {
            *counts.entry(stored.dtype).or_default() += stored.spec.rows * stored.spec.cols;
        }
        let most = counts
            .into_iter()
            .max_by_key(|(dtype, n)| (*n, dtype.gguf_id()));
        most.map_or(StoredType::F32, |(dtype, _)| dtype)
    }

    /// The tensors there are, in the order of [`names::tensors`], with the types they are stored in.
    pub fn tensors(&self) -> Vec<(TensorSpec, StoredType)> {
        names::tensors(&self.config)
            .into_iter()
            .filter_map(|spec| {
                let dtype = self.tensors.get(&spec.name)?.dtype;
                Some((spec, dtype))
            })
            .collect()
    }

    /// Whether there is a tensor of that Hugging Face name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A matrix (rows, cols) packed for the kernels, linear maps as (out, in).
    ///
    /// A type the kernels do not know is converted while it is read, a few rows at a time.
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`], [`WeightsError::Read`], [`WeightsError::Convert`],
    /// [`WeightsError::TooLargeForF16`], [`WeightsError::NotFinite`], [`WeightsError::OutOfMemory`].
    pub fn matrix(&mut self, name: &str) -> Result<PackedWeight, WeightsError> {
        let (dtype, cols) = {
            let stored = self.stored(name)?;
            (stored.dtype, stored.spec.cols)
        };
        let target = match self.float_target {
            Some(target) if dtype.is_float() => fitting(target, cols),
            _ => dtype.weight_type(),
        };
        let mut bytes = self.bytes(name, StoredType::from(target))?;
        let rows = bytes.stored.spec.rows;
        let packed = PackedWeight::read(target, rows, cols, &mut bytes);
        match (packed, bytes.failure.take()) {
            (Ok(packed), _) => Ok(packed),
            (Err(_), Some(failure)) => Err(failure),
            (Err(source), None) => Err(match source.kind() {
                io::ErrorKind::InvalidData => WeightsError::NotFinite {
                    name: name.to_owned(),
                    source,
                },
                io::ErrorKind::OutOfMemory => WeightsError::OutOfMemory {
                    name: name.to_owned(),
                },
                _ => WeightsError::Read { source },
            }),
        }
    }

    /// Any tensor as floats, row after row, linear maps as (out, in).
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`], [`WeightsError::Read`], [`WeightsError::Convert`],
    /// [`WeightsError::NotFinite`], [`WeightsError::OutOfMemory`].
    pub fn floats(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let mut rows = self.rows(name)?;
        let (n_rows, cols) = (rows.stored.spec.rows, rows.stored.spec.cols);
        let mut values = Vec::new();
        values
            .try_reserve_exact(n_rows * cols)
            .map_err(|_| WeightsError::OutOfMemory {
                name: name.to_owned(),
            })?;
        while rows.next_chunk(&mut values)? > 0 {}
        if values.iter().any(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite {
                name: name.to_owned(),
                source: io::ErrorKind::InvalidData.into(),
            });
        }
        Ok(values)
    }

    /// All tensors for the candle tier, F32, named and laid out as Hugging Face does: linear maps (in, out).
    ///
    /// # Errors
    /// As [`Self::floats`].
    pub fn candle_tensors(&mut self) -> Result<HashMap<String, Tensor>, WeightsError> {
        let mut tensors = HashMap::new();
        for (spec, _) in self.tensors() {
            let values = self.floats(&spec.name)?;
            let convert = |source| WeightsError::Convert {
                name: spec.name.clone(),
                source,
            };
            let tensor = match spec.role {
                Role::Vector => Tensor::from_vec(values, spec.cols, &Device::Cpu),
                Role::Embedding | Role::Positions => {
                    Tensor::from_vec(values, (spec.rows, spec.cols), &Device::Cpu)
                }
                Role::Projection => Tensor::from_vec(values, (spec.rows, spec.cols), &Device::Cpu)
                    .and_then(|tensor| tensor.t()?.contiguous()),
            };
            tensors.insert(spec.name.clone(), tensor.map_err(convert)?);
        }
        Ok(tensors)
    }

    /// The bytes of a tensor as GGUF would store it in `target`.
    pub(super) fn bytes(
        &mut self,
        name: &str,
        target: StoredType,
    ) -> Result<TensorBytes<'_>, WeightsError> {
        let rows = self.rows(name)?;
        let is_stored_so = rows.stored.dtype == target && !rows.stored.is_transposed;
        Ok(TensorBytes {
            stored: rows.stored.clone(),
            left_as_stored: is_stored_so.then(|| rows.stored.size_bytes()),
            rows,
            target,
            values: Vec::new(),
            bytes: Vec::new(),
            pos: 0,
            failure: None,
            errors: None,
        })
    }

    fn stored(&self, name: &str) -> Result<&StoredTensor, WeightsError> {
        self.tensors
            .get(name)
            .ok_or_else(|| WeightsError::MissingTensor {
                name: name.to_owned(),
            })
    }

    fn rows(&mut self, name: &str) -> Result<Rows<'_>, WeightsError> {
        let stored = self.stored(name)?.clone();
        let read = |source| WeightsError::Read { source };
        let reader = &mut self.files[stored.file];
        reader.seek(SeekFrom::Start(stored.offset)).map_err(read)?;
        let mut whole = None;
        if stored.is_transposed {
            let mut bytes = Vec::new();
            let size = usize::try_from(stored.size_bytes()).ok();
            size.and_then(|size| {
                bytes
                    .try_reserve_exact(size)
                    .ok()
                    .map(|()| bytes.resize(size, 0))
            })
            .ok_or_else(|| WeightsError::OutOfMemory {
                name: name.to_owned(),
            })?;
            reader.read_exact(&mut bytes).map_err(read)?;
            whole = Some(bytes);
        }
        Ok(Rows {
            reader: &mut **reader,
            stored,
            whole,
            next_row: 0,
            bytes: Vec::new(),
        })
    }
}

/// The rows of one tensor as floats, a chunk at a time.
struct Rows<'a> {
    reader: &'a mut dyn ReadSeek,
    stored: StoredTensor,
    /// All bytes of a tensor stored transposed: its rows are spread over the file.
    whole: Option<Vec<u8>>,
    next_row: usize,
    bytes: Vec<u8>,
}

impl Rows<'_> {
    /// Appends the next rows to `out` and says how many; 0 at the end.
    fn next_chunk(&mut self, out: &mut Vec<f32>) -> Result<usize, WeightsError> {
        let (rows, cols) = (self.stored.spec.rows, self.stored.spec.cols);
        let n = (CHUNK_VALUES / cols).max(1).min(rows - self.next_row);
        if n == 0 {
            return Ok(0);
        }
        let dtype = self.stored.dtype;
        let convert = |source| WeightsError::Convert {
            name: self.stored.spec.name.clone(),
            source,
        };
        self.bytes.clear();
        if let Some(whole) = &self.whole {
            let size = dtype
                .row_bytes(1)
                .expect("only floats are stored transposed");
            for row in self.next_row..self.next_row + n {
                for col in 0..cols {
                    let start = (col * rows + row) * size;
                    self.bytes.extend_from_slice(&whole[start..start + size]);
                }
            }
        } else {
            let size = n * dtype.row_bytes(cols).expect("checked when opened");
            self.bytes.resize(size, 0);
            self.reader
                .read_exact(&mut self.bytes)
                .map_err(|source| WeightsError::Read { source })?;
        }
        dtype.decode(&self.bytes, out).map_err(convert)?;
        self.next_row += n;
        Ok(n)
    }
}

/// One tensor as a stream of bytes in some type, converted on the way unless it is stored so.
pub(super) struct TensorBytes<'a> {
    stored: StoredTensor,
    rows: Rows<'a>,
    target: StoredType,
    /// Bytes still to be passed on unchanged; `None` if they are converted.
    left_as_stored: Option<u64>,
    values: Vec<f32>,
    bytes: Vec<u8>,
    pos: usize,
    /// What went wrong, since `Read` can only say that something did.
    pub(super) failure: Option<WeightsError>,
    /// Sums over the difference between what was read and what is passed on, if asked for.
    pub(super) errors: Option<ConversionErrors>,
}

/// How far converted numbers are from the originals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ConversionErrors {
    pub(super) max_abs_error: f32,
    pub(super) max_abs: f32,
    pub(super) sum_sq_error: f64,
    pub(super) sum_sq: f64,
}

impl TensorBytes<'_> {
    /// Converts the next rows into `self.bytes`, which stays empty at the end.
    fn convert_chunk(&mut self) -> Result<(), WeightsError> {
        let name = || self.stored.spec.name.clone();
        self.values.clear();
        self.bytes.clear();
        self.pos = 0;
        if self.rows.next_chunk(&mut self.values)? == 0 {
            return Ok(());
        }
        if self.target == StoredType::F16 && self.stored.dtype != StoredType::F16 {
            let max = half::f16::MAX.to_f32();
            if let Some(value) = self.values.iter().find(|v| v.is_finite() && v.abs() > max) {
                return Err(WeightsError::TooLargeForF16 {
                    name: name(),
                    value: *value,
                });
            }
        }
        self.target
            .encode(&self.values, &mut self.bytes)
            .map_err(|source| WeightsError::Convert {
                name: name(),
                source,
            })?;
        if let Some(errors) = &mut self.errors {
            let mut back = Vec::with_capacity(self.values.len());
            self.target
                .decode(&self.bytes, &mut back)
                .map_err(|source| WeightsError::Convert {
                    name: name(),
                    source,
                })?;
            for (value, back) in self.values.iter().zip(back) {
                errors.max_abs = errors.max_abs.max(value.abs());
                errors.max_abs_error = errors.max_abs_error.max((value - back).abs());
                errors.sum_sq += f64::from(*value) * f64::from(*value);
                errors.sum_sq_error += f64::from(value - back) * f64::from(value - back);
            }
        }
        Ok(())
    }
}

impl Read for TensorBytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(left) = &mut self.left_as_stored {
            let n = self.rows.reader.take(*left).read(out)?;
            *left -= n as u64;
            return Ok(n);
        }
        if self.pos == self.bytes.len()
            && let Err(failure) = self.convert_chunk()
        {
            let text = failure.to_string();
            self.failure = Some(failure);
            return Err(io::Error::other(text));
        }
        let n = out.len().min(self.bytes.len() - self.pos);
        out[..n].copy_from_slice(&self.bytes[self.pos..self.pos + n]);
        self.pos += n;
        Ok(n)
    }
}

/// The configuration in GGUF metadata.
fn gguf_config(header: &gguf::Header) -> Result<Gpt2Config, WeightsError> {
    const EPSILON: &str = "gpt2.attention.layer_norm_epsilon";
    match header.value("general.architecture")?.as_str() {
        Some("gpt2") => {}
        other => {
            return Err(WeightsError::UnsupportedModel {
                architecture: other.unwrap_or("unnamed").chars().take(40).collect(),
            });
        }
    }
    let epsilon = header
        .value(EPSILON)?
        .as_f64()
        .ok_or_else(|| gguf::wrong_type(EPSILON, "a number"))?;
    let embedding =
        header
            .tensors
            .get("token_embd.weight")
            .ok_or_else(|| WeightsError::MissingTensor {
                name: "token_embd.weight".to_owned(),
            })?;
    // A model without the key ends texts with the token it opens them with, as GPT-2 does.
    let token = |key: &str, other: &str| -> Result<u32, WeightsError> {
        let key = if header.metadata.contains_key(key) {
            key
        } else {
            other
        };
        u32::try_from(header.size(key)?).map_err(|_| gguf::wrong_type(key, "a token id"))
    };
    let (bos, eos) = ("tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id");
    let config = Gpt2Config {
        vocab_size: usize::try_from(embedding.dims.get(1).copied().unwrap_or(1))
            .unwrap_or(usize::MAX),
        n_ctx: header.size("gpt2.context_length")?,
        n_embd: header.size("gpt2.embedding_length")?,
        n_layer: header.size("gpt2.block_count")?,
        n_head: header.size("gpt2.attention.head_count")?,
        n_inner: header.size("gpt2.feed_forward_length")?,
        layer_norm_epsilon: epsilon as f32,
        bos_token_id: token(bos, eos)?,
        eos_token_id: token(eos, bos)?,
    };
    Ok(config.validated()?)
}
