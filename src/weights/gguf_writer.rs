//! `Writer`: a GGUF file of version 3, header first, then tensor by tensor, without seeking.

use std::io::Write;

use super::dtype::StoredType;
use super::error::WeightsError;
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
            .expect("a type is chosen that the rows fit")
    }
}

/// Where everything in a GGUF file lies, known before a tensor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The file's first bytes, filled up to where the first tensor begins.
    pub header: Vec<u8>,
    /// First byte of each tensor, counted from the start of the file.
    pub offsets: Vec<u64>,
    /// Length of the file.
    pub len: u64,
}

impl Layout {
    /// Tensors lie in the order given, each filled up with zeros to a multiple of 32 bytes.
    pub fn new(metadata: &[(String, Value)], tensors: &[TensorToWrite]) -> Self {
        let mut header = Vec::new();
        header.extend_from_slice(MAGIC);
        header.extend(3_u32.to_le_bytes());
        header.extend((tensors.len() as u64).to_le_bytes());
        header.extend((metadata.len() as u64).to_le_bytes());
        for (key, value) in metadata {
            put_string(&mut header, key);
            header.extend(value_type_id(value).to_le_bytes());
            put_value(&mut header, value);
        }
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
        header.resize(usize::try_from(data_start).expect("it is in memory"), 0);
        for offset in &mut offsets {
            *offset += data_start;
        }
        Self {
            header,
            offsets,
            len: data_start + len,
        }
    }
}

/// The next multiple of the alignment.
fn padded(len: u64) -> u64 {
    len.next_multiple_of(DEFAULT_ALIGNMENT)
}

/// The zeros between `pos` and the next tensor.
pub(super) fn padding(pos: u64) -> &'static [u8] {
    let n = usize::try_from(padded(pos) - pos).expect("below the alignment");
    &[0; DEFAULT_ALIGNMENT as usize][..n]
}

/// Writes a GGUF file from front to back, without seeking.
pub struct Writer<W> {
    out: W,
    sizes: std::vec::IntoIter<u64>,
    left_of_tensor: u64,
    pos: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the header; the tensors follow in the order given, through [`Self::write`].
    ///
    /// # Errors
    /// [`WeightsError::Write`].
    pub fn new(
        out: W,
        metadata: &[(String, Value)],
        tensors: &[TensorToWrite],
    ) -> Result<Self, WeightsError> {
        let sizes: Vec<u64> = tensors.iter().map(TensorToWrite::size_bytes).collect();
        let mut writer = Self {
            out,
            sizes: sizes.into_iter(),
            left_of_tensor: 0,
            pos: 0,
        };
        writer.put(&Layout::new(metadata, tensors).header)?;
        Ok(writer)
    }

    /// Writes the next bytes of the current tensor; the one after it begins when it is complete.
    ///
    /// # Errors
    /// [`WeightsError::Write`].
    ///
    /// # Panics
    /// If the bytes reach beyond the tensor.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WeightsError> {
        if self.left_of_tensor == 0 {
            self.left_of_tensor = self.sizes.next().expect("no more tensors than announced");
        }
        self.left_of_tensor = self
            .left_of_tensor
            .checked_sub(bytes.len() as u64)
            .expect("a tensor has the size it was announced with");
        self.put(bytes)?;
        if self.left_of_tensor == 0 {
            self.put(padding(self.pos))?;
        }
        Ok(())
    }

    /// Flushes, and gives the length of the file.
    ///
    /// # Errors
    /// [`WeightsError::Write`].
    ///
    /// # Panics
    /// If a tensor is missing.
    pub fn finish(mut self) -> Result<u64, WeightsError> {
        assert!(
            self.left_of_tensor == 0 && self.sizes.len() == 0,
            "every announced tensor was written"
        );
        self.out
            .flush()
            .map_err(|source| WeightsError::Write { source })?;
        Ok(self.pos)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WeightsError> {
        self.out
            .write_all(bytes)
            .map_err(|source| WeightsError::Write { source })?;
        self.pos += bytes.len() as u64;
        Ok(())
    }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// What llama.cpp expects under its keys: 32 bits for numbers that fit.
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
            // Elements of one list share a type; the widest keeps them all.
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
