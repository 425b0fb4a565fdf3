//! `Checkpoint`: a GPT-2 in open files of any format, its tensors read one by one.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, SeekFrom};
use std::ops::Range;

use candle_core::{Device, Tensor};

use super::dtype::StoredType;
use super::error::WeightsError;
use super::expected::{ExpectedTensors, Tied};
use super::hash::NumbersHash;
use super::location::Strides;
use super::names::{self, Role, TensorSpec};
use super::remarks::Remarks;
use super::scan::scan;
use super::stored_tensor::{ReadSeek, RowReader, StoredTensor, TensorBytes};
use super::{gguf, gguf_metadata};
use crate::kernels::pack::{self, PackedWeight, Packer, WeightType};
use crate::model::config::Gpt2Config;
use crate::notice::Notice;

/// Bytes of a matrix that are read at a time, which bounds the part of a file that is in memory beside the weights.
pub const PART_BYTES: u64 = 1 << 20;
/// The rows that the kernels compute together; a part holds a multiple of them.
const GROUP_ROWS: u64 = pack::GROUP_ROWS as u64;

/// A checkpoint whose headers have been read and checked: every tensor that the configuration needs lies inside the
/// files, in the right shape and a known type.
pub struct Checkpoint {
    config: Gpt2Config,
    files: Vec<Box<dyn ReadSeek>>,
    /// The tensors, by Hugging Face name.
    tensors: BTreeMap<String, StoredTensor>,
    metadata: BTreeMap<String, gguf::Value>,
    notices: Vec<Notice>,
}

