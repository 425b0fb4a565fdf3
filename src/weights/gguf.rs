//! GGUF: the header of versions 1 to 3, metadata and tensor infos, parsed; [`super::gguf_layout`] writes it.
//!
//! A header is untrusted: every length is compared with a cap and with the rest of the file before memory is allocated.
//!
//! Source: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use serde_json::{Map, Value as Json};

use super::dtype::StoredType;
use super::error::WeightsError;
use crate::file_kind::FileKind;

pub(super) const MAGIC: &[u8; 4] = b"GGUF";
pub(super) const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_METADATA: u64 = 1 << 16;
const MAX_TENSORS: u64 = 1 << 16;
const MAX_STRING_BYTES: u64 = 1 << 24;
const MAX_ARRAY_LEN: u64 = 1 << 24;
const MAX_ARRAY_DEPTH: usize = 4;
/// Elements of all lists together, except lists of plain numbers; GPT-2's vocabulary and merges have 100,000.
const MAX_ELEMENTS: usize = 1 << 21;
const MAX_DIMS: u32 = 4;
/// Longest list that is turned into JSON, whose values take more memory.
const MAX_JSON_LIST: usize = 1 << 16;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Unsigned integers of any width.
    UInt(u64),
    /// Signed integers of any width.
    Int(i64),
    /// Floats of either width.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Text; invalid UTF-8 is replaced by U+FFFD.
    String(String),
    /// A list of strings.
    Strings(Vec<String>),
    /// A list of 32-bit signed integers.
    Ints(Vec<i32>),
    /// A list of 32-bit floats.
    Floats(Vec<f32>),
    /// Any other list.
    Array(Vec<Value>),
}

impl Value {
    /// As JSON; a float that JSON cannot state is `null`, and a list that is longer than any setting an empty object.
    pub fn to_json(&self) -> Json {
        let is_too_long = match self {
            Self::Strings(list) => list.len() > MAX_JSON_LIST,
            Self::Ints(list) => list.len() > MAX_JSON_LIST,
            Self::Floats(list) => list.len() > MAX_JSON_LIST,
            Self::Array(list) => list.len() > MAX_JSON_LIST,
            _ => false,
        };
        match self {
            _ if is_too_long => Json::Object(Map::new()),
            Self::UInt(n) => Json::from(*n),
            Self::Int(n) => Json::from(*n),
            Self::Float(x) => Json::from(*x),
            Self::Bool(is_on) => Json::from(*is_on),
            Self::String(text) => Json::from(text.as_str()),
            Self::Strings(list) => Json::from(list.as_slice()),
            Self::Ints(list) => Json::from(list.as_slice()),
            Self::Floats(list) => Json::from(list.as_slice()),
            Self::Array(list) => list.iter().map(Self::to_json).collect(),
        }
    }

    /// As an unsigned integer, if it is a whole number not below 0.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::UInt(value) => Some(*value),
            Self::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// As a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// As text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }
}

/// A tensor's location and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Sizes, innermost first: a matrix (rows, cols) reads `[cols, rows]`.
    pub dims: Vec<u64>,
    /// GGML's number of the type.
    pub type_id: u32,
    /// First byte, counted from the start of the file.
    pub offset: u64,
}

impl TensorInfo {
    /// Bytes it takes, if its type is known and its rows are whole quantization blocks.
    pub(super) fn size_bytes(&self) -> Option<u64> {
        let dtype = StoredType::from_gguf_id(self.type_id)?;
        let cols = usize::try_from(*self.dims.first()?).ok()?;
        let row = dtype.row_bytes(cols)? as u64;
        self.dims[1..]
            .iter()
            .try_fold(row, |size, dim| size.checked_mul(*dim))
    }
}

/// The header of a GGUF file.
#[derive(Debug)]
pub struct Header {
    /// The version of the format, 1 to 3.
    pub version: u32,
    /// Metadata by key.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, TensorInfo>,
}

impl Header {
    /// Reads the header of a file of `file_len` bytes and checks that every tensor lies inside it.
    ///
    /// # Errors
    /// [`WeightsError::NotGguf`], [`WeightsError::BigEndian`], [`WeightsError::UnsupportedVersion`],
    /// [`WeightsError::Truncated`] if the file ends before its header or a tensor does,
    /// [`WeightsError::Malformed`], [`WeightsError::Read`].
    pub fn read<R: Read + Seek>(reader: &mut R) -> Result<Self, WeightsError> {
        let read = |source| WeightsError::Read { source };
        let file_len = reader.seek(SeekFrom::End(0)).map_err(read)?;
        reader.seek(SeekFrom::Start(0)).map_err(read)?;
        let mut head = Vec::new();
        reader
            .by_ref()
            .take(64)
            .read_to_end(&mut head)
            .map_err(read)?;
        check_magic(&head)?;
        if head.len() < MAGIC.len() {
            return Err(WeightsError::Truncated {
                got: file_len,
                expected: 24,
            });
        }
        reader.seek(SeekFrom::Start(4)).map_err(read)?;
        let mut parser = Parser {
            reader: BufReader::with_capacity(1 << 16, reader),
            pos: 4,
            file_len,
            version: 0,
            elements_left: MAX_ELEMENTS,
        };
        parser.header()
    }

