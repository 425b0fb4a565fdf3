//! `Global`: the only names that a pickle of weights may use.

use super::dtype::StoredType;
use super::error::{WeightsError, shown};

/// A PyTorch class of storages with numbers of one type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StorageType {
    pub(super) name: &'static str,
    pub(super) size_bytes: u64,
    /// `None` for types that are not read as weights.
    pub(super) dtype: Option<StoredType>,
}

const STORAGE_TYPES: [StorageType; 10] = [
    storage("FloatStorage", 4, Some(StoredType::F32)),
    storage("HalfStorage", 2, Some(StoredType::F16)),
    storage("BFloat16Storage", 2, Some(StoredType::BF16)),
    storage("DoubleStorage", 8, Some(StoredType::F64)),
    storage("LongStorage", 8, None),
    storage("IntStorage", 4, None),
    storage("ShortStorage", 2, None),
    storage("CharStorage", 1, None),
    storage("ByteStorage", 1, None),
    storage("BoolStorage", 1, None),
];

const fn storage(name: &'static str, size_bytes: u64, dtype: Option<StoredType>) -> StorageType {
    StorageType {
        name,
        size_bytes,
        dtype,
    }
}

/// A name that a pickle may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// Makes a value that weights do not need, such as a size or a device, out of plain values.
    Plain,
    Storage(&'static StorageType),
}

impl Global {
    /// The global that a pickle names.
    ///
    /// # Errors
    /// [`WeightsError::ForbiddenGlobal`].
    pub(super) fn of(module: &str, name: &str) -> Result<Self, WeightsError> {
        let storage = || STORAGE_TYPES.iter().find(|storage| storage.name == name);
        let known = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            // These stand beside the weights of a training.
            ("torch", "Size" | "device")
            | ("torch", "float32" | "float16" | "bfloat16" | "float64")
            | ("torch", "int64" | "int32" | "int16" | "int8" | "uint8" | "bool")
            | ("collections", "Counter")
            | ("builtins" | "__builtin__", "set" | "bytearray" | "complex")
            | ("_codecs", "encode") => Some(Self::Plain),
            ("torch", _) => storage().map(Self::Storage),
            _ => None,
        };
        known.ok_or_else(|| WeightsError::ForbiddenGlobal {
            name: shown(&format!("{module}.{name}")),
        })
    }
}
