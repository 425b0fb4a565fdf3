//! `Pickle`: the names and locations of tensors in PyTorch's `data.pkl`, read without executing anything.
//!
//! A pickle is a program for a stack machine that may name any Python function and call it. This machine knows only the
//! instructions that `torch.save` writes and the names that weights need, those of [`Global`]; any other name is refused.
//! The limits bound the memory that a hostile pickle can take: an instruction adds at most one value and one object, and
//! objects refer to each other by index, so that nothing is copied or nested.
//!
//! Source: CPython `Lib/pickletools.py`; PyTorch `torch/_utils.py`, `torch/serialization.py`.

mod contents;
mod instruction;
mod value;

use std::collections::HashMap;

use super::error::WeightsError;
use super::pickle_global::Global;
use value::{Object, Value};
pub(super) use value::{PickledStorage, PickledTensor};

/// Most bytes of a pickle; the pickle of a model of 512 layers has 1.3 MB.
const MAX_BYTES: u64 = 1 << 23;
/// Most instructions of a pickle; the pickle of a model of 512 layers has 260,000.
const MAX_INSTRUCTIONS: u32 = 1 << 19;
const MAX_DIMS: usize = 8;
/// Longest key of a storage. Keys are short numbers; the machine copies a key at each use.
const MAX_KEY_BYTES: usize = 32;

/// The stack machine, fed with bytes as they arrive.
#[derive(Debug)]
pub(super) struct Pickle {
    /// The bytes of the next instruction that have arrived.
    buffer: Vec<u8>,
    /// First byte of that instruction, counted from the start of the file.
    pos: u64,
    /// Bytes so far.
    len: u64,
    n_instructions: u32,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    objects: Vec<Object>,
    is_done: bool,
}

impl Pickle {
    /// The machine before the pickle's first byte, which is the file's byte `pos`.
    pub(super) fn start(pos: u64) -> Self {
        Self {
            buffer: Vec::new(),
            pos,
            len: 0,
            n_instructions: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            objects: Vec::new(),
            is_done: false,
        }
    }

    /// Consumes bytes up to the end of the pickle; returns how many.
    ///
    /// # Errors
    /// [`WeightsError::ForbiddenGlobal`], [`WeightsError::Malformed`].
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<usize, WeightsError> {
        let mut used = 0;
        while !self.is_done {
            let len = match instruction::len(&self.buffer) {
                Ok(len) => len,
                Err(what) => return self.malformed(what),
            };
            let missing = len - self.buffer.len();
            if missing > 0 {
                let n = missing.min(bytes.len() - used);
                if n == 0 {
                    break;
                }
                self.buffer.extend_from_slice(&bytes[used..used + n]);
                used += n;
                self.len += n as u64;
                if self.len > MAX_BYTES {
                    return self.malformed("its list of tensors is longer than 8 MiB");
                }
                continue;
            }
            self.n_instructions += 1;
            if self.n_instructions > MAX_INSTRUCTIONS {
                return self.malformed("its list of tensors is longer than that of any model");
            }
            let instruction = std::mem::take(&mut self.buffer);
            self.run(&instruction)?;
            self.pos += instruction.len() as u64;
        }
        Ok(used)
    }

