//! `Checkpoint`: a GPT-2 on disk in either format, its tensors given one by one as they are needed.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use candle_core::{Device, Tensor};

use super::dtype::StoredType;
use super::error::WeightsError;
use super::names::{self, Role, TensorSpec};
use super::needed::{Found, Needed};
use super::quantize::fitting;
use super::stored_tensor::{Rows, StoredTensor, TensorBytes};
use super::{gguf, pytorch, safetensors as st};
use crate::kernels::pack::{self, PackedWeight, Packer, WeightType};
use crate::model::config::Gpt2Config;

/// Bytes of a matrix that are read at a time: no more of a file need be in memory beside the weights.
pub const PART_BYTES: u64 = 1 << 20;
/// Rows of a part are a multiple of it: what the kernels take together.
const GROUP_ROWS: u64 = pack::GROUP_ROWS as u64;

/// A file, a blob, or bytes in memory.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// A checkpoint whose header has been read and found complete: every tensor that the configuration
/// needs is there, in the right shape and a known type, inside the file.
pub struct Checkpoint {
    config: Gpt2Config,
    files: Vec<Box<dyn ReadSeek>>,
    tensors: BTreeMap<String, StoredTensor>,
    metadata: BTreeMap<String, gguf::Value>,
    float_target: Option<WeightType>,
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
    /// [`WeightsError::RepeatedTensor`], [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`].
    pub fn from_safetensors(
        config_json: &[u8],
        files: Vec<Box<dyn ReadSeek>>,
    ) -> Result<Self, WeightsError> {
        Self::from_hugging_face(config_json, files, |reader, needed| {
            st::Header::read(reader)?.needed(needed)
        })
    }

    /// Opens PyTorch files (one `pytorch_model.bin`, or all shards) with their `config.json`.
    ///
    /// As [`Self::from_safetensors`]; nothing in the files is run.
    ///
    /// # Errors
    /// [`WeightsError::NotPytorch`], [`WeightsError::ForbiddenGlobal`], [`WeightsError::Compressed`],
    /// [`WeightsError::DataBeforeNames`], [`WeightsError::NotContiguous`], [`WeightsError::SharedNumbers`],
    /// [`WeightsError::BigEndian`], [`WeightsError::Malformed`], [`WeightsError::Truncated`],
    /// [`WeightsError::Read`], [`WeightsError::Config`], [`WeightsError::MissingTensor`],
    /// [`WeightsError::RepeatedTensor`], [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`].
    pub fn from_pytorch(
        config_json: &[u8],
        files: Vec<Box<dyn ReadSeek>>,
    ) -> Result<Self, WeightsError> {
        Self::from_hugging_face(config_json, files, pytorch::read)
    }