impl Checkpoint {
    /// Opens a GGUF file as llama.cpp writes GPT-2.
    ///
    /// # Errors
    /// As [`gguf::Header::read`]; [`WeightsError::SplitGguf`], [`WeightsError::Adapter`];
    /// [`WeightsError::UnsupportedModel`] for another architecture,
    /// [`WeightsError::MissingKey`], [`WeightsError::WrongKeyType`], [`WeightsError::Config`],
    /// [`WeightsError::MissingTensor`], [`WeightsError::ShapeMismatch`], [`WeightsError::UnsupportedType`].
    pub fn from_gguf(mut reader: Box<dyn ReadSeek>) -> Result<Self, WeightsError> {
        let header = gguf::Header::read(&mut reader)?;
        gguf_metadata::check_is_whole_model(&header)?;
        let config = gguf_metadata::config(&header)?;
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
            let expected = spec.gguf_dims();
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
                    dtype: StoredType::name_of_gguf_id(info.type_id),
                });
            };
            let stored = StoredTensor {
                dtype,
                file: 0,
                offset: info.offset,
                strides: Strides::of_rows(&spec),
                spec,
            };
            tensors.insert(stored.spec.name.clone(), stored);
        }
        Ok(Self {
            config,
            files: vec![reader],
            tensors,
            metadata: header.metadata,
            notices: Vec::new(),
        })
    }

    /// Opens float weights in safetensors or PyTorch files (one, or all shards) with their `config.json`.
    ///
    /// Names may have what wrappers put around them, such as `transformer.` and `module.`; PyTorch's masks `attn.bias`
    /// and `attn.masked_bias` are ignored. If the configuration ties the head to the embedding, one of the two is
    /// enough, and a head that differs is used and noticed. A tensor may be there under several names, and an adapter
    /// beside the model is passed over; both are noticed. Nothing in the files is executed.
    ///
    /// # Errors
    /// [`WeightsError::NotWeights`] and the errors of the formats' headers; [`WeightsError::Truncated`],
    /// [`WeightsError::Read`], [`WeightsError::Config`], [`WeightsError::MissingTensor`],
    /// [`WeightsError::RepeatedTensor`], [`WeightsError::ShapeMismatch`], [`WeightsError::Transposed`],
    /// [`WeightsError::UnsupportedType`], [`WeightsError::Quantized`], [`WeightsError::Adapter`].
    pub fn from_floats(
        config_json: &[u8],
        mut files: Vec<Box<dyn ReadSeek>>,
    ) -> Result<Self, WeightsError> {
        let (config, expected, mut notices) = ExpectedTensors::from_config_json(config_json)?;
        let mut tensors = BTreeMap::new();
        let mut remarks = Remarks::default();
        for (file, reader) in files.iter_mut().enumerate() {
            let (located, found) = scan(reader, &expected)?;
            remarks.add(found);
            for location in located {
                let stored = StoredTensor {
                    dtype: location.dtype,
                    file,
                    offset: location.offset,
                    strides: location.strides,
                    spec: expected.specs[location.idx].clone(),
                };
                if tensors.insert(stored.spec.name.clone(), stored).is_some() {
                    return Err(expected.repeated(location.idx));
                }
            }
        }
        expected
            .require_all(|idx| tensors.contains_key(&expected.specs[idx].name))
            .map_err(|missing| remarks.explain(missing))?;
        notices.extend(remarks.notices());
        let mut checkpoint = Self {
            config,
            files,
            tensors,
            metadata: BTreeMap::new(),
            notices,
        };
        if let Some(tied) = expected.tied() {
            checkpoint.resolve_head(&expected.specs[tied.embedding], &expected.specs[tied.head])?;
        }
        Ok(checkpoint)
    }

    /// Keeps a head beside the embedding only if it differs; without an embedding the head becomes it.
    fn resolve_head(
        &mut self,
        embedding: &TensorSpec,
        head: &TensorSpec,
    ) -> Result<(), WeightsError> {
        if !self.tensors.contains_key(&embedding.name) {
            if let Some(stored) = self.tensors.remove(&head.name) {
                let spec = embedding.clone();
                let stored = StoredTensor { spec, ..stored };
                self.tensors.insert(embedding.name.clone(), stored);
            }
        } else if self.tensors.contains_key(&head.name) {
            if self.has_same_numbers(&embedding.name, &head.name)? {
                self.tensors.remove(&head.name);
            } else {
                self.notices.push(Tied::notice());
            }
        }
        Ok(())
    }

    /// Whether two tensors hold the same numbers, told by their first rows, then by a hash of all.
    fn has_same_numbers(&mut self, one: &str, other: &str) -> Result<bool, WeightsError> {
        let mut first = |name: &str| {
            let mut values = Vec::new();
            self.rows(name)?.next_chunk(&mut values)?;
            Ok::<_, WeightsError>(values)
        };
        if first(one)? != first(other)? {
            return Ok(false);
        }
        let mut hash = |name: &str| {
            let mut rows = self.rows(name)?;
            let (mut values, mut hash) = (Vec::new(), NumbersHash::default());
            while rows.next_chunk(&mut values)? > 0 {
                hash.add(&values);
                values.clear();
            }
            Ok::<_, WeightsError>(hash)
        };
        Ok(hash(one)? == hash(other)?)
    }

    /// What is to be known about the files, though they open.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The model's shape.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// GGUF's metadata; empty for other formats.
    pub fn metadata(&self) -> &BTreeMap<String, gguf::Value> {
        &self.metadata
    }

    /// GGUF's metadata, from which the long lists of the tokenizer can be moved out.
    pub fn metadata_mut(&mut self) -> &mut BTreeMap<String, gguf::Value> {
        &mut self.metadata
    }

    /// The type of most weights.
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

    /// Its tensors in the order of [`names::tensors`], with the types they are stored in.
    pub fn tensors(&self) -> Vec<(TensorSpec, StoredType)> {
        let tensors = self.stored_tensors().into_iter();
        tensors
            .map(|stored| (stored.spec.clone(), stored.dtype))
            .collect()
    }

    /// Its tensors in the order of [`names::tensors`].
    pub(super) fn stored_tensors(&self) -> Vec<&StoredTensor> {
        names::tensors(&self.config)
            .iter()
            .filter_map(|spec| self.tensors.get(&spec.name))
            .collect()
    }

    /// The parts of its tensors in the order of the files: Hugging Face name, rows, and bytes, where several files
    /// count as one after another. Matrices that need no conversion are split into parts of [`PART_BYTES`].
    pub fn parts_in_file_order(&self) -> Vec<(String, Range<usize>, Range<u64>)> {
        let mut stored: Vec<_> = self.tensors.values().collect();
        stored.sort_unstable_by_key(|stored| (stored.file, stored.offset));
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
            let part_rows = match is_packed_as_stored(stored) {
                true => ((PART_BYTES / (GROUP_ROWS * row_bytes)).max(1) * GROUP_ROWS) as usize,
                false => rows,
            };
            for first in (0..rows).step_by(part_rows) {
                let last = rows.min(first + part_rows);
                let start = end;
                end += match stored.is_of_rows() {
                    true => (last - first) as u64 * row_bytes,
                    false => stored.size_bytes(),
                };
                parts.push((stored.spec.name.clone(), first..last, start..end));
            }
        }
        parts
    }

    /// A matrix (rows, cols) packed for the kernels, linear maps as (out, in).
    ///
    /// A type that the kernels do not know is converted while it is read, a few rows at a time.
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

    /// A matrix (rows, cols) packed for the kernels in another type, linear maps as (out, in).
    ///
    /// # Errors
    /// As [`Self::matrix`].
    ///
    /// # Panics
    /// If rows of `cols` numbers are not whole blocks of the type.
    pub fn matrix_as(
        &mut self,
        name: &str,
        dtype: WeightType,
    ) -> Result<PackedWeight, WeightsError> {
        let spec = &self.stored(name)?.spec;
        let (rows, cols) = (spec.rows, spec.cols);
        let mut packer =
            Packer::new(dtype, rows, cols).map_err(|source| not_packed(name, source))?;
        let mut bytes = TensorBytes::new(self.rows(name)?, StoredType::from(dtype));
        let read = packer.read(rows, &mut bytes);
        match (read, bytes.failure.take()) {
            (Ok(()), _) => Ok(packer.finish()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(source), None) => Err(not_packed(name, source)),
        }
    }

    /// An empty packer for a matrix, to be filled by [`Self::pack_rows`].
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`], [`WeightsError::Read`], [`WeightsError::OutOfMemory`].
    pub fn packer(&self, name: &str) -> Result<Packer, WeightsError> {
        let stored = self.stored(name)?;
        Packer::new(
            stored.dtype.weight_type(),
            stored.spec.rows,
            stored.spec.cols,
        )
        .map_err(|source| not_packed(name, source))
    }

    /// Reads the next rows of a matrix, one of [`Self::parts_in_file_order`] or all of them.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    ///
    /// # Panics
    /// If `rows` is a part of a matrix that has to be converted.
    pub fn pack_rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        packer: &mut Packer,
    ) -> Result<(), WeightsError> {
        let stored = self.stored(name)?;
        let all = 0..stored.spec.rows;
        let target = StoredType::from(stored.dtype.weight_type());
        if is_packed_as_stored(stored) {
            let start = stored.offset + rows.start as u64 * stored.row_bytes();
            let idx = stored.file;
            let file = &mut self.files[idx];
            return file
                .seek(SeekFrom::Start(start))
                .and_then(|_| packer.read(rows.len(), file))
                .map_err(|source| not_packed(name, source));
        }
        assert_eq!(rows, all, "rows of {name}");
        let mut bytes = TensorBytes::new(self.rows(name)?, target);
        let read = packer.read(rows.len(), &mut bytes);
        match (read, bytes.failure.take()) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(failure)) => Err(failure),
            (Err(source), None) => Err(not_packed(name, source)),
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

    /// All tensors for the candle tier, in F32, with Hugging Face's names and layout: linear maps as (in, out).
    ///
    /// # Errors
    /// As [`Self::floats`].
    pub fn candle_tensors(&mut self) -> Result<HashMap<String, Tensor>, WeightsError> {
        let mut tensors = HashMap::new();
        for (spec, _) in self.tensors() {
            let values = self.floats(&spec.name)?;
            let convert = |source: candle_core::Error| WeightsError::Convert {
                name: spec.name.clone(),
                source: source.into(),
            };
            let tensor = match spec.role {
                Role::Vector => Tensor::from_vec(values, spec.cols, &Device::Cpu),
                _ => Tensor::from_vec(values, (spec.rows, spec.cols), &Device::Cpu),
            };
            let tensor = match spec.role.is_transposed_in_hugging_face() {
                true => tensor.and_then(|tensor| tensor.t()?.contiguous()),
                false => tensor,
            };
            tensors.insert(spec.name.clone(), tensor.map_err(convert)?);
        }
        Ok(tensors)
    }

    fn stored(&self, name: &str) -> Result<&StoredTensor, WeightsError> {
        self.tensors
            .get(name)
            .ok_or_else(|| WeightsError::MissingTensor {
                name: name.to_owned(),
            })
    }

    fn rows(&mut self, name: &str) -> Result<RowReader<'_>, WeightsError> {
        let stored = self.stored(name)?.clone();
        RowReader::open(&mut *self.files[stored.file], stored)
    }
}

/// Whether the stored bytes of a matrix are packed without conversion.
fn is_packed_as_stored(stored: &StoredTensor) -> bool {
    stored.spec.role.is_quantizable()
        && stored.is_of_rows()
        && stored.dtype == StoredType::from(stored.dtype.weight_type())
}

/// The cause of an error of a [`Packer`].
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