    /// A metadata value.
    ///
    /// # Errors
    /// [`WeightsError::MissingKey`].
    pub fn value(&self, key: &str) -> Result<&Value, WeightsError> {
        self.metadata
            .get(key)
            .ok_or_else(|| WeightsError::MissingKey {
                key: key.to_owned(),
            })
    }

    /// A metadata value that is a size.
    ///
    /// # Errors
    /// [`WeightsError::MissingKey`], [`WeightsError::WrongKeyType`].
    pub fn size(&self, key: &str) -> Result<usize, WeightsError> {
        self.value(key)?
            .as_u64()
            .and_then(|value| usize::try_from(value).ok())
            .ok_or_else(|| wrong_type(key, "a size"))
    }
}

/// Refuses bytes that are not the beginning of a GGUF, as far as they go.
///
/// # Errors
/// [`WeightsError::NotGguf`].
pub fn check_magic(head: &[u8]) -> Result<(), WeightsError> {
    let n = head.len().min(MAGIC.len());
    match n > 0 && head[..n] == MAGIC[..n] {
        true => Ok(()),
        false => Err(WeightsError::NotGguf {
            found: FileKind::of(head),
        }),
    }
}

pub(super) fn wrong_type(key: &str, expected: &'static str) -> WeightsError {
    WeightsError::WrongKeyType {
        key: key.to_owned(),
        expected,
    }
}

struct Parser<R> {
    reader: BufReader<R>,
    pos: u64,
    file_len: u64,
    version: u32,
    elements_left: usize,
}

impl<R: Read> Parser<R> {
    fn malformed<T>(&self, what: &'static str) -> Result<T, WeightsError> {
        Err(WeightsError::Malformed {
            offset: self.pos,
            what,
        })
    }

    /// Refuses the file if fewer than `n` bytes are left.
    fn need(&self, n: u64) -> Result<(), WeightsError> {
        let expected = self.pos.saturating_add(n);
        if expected > self.file_len {
            return Err(WeightsError::Truncated {
                got: self.file_len,
                expected,
            });
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], WeightsError> {
        self.need(N as u64)?;
        let mut bytes = [0; N];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|source| WeightsError::Read { source })?;
        self.pos += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, WeightsError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, WeightsError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    /// Counts and lengths: 32 bits wide in version 1, 64 since.
    fn count(&mut self) -> Result<u64, WeightsError> {
        match self.version {
            1 => Ok(u64::from(self.u32()?)),
            _ => self.u64(),
        }
    }

    fn string(&mut self) -> Result<String, WeightsError> {
        let len = self.count()?;
        if len > MAX_STRING_BYTES {
            return self.malformed("a string is longer than 16 MiB");
        }
        self.need(len)?;
        let mut bytes = vec![0; usize::try_from(len).expect("capped above")];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|source| WeightsError::Read { source })?;
        self.pos += len;
        // Copies only where the bytes are not UTF-8.
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    fn value(&mut self, type_id: u32, depth: usize) -> Result<Value, WeightsError> {
        Ok(match type_id {
            0 => Value::UInt(u64::from(u8::from_le_bytes(self.bytes()?))),
            1 => Value::Int(i64::from(i8::from_le_bytes(self.bytes()?))),
            2 => Value::UInt(u64::from(u16::from_le_bytes(self.bytes()?))),
            3 => Value::Int(i64::from(i16::from_le_bytes(self.bytes()?))),
            4 => Value::UInt(u64::from(self.u32()?)),
            5 => Value::Int(i64::from(i32::from_le_bytes(self.bytes()?))),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.bytes()?))),
            7 => match self.bytes::<1>()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                _ => return self.malformed("a truth value is neither 0 nor 1"),
            },
            8 => Value::String(self.string()?),
            9 => self.array(depth)?,
            10 => Value::UInt(self.u64()?),
            11 => Value::Int(i64::from_le_bytes(self.bytes()?)),
            12 => Value::Float(f64::from_le_bytes(self.bytes()?)),
            _ => return self.malformed("a metadata value has an unknown type"),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, WeightsError> {
        if depth == MAX_ARRAY_DEPTH {
            return self.malformed("lists are nested too deeply");
        }
        let type_id = self.u32()?;
        let len = self.count()?;
        if len > MAX_ARRAY_LEN {
            return self.malformed("a list is longer than 16 million");
        }
        let least_bytes: u64 = match type_id {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 if self.version == 1 => 4,
            9 if self.version == 1 => 8,
            8 | 10..=12 => 8,
            9 => 12,
            _ => return self.malformed("a list has an unknown type"),
        };
        self.need(len * least_bytes)?;
        let len = usize::try_from(len).expect("capped above");
        if !matches!(type_id, 5 | 6) {
            match self.elements_left.checked_sub(len) {
                Some(left) => self.elements_left = left,
                None => return self.malformed("its lists are longer than those of any model"),
            }
        }
        // Memory is reserved for plain numbers only: other elements take more memory than bytes in the file.
        Ok(match type_id {
            5 => {
                let mut values = Vec::with_capacity(len);
                for _ in 0..len {
                    values.push(i32::from_le_bytes(self.bytes()?));
                }
                Value::Ints(values)
            }
            6 => {
                let mut values = Vec::with_capacity(len);
                for _ in 0..len {
                    values.push(f32::from_le_bytes(self.bytes()?));
                }
                Value::Floats(values)
            }
            8 => {
                let mut values = Vec::new();
                for _ in 0..len {
                    values.push(self.string()?);
                }
                Value::Strings(values)
            }
            _ => {
                let mut values = Vec::new();
                for _ in 0..len {
                    values.push(self.value(type_id, depth + 1)?);
                }
                Value::Array(values)
            }
        })
    }

