//! `Layout`: the header of a GGUF file of version 3 and the offset of each of its tensors.

use super::dtype::StoredType;
use super::gguf::{DEFAULT_ALIGNMENT, MAGIC, TensorInfo, Value};

/// A tensor about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorToWrite {
    /// Its name.
    pub name: String,
    /// Sizes, innermost first.
    pub dims: Vec<u64>,
    /// How its numbers are stored.
    pub dtype: StoredType,
}

impl TensorToWrite {
    /// Bytes it takes.
    ///
    /// # Panics
    /// If its rows are not whole quantization blocks.
    pub fn size_bytes(&self) -> u64 {
        let info = TensorInfo {
            dims: self.dims.clone(),
            type_id: self.dtype.gguf_id(),
            offset: 0,
        };
        info.size_bytes()
            .expect("its rows are whole quantization blocks")
    }
}

/// The bytes and offsets of a GGUF file that are known before any of its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The file's first bytes, padded up to the first tensor.
    pub header: Vec<u8>,
    /// First byte of each tensor, counted from the start of the file.
    pub offsets: Vec<u64>,
    /// Length of the file.
    pub len: u64,
    /// The metadata in the header: number of entries, and the byte after the last one.
    n_metadata: u64,
    metadata_end: usize,
}

/// Bytes before the metadata: magic number, version, and the numbers of tensors and of entries.
const HEAD_BYTES: usize = 24;

impl Layout {
    /// The layout of a file whose tensors lie in the given order, each padded with zeros to a multiple of 32 bytes.
    pub fn new(metadata: &[(String, Value)], tensors: &[TensorToWrite]) -> Self {
        Self::of(&[], 0, metadata, tensors)
    }

    /// The layout of other tensors with the same metadata and more.
    pub(super) fn with(&self, more: &[(String, Value)], tensors: &[TensorToWrite]) -> Self {
        let metadata = &self.header[HEAD_BYTES..self.metadata_end];
        Self::of(metadata, self.n_metadata, more, tensors)
    }

    fn of(
        encoded: &[u8],
        n_encoded: u64,
        metadata: &[(String, Value)],
        tensors: &[TensorToWrite],
    ) -> Self {
        let n_metadata = n_encoded + metadata.len() as u64;
        let mut header = Vec::new();
        header.extend_from_slice(MAGIC);
        header.extend(3_u32.to_le_bytes());
        header.extend((tensors.len() as u64).to_le_bytes());
        header.extend(n_metadata.to_le_bytes());
        header.extend_from_slice(encoded);
        for (key, value) in metadata {
            put_string(&mut header, key);
            header.extend(value_type_id(value).to_le_bytes());
            put_value(&mut header, value);
        }
        let metadata_end = header.len();
        let mut offsets = Vec::new();
        let mut len = 0_u64;
        for tensor in tensors {
            put_string(&mut header, &tensor.name);
            header.extend((tensor.dims.len() as u32).to_le_bytes());
            for dim in &tensor.dims {
                header.extend(dim.to_le_bytes());
            }
            header.extend(tensor.dtype.gguf_id().to_le_bytes());
            header.extend(len.to_le_bytes());
            offsets.push(len);
            len += padded(tensor.size_bytes());
        }
        let data_start = padded(header.len() as u64);
        header.resize(
            usize::try_from(data_start).expect("the header is in memory"),
            0,
        );
        for offset in &mut offsets {
            *offset += data_start;
        }
        Self {
            header,
            offsets,
            len: data_start + len,
            n_metadata,
            metadata_end,
        }
    }
}

/// The next multiple of the alignment.
fn padded(len: u64) -> u64 {
    len.next_multiple_of(DEFAULT_ALIGNMENT)
}

/// The zeros between a tensor's end at byte `pos` and the next tensor.
pub fn padding(pos: u64) -> &'static [u8] {
    let n = usize::try_from(padded(pos) - pos).expect("below the alignment");
    &[0; DEFAULT_ALIGNMENT as usize][..n]
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The type number of a value: 32 bits for numbers that fit, as llama.cpp expects them.
fn value_type_id(value: &Value) -> u32 {
    match value {
        Value::UInt(value) if u32::try_from(*value).is_ok() => 4,
        Value::UInt(_) => 10,
        Value::Int(value) if i32::try_from(*value).is_ok() => 5,
        Value::Int(_) => 11,
        Value::Float(_) => 6,
        Value::Bool(_) => 7,
        Value::String(_) => 8,
        Value::Strings(_) | Value::Ints(_) | Value::Floats(_) | Value::Array(_) => 9,
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    let list = |out: &mut Vec<u8>, type_id: u32, len: usize| {
        out.extend(type_id.to_le_bytes());
        out.extend((len as u64).to_le_bytes());
    };
    match value {
        Value::UInt(value) => match u32::try_from(*value) {
            Ok(value) => out.extend(value.to_le_bytes()),
            Err(_) => out.extend(value.to_le_bytes()),
        },
        Value::Int(value) => match i32::try_from(*value) {
            Ok(value) => out.extend(value.to_le_bytes()),
            Err(_) => out.extend(value.to_le_bytes()),
        },
        Value::Float(value) => out.extend((*value as f32).to_le_bytes()),
        Value::Bool(value) => out.push(u8::from(*value)),
        Value::String(value) => put_string(out, value),
        Value::Strings(values) => {
            list(out, 8, values.len());
            for value in values {
                put_string(out, value);
            }
        }
        Value::Ints(values) => {
            list(out, 5, values.len());
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        }
        Value::Floats(values) => {
            list(out, 6, values.len());
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        }
        Value::Array(values) => {
            // The elements of a list share a type: the widest that occurs.
            let type_id = values.iter().map(value_type_id).max().unwrap_or(4);
            list(out, type_id, values.len());
            for value in values {
                match (type_id, value) {
                    (10, Value::UInt(value)) => out.extend(value.to_le_bytes()),
                    (11, Value::Int(value)) => out.extend(value.to_le_bytes()),
                    _ => put_value(out, value),
                }
            }
        }
    }
}
