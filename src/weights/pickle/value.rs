//! `Value` and `Object`: what lies on the stack of the pickle machine, and what it makes.

use crate::weights::pickle_global::{Global, StorageType};

/// A value on the stack of the machine.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A value that weights do not need: None, a float, a set.
    Other,
    Bool(bool),
    Int(i64),
    Global(Global),
    /// Index into the objects.
    Object(usize),
}

/// What values refer to.
#[derive(Debug)]
pub(super) enum Object {
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Storage(PickledStorage),
    Tensor(PickledTensor),
}

/// Numbers in a row, of which tensors are views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::weights) struct PickledStorage {
    /// Name of its entry under `data/`.
    pub(in crate::weights) key: String,
    pub(in crate::weights) kind: &'static StorageType,
    /// Numbers in it.
    pub(in crate::weights) len: u64,
    /// The number from which the offsets of tensors count: before version 1.6 tensors could name a part of a storage.
    pub(in crate::weights) offset: u64,
}

/// A view of a storage; offset and strides count numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::weights) struct PickledTensor {
    /// Index into the objects.
    pub(super) storage: usize,
    pub(in crate::weights) offset: u64,
    pub(in crate::weights) shape: Vec<u64>,
    pub(in crate::weights) strides: Vec<u64>,
}