    fn from_hugging_face(
        config_json: &[u8],
        mut files: Vec<Box<dyn ReadSeek>>,
        read: impl Fn(&mut Box<dyn ReadSeek>, &Needed) -> Result<Vec<Found>, WeightsError>,
    ) -> Result<Self, WeightsError> {
        let config = Gpt2Config::from_json(config_json)?;
        let is_head_tied = Gpt2Config::is_head_tied(config_json)?;
        let needed = Needed::new(&config, is_head_tied);
        let mut tensors = BTreeMap::new();
        for (file, reader) in files.iter_mut().enumerate() {
            for found in read(reader, &needed)? {
                let spec = needed.specs[found.idx].clone();
                let stored = StoredTensor {
                    dtype: found.dtype,
                    file,
                    offset: found.offset,
                    is_transposed: spec.role == Role::Projection,
                    spec,
                };
                if tensors.insert(stored.spec.name.clone(), stored).is_some() {
                    return Err(needed.repeated(found.idx));
                }
            }
        }
        needed.all(|idx| tensors.contains_key(&needed.specs[idx].name))?;
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
        let mut counts: HashMap<StoredType, u64> = HashMap::new();
        for stored in self.tensors.values() {
            *counts.entry(stored.dtype).or_default() +=
                stored.spec.rows as u64 * stored.spec.cols as u64;
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

    /// The tensors there are, as they lie in the files: Hugging Face names, rows, and where these begin and end;
    /// several files count as one after another. Matrices that need no conversion come in parts of
    /// [`PART_BYTES`].
    pub fn parts_in_file_order(&self) -> Vec<(String, Range<usize>, Range<u64>)> {
        let mut stored: Vec<_> = self.tensors.values().collect();
        stored.sort_by_key(|stored| (stored.file, stored.offset));
        let mut file = 0;
        let mut file_start = 0;
        let mut end = 0;
        let mut parts = Vec::with_capacity(stored.len());
        for stored in stored {
            if stored.file != file {
                (file, file_start) = (stored.file, end);
            }
            end = file_start + stored.offset;
            let rows = stored.spec.rows;
            let row_bytes = stored.row_bytes();
            let part_rows = match self.is_packed_as_stored(stored) {
                true => ((PART_BYTES / (GROUP_ROWS * row_bytes)).max(1) * GROUP_ROWS) as usize,
                false => rows,
            };
            for first in (0..rows).step_by(part_rows) {
                let last = rows.min(first + part_rows);
                let start = end;
                end += (last - first) as u64 * row_bytes;
                parts.push((stored.spec.name.clone(), first..last, start..end));
            }
        }
        parts
    }

    /// A matrix (rows, cols) packed for the kernels, linear maps as (out, in).
    ///
    /// A type the kernels do not know is converted while it is read, a few rows at a time.
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`], [`WeightsError::Read`], [`WeightsError::Convert`],
    /// [`WeightsError::TooLargeForF16`], [`WeightsError::NotFinite`], [`WeightsError::OutOfMemory`].
    pub fn matrix(&mut self, name: &str) -> Result<PackedWeight, WeightsError> {
        let mut packer = self.packer(name)?;
        let rows = self.stored(name)?.spec.rows;
        self.pack_rows(name, 0..rows, &mut packer)?;
        Ok(packer.finish())
    }

    /// Room for a matrix whose rows [`Self::pack_rows`] reads.
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`], [`WeightsError::Read`], [`WeightsError::OutOfMemory`].
    pub fn packer(&self, name: &str) -> Result<Packer, WeightsError> {
        let stored = self.stored(name)?;
        Packer::new(self.target(stored), stored.spec.rows, stored.spec.cols)
            .map_err(|source| not_packed(name, source))
    }

    /// Reads the next rows of a matrix, one of [`Self::parts_in_file_order`] or all of them.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    ///
    /// # Panics
    /// If only some rows are asked for of a matrix that has to be converted.
    pub fn pack_rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        packer: &mut Packer,
    ) -> Result<(), WeightsError> {
        let stored = self.stored(name)?;
        let (all, target) = (0..stored.spec.rows, StoredType::from(self.target(stored)));
        if self.is_packed_as_stored(stored) {
            let start = stored.offset + rows.start as u64 * stored.row_bytes();
            let idx = stored.file;
            let file = &mut self.files[idx];
            return file
                .seek(SeekFrom::Start(start))
                .and_then(|_| packer.read(rows.len(), file))
                .map_err(|source| not_packed(name, source));
        }
        assert_eq!(rows, all, "rows of {name}");
        let mut bytes = self.bytes(name, target)?;
        let read = packer.read(rows.len(), &mut bytes);
        match (read, bytes.failure.take()) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(source), None) => Err(not_packed(name, source)),
        }
    }

    /// What a matrix is packed as.
    fn target(&self, stored: &StoredTensor) -> WeightType {
        match self.float_target {
            Some(target) if stored.dtype.is_float() => fitting(target, stored.spec.cols),
            _ => stored.dtype.weight_type(),
        }
    }

    fn is_packed_as_stored(&self, stored: &StoredTensor) -> bool {
        let is_matrix = matches!(stored.spec.role, Role::Embedding | Role::Projection);
        is_matrix && !stored.is_transposed && stored.dtype == StoredType::from(self.target(stored))
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
        n_rows
            .checked_mul(cols)
            .and_then(|n| values.try_reserve_exact(n).ok())
            .ok_or_else(|| WeightsError::OutOfMemory {
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
        Ok(TensorBytes::new(rows, target))
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
        Rows::open(&mut *self.files[stored.file], stored)
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

/// Why a matrix was not packed.
fn not_packed(name: &str, source: io::Error) -> WeightsError {
    match source.kind() {
        io::ErrorKind::InvalidData => WeightsError::NotFinite {
            name: name.to_owned(),
            source,
        },
        io::ErrorKind::OutOfMemory => WeightsError::OutOfMemory {
            name: name.to_owned(),
        },
        _ => WeightsError::Read { source },
    }
}