    /// Whether the last instruction was read.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Bytes consumed so far.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, WeightsError> {
        Err(WeightsError::Malformed {
            offset: self.pos,
            what,
        })
    }

    fn run(&mut self, instruction: &[u8]) -> Result<(), WeightsError> {
        let argument = &instruction[1..];
        let number = || {
            let mut bytes = [0; 8];
            bytes[..argument.len().min(8)].copy_from_slice(&argument[..argument.len().min(8)]);
            u64::from_le_bytes(bytes)
        };
        match instruction[0] {
            0x80 if argument[0] > 5 => return self.malformed("its pickle is of a newer protocol"),
            0x80 | 0x95 => {}
            b'.' => self.is_done = true,
            b'(' => self.marks.push(self.stack.len()),
            // Bytes, and the empty set.
            b'B' | b'C' | 0x8e | 0x96 | 0x8f => self.stack.push(Value::Other),
            b'N' | b'G' => self.stack.push(Value::Other),
            0x88 | 0x89 => self.stack.push(Value::Bool(instruction[0] == 0x88)),
            b']' => self.push_object(Object::List(Vec::new())),
            b'K' | b'M' => self.stack.push(Value::Int(number() as i64)),
            b'J' => self
                .stack
                .push(Value::Int(i64::from(number() as u32 as i32))),
            0x8a => {
                let value = long(&argument[1..]);
                self.stack.push(value.map_or(Value::Other, Value::Int));
            }
            b'X' | b'T' => self.push_text(&argument[4..])?,
            b'U' | 0x8c => self.push_text(&argument[1..])?,
            0x8d => self.push_text(&argument[8..])?,
            b')' => self.push_object(Object::Tuple(Vec::new())),
            0x85..=0x87 => {
                let n = usize::from(instruction[0] - 0x84);
                let items = self.pop_many(n)?;
                self.push_object(Object::Tuple(items));
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push_object(Object::Tuple(items));
            }
            b'}' => self.push_object(Object::Dict(Vec::new())),
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(&items)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }
            // Items of a set.
            0x90 => {
                self.pop_to_mark()?;
                if !matches!(self.stack.last(), Some(Value::Other)) {
                    return self.malformed("it adds to an object that is no set");
                }
            }
            0x91 => {
                self.pop_to_mark()?;
                self.stack.push(Value::Other);
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.append(&items)?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b'q' | b'r' => self.remember(number() as u32)?,
            0x94 => self.remember(self.memo.len() as u32)?,
            b'h' | b'j' => match self.memo.get(&(number() as u32)) {
                Some(value) => self.stack.push(*value),
                None => return self.malformed("it names a part that is not there"),
            },
            b'c' | b'i' => {
                let text = String::from_utf8_lossy(argument);
                let mut lines = text.lines();
                let module = lines.next().unwrap_or_default();
                let global = Global::of(module, lines.next().unwrap_or_default())?;
                if instruction[0] == b'i' {
                    return self.malformed("it makes an object that is no tensor");
                }
                self.stack.push(Value::Global(global));
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let (Some(module), Some(name)) = (self.text(names[0]), self.text(names[1])) else {
                    return self.malformed("it uses a value that is not text as a name");
                };
                let global = Global::of(module, name)?;
                self.stack.push(Value::Global(global));
            }
            b'Q' => self.persistent()?,
            b'R' => self.reduce()?,
            // An object of a class, of which the arguments follow, and with 0x92 their names.
            0x81 | 0x92 => {
                if instruction[0] == 0x92 {
                    self.pop_many(1)?;
                }
                let [class, _] = self.pop_many(2)?[..] else {
                    unreachable!("two were taken");
                };
                match class {
                    Value::Global(Global::Plain) => self.stack.push(Value::Other),
                    Value::Global(Global::OrderedDict | Global::DictLike) => {
                        self.push_object(Object::Dict(Vec::new()));
                    }
                    _ => return self.malformed("it makes an object that is no tensor"),
                }
            }
            b'b' => {
                self.pop_many(1)?;
                let is_dict = |top| matches!(self.object(top), Some(Object::Dict(_)));
                match self.stack.last() {
                    Some(Value::Other) => {}
                    Some(top) if is_dict(*top) => {}
                    _ => return self.malformed("it changes an object that is no dictionary"),
                }
            }
            _ => unreachable!("its length was known"),
        }
        Ok(())
    }

    fn push_object(&mut self, object: Object) {
        self.stack.push(Value::Object(self.objects.len()));
        self.objects.push(object);
    }

    fn push_text(&mut self, bytes: &[u8]) -> Result<(), WeightsError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push_object(Object::Text(text.to_owned())),
            Err(_) => return self.malformed("a name is no text"),
        }
        Ok(())
    }

    fn object(&self, value: Value) -> Option<&Object> {
        match value {
            Value::Object(idx) => self.objects.get(idx),
            _ => None,
        }
    }

    fn text(&self, value: Value) -> Option<&str> {
        match self.object(value)? {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    fn tuple(&self, value: Value) -> Result<&[Value], WeightsError> {
        match self.object(value) {
            Some(Object::Tuple(items)) => Ok(items),
            _ => self.malformed("a tensor is put together in an unknown way"),
        }
    }

    /// A tuple of sizes.
    fn sizes(&self, value: Value) -> Result<Vec<u64>, WeightsError> {
        let items = self.tuple(value)?;
        if items.len() > MAX_DIMS {
            return self.malformed("a tensor has more than eight dimensions");
        }
        items.iter().map(|item| self.size(*item)).collect()
    }

    fn size(&self, value: Value) -> Result<u64, WeightsError> {
        match value {
            Value::Int(n) if n >= 0 => Ok(n as u64),
            _ => self.malformed("a size is no number, or below 0"),
        }
    }

    /// The last `n` values since the last mark, first pushed first.
    fn pop_many(&mut self, n: usize) -> Result<Vec<Value>, WeightsError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(n) {
            Some(start) if start >= floor => Ok(self.stack.split_off(start)),
            _ => self.malformed("it takes values that are not there"),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, WeightsError> {
        match self.marks.pop() {
            Some(start) => Ok(self.stack.split_off(start)),
            None => self.malformed("it takes values that are not there"),
        }
    }

    fn remember(&mut self, key: u32) -> Result<(), WeightsError> {
        match self.stack.last() {
            Some(value) => {
                self.memo.insert(key, *value);
                Ok(())
            }
            None => self.malformed("it keeps a value that is not there"),
        }
    }

    /// Puts keys and values, by turns, into the dictionary below them.
    fn set_items(&mut self, items: &[Value]) -> Result<(), WeightsError> {
        let (pairs, []) = items.as_chunks::<2>() else {
            return self.malformed("a dictionary has a key without a value");
        };
        if let Some(Value::Other) = self.stack.last() {
            return Ok(());
        }
        if let Some(Value::Object(top)) = self.stack.last()
            && let Some(Object::Dict(dict)) = self.objects.get_mut(*top)
        {
            dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
            return Ok(());
        }
        self.malformed("it adds entries to an object that is no dictionary")
    }

    /// Appends to the list below.
    fn append(&mut self, items: &[Value]) -> Result<(), WeightsError> {
        if let Some(Value::Other) = self.stack.last() {
            return Ok(());
        }
        if let Some(Value::Object(top)) = self.stack.last()
            && let Some(Object::List(list)) = self.objects.get_mut(*top)
        {
            list.extend_from_slice(items);
            return Ok(());
        }
        self.malformed("it appends to an object that is no list")
    }

    /// Replaces `('storage', class, key, device, length)` by the storage that it names. Before version 1.6 there is a
    /// sixth item: None, or `(key, offset, length)` of the part of the storage that is meant.
    fn persistent(&mut self) -> Result<(), WeightsError> {
        let id = self.pop_many(1)?[0];
        let storage = match self.tuple(id)? {
            [
                kind,
                Value::Global(Global::Storage(class)),
                key,
                _,
                len,
                part @ ..,
            ] if self.text(*kind) == Some("storage") && part.len() <= 1 => self
                .text(*key)
                .filter(|key| key.len() <= MAX_KEY_BYTES)
                .map(|key| (class, key.to_owned(), *len, part.first().copied())),
            _ => None,
        };
        let Some((kind, key, len, part)) = storage else {
            return self.malformed("numbers are kept in an unknown way");
        };
        let offset = match part {
            None | Some(Value::Other) => 0,
            Some(part) => match *self.tuple(part)? {
                [_, offset, _] => self.size(offset)?,
                _ => return self.malformed("numbers are kept in an unknown way"),
            },
        };
        let storage = PickledStorage {
            key,
            kind,
            len: self.size(len)?,
            offset,
        };
        self.push_object(Object::Storage(storage));
        Ok(())
    }

    /// Calls one of the functions of [`Global`].
    fn reduce(&mut self) -> Result<(), WeightsError> {
        let call = self.pop_many(2)?;
        let (function, arguments) = match (call[0], self.tuple(call[1])?) {
            (Value::Global(Global::RebuildFromType), [function, _, arguments, _]) => {
                (*function, self.tuple(*arguments)?)
            }
            call => call,
        };
        let made = match (function, arguments) {
            (Value::Global(Global::OrderedDict), []) | (Value::Global(Global::DictLike), _) => {
                Object::Dict(Vec::new())
            }
            (
                Value::Global(Global::RebuildTensor),
                [
                    Value::Object(storage),
                    offset,
                    shape,
                    strides,
                    _,
                    _,
                    rest @ ..,
                ],
            ) if rest.len() <= 2 && matches!(self.objects[*storage], Object::Storage(_)) => {
                // The last argument may be a dictionary of flags: a view of the numbers with the other sign.
                if let Some(Value::Object(flags)) = rest.last()
                    && let Some(Object::Dict(flags)) = self.objects.get(*flags)
                    && !flags.is_empty()
                {
                    return Err(WeightsError::NegativeView);
                }
                Object::Tensor(PickledTensor {
                    storage: *storage,
                    offset: self.size(*offset)?,
                    shape: self.sizes(*shape)?,
                    strides: self.sizes(*strides)?,
                })
            }
            (Value::Global(Global::Plain), _) => {
                self.stack.push(Value::Other);
                return Ok(());
            }
            // A parameter is replaced by its tensor.
            (Value::Global(Global::RebuildParameter), [tensor, _, _] | [tensor, _, _, _])
                if matches!(self.object(*tensor), Some(Object::Tensor(_))) =>
            {
                let tensor = *tensor;
                self.stack.push(tensor);
                return Ok(());
            }
            _ => return self.malformed("a tensor is put together in an unknown way"),
        };
        self.push_object(made);
        Ok(())
    }
}

/// A signed number of up to eight bytes; longer ones are states of generators of random numbers.
fn long(bytes: &[u8]) -> Option<i64> {
    let sign = bytes.last().is_some_and(|b| *b >= 0x80);
    let mut all = [if sign { 0xff } else { 0 }; 8];
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(all))
}
