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

const STORAGE_TYPES: [StorageType; 13] = [
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
    storage("ComplexFloatStorage", 8, None),
    storage("ComplexDoubleStorage", 16, None),
    // Of the types without a class, such as floats of 8 bits; it counts bytes.
    storage("UntypedStorage", 1, None),
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
    /// A dictionary of another class, made with what is no item.
    DictLike,
    RebuildTensor,
    RebuildParameter,
    /// Makes a tensor, with attributes, of another function and its arguments.
    RebuildFromType,
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
            ("collections", "defaultdict") | ("builtins" | "__builtin__", "dict") => {
                Some(Self::DictLike)
            }
            // Lightning keeps the settings of a training in it.
            (_, "AttributeDict") if is_lightning(module) => Some(Self::DictLike),
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor_v3") => {
                Some(Self::RebuildTensor)
            }
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Some(Self::RebuildParameter)
            }
            ("torch._tensor", "_rebuild_from_type_v2") => Some(Self::RebuildFromType),
            _ if is_plain(module, name) => Some(Self::Plain),
            ("torch" | "torch.storage", _) => storage().map(Self::Storage),
            _ => None,
        };
        known.ok_or_else(|| WeightsError::ForbiddenGlobal {
            name: shown(&format!("{module}.{name}")),
        })
    }
}

fn is_lightning(module: &str) -> bool {
    ["pytorch_lightning", "lightning", "lightning_fabric"]
        .iter()
        .any(|package| module.split('.').next() == Some(package))
}

/// Whether a name makes plain values, such as settings and counts, which stand beside the weights of a training.
fn is_plain(module: &str, name: &str) -> bool {
    match module {
        "torch" => {
            // Types of numbers, and how a tensor is laid out.
            let is_number = ["float", "bfloat", "int", "uint", "complex", "bool", "bits"]
                .iter()
                .any(|start| {
                    let rest = name.strip_prefix(start);
                    rest.is_some_and(|rest| !rest.contains(|c: char| c.is_ascii_uppercase()))
                });
            is_number || matches!(name, "Size" | "device" | "Tensor")
        }
        "torch.nn.parameter" => matches!(name, "Parameter" | "Buffer"),
        "numpy" => matches!(name, "dtype" | "ndarray"),
        "numpy.core.multiarray" | "numpy._core.multiarray" => {
            matches!(name, "scalar" | "_reconstruct")
        }
        "numpy.core.numeric" | "numpy._core.numeric" => name == "_frombuffer",
        "numpy.dtypes" => true,
        "argparse" => name == "Namespace",
        "types" => name == "SimpleNamespace",
        "pathlib" | "pathlib._local" => name.ends_with("Path"),
        "collections" => matches!(name, "Counter" | "deque"),
        "datetime" => matches!(
            name,
            "datetime" | "date" | "time" | "timedelta" | "timezone"
        ),
        "decimal" => name == "Decimal",
        "uuid" => name == "UUID",
        "builtins" | "__builtin__" => matches!(
            name,
            "set"
                | "frozenset"
                | "list"
                | "tuple"
                | "int"
                | "float"
                | "bool"
                | "str"
                | "bytes"
                | "bytearray"
                | "complex"
                | "object"
                | "slice"
                | "range"
        ),
        "_codecs" => name == "encode",
        "copyreg" | "copy_reg" => name == "_reconstructor",
        _ => false,
    }
}