    fn header(&mut self) -> Result<Header, WeightsError> {
        self.version = self.u32()?;
        match self.version {
            1..=3 => {}
            version if (1..=3).contains(&version.swap_bytes()) => {
                return Err(WeightsError::BigEndian);
            }
            version => return Err(WeightsError::UnsupportedVersion { version }),
        }
        let n_tensors = self.count()?;
        let n_metadata = self.count()?;
        if n_tensors > MAX_TENSORS || n_metadata > MAX_METADATA {
            return self.malformed("it claims more entries than any model has");
        }

        let mut metadata = BTreeMap::new();
        for _ in 0..n_metadata {
            let key = self.string()?;
            let type_id = self.u32()?;
            let value = self.value(type_id, 0)?;
            if metadata.insert(key, value).is_some() {
                return self.malformed("a metadata key occurs twice");
            }
        }
        let alignment = match metadata.get("general.alignment") {
            None => DEFAULT_ALIGNMENT,
            Some(value) => match value.as_u64() {
                Some(alignment) if alignment.is_power_of_two() && alignment <= 1 << 20 => alignment,
                _ => return self.malformed("general.alignment is not a power of two"),
            },
        };

        let mut tensors = BTreeMap::new();
        for _ in 0..n_tensors {
            let name = self.string()?;
            let n_dims = self.u32()?;
            if n_dims == 0 || n_dims > MAX_DIMS {
                return self.malformed("a tensor has no or more than four dimensions");
            }
            let mut dims = Vec::new();
            for _ in 0..n_dims {
                dims.push(self.count()?);
            }
            if dims.contains(&0) {
                return self.malformed("a tensor has a dimension of 0");
            }
            let type_id = self.u32()?;
            let offset = self.u64()?;
            if !offset.is_multiple_of(alignment) {
                return self.malformed("a tensor is not aligned");
            }
            let info = TensorInfo {
                dims,
                type_id,
                offset,
            };
            if tensors.insert(name, info).is_some() {
                return self.malformed("a tensor is listed twice");
            }
        }

        let data_start = self.pos.next_multiple_of(alignment);
        let mut expected = 0;
        let mut places = Vec::new();
        for info in tensors.values_mut() {
            let Some(offset) = info.offset.checked_add(data_start) else {
                return self.malformed("a tensor lies beyond any file");
            };
            info.offset = offset;
            if StoredType::from_gguf_id(info.type_id).is_none() {
                continue; // Refused by name if the tensor is needed.
            }
            let Some(end) = info.size_bytes().and_then(|size| offset.checked_add(size)) else {
                return self
                    .malformed("a tensor's size fits no file, or no whole quantization blocks");
            };
            expected = expected.max(end);
            places.push((offset, end));
        }
        // Otherwise a small file could hold many large tensors.
        places.sort_unstable();
        if places.windows(2).any(|pair| pair[1].0 < pair[0].1) {
            return self.malformed("two tensors overlap");
        }
        if expected > self.file_len {
            return Err(WeightsError::Truncated {
                got: self.file_len,
                expected,
            });
        }
        Ok(Header {
            version: self.version,
            metadata,
            tensors,
        })
    }
}
