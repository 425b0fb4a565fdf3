//! What a finished pickle holds: storages, the tensors of the dictionary of weights, flags, keys.

use std::collections::{HashSet, VecDeque};

use super::Pickle;
use super::value::{Object, PickledStorage, PickledTensor, Value};
use crate::weights::error::WeightsError;

/// Where programs that train keep the weights beside the rest of their state.
const WEIGHTS_KEYS: [&str; 9] = [
    "model",
    "state_dict",
    "model_state_dict",
    "module",
    "model_state",
    "weights",
    "params",
    "net",
    "network",
];
/// Dictionaries in each other down to which the weights are searched.
const MAX_NESTING: usize = 4;

impl Pickle {
    /// All storages that the pickle names, in any order and possibly repeated.
    pub(in crate::weights) fn storages(&self) -> impl Iterator<Item = &PickledStorage> {
        self.objects.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some(storage),
            _ => None,
        })
    }

    /// The tensors of the dictionary of weights, by name: the outermost one, or where it has no expected name, one
    /// inside of it, the outermost first.
    ///
    /// # Errors
    /// [`WeightsError::Malformed`] if the outermost value is not a dictionary; [`WeightsError::SeveralModels`] if several
    /// in it hold a model and none has a key of [`WEIGHTS_KEYS`].
    pub(in crate::weights) fn tensors(
        &self,
        is_expected: impl Fn(&str) -> bool,
    ) -> Result<impl Iterator<Item = (&str, &PickledTensor, &PickledStorage)>, WeightsError> {
        let top = self.stack.last().and_then(|top| self.object(*top));
        let Some(Object::Dict(top)) = top else {
            return self.malformed("it holds no dictionary of tensors");
        };
        let has_expected = |dict: &[(Value, Value)]| {
            let mut names = dict.iter().filter_map(|(name, _)| self.text(*name));
            names.any(&is_expected)
        };
        if has_expected(top) {
            return Ok(self.named_tensors(top));
        }
        // Level by level; a dictionary may hold itself.
        let mut seen = HashSet::new();
        let mut level = vec![top];
        for _ in 0..MAX_NESTING {
            let mut weights: Option<(usize, &Vec<(Value, Value)>)> = None;
            let mut n_of_other_keys = 0;
            let mut next = Vec::new();
            for (key, value) in level.into_iter().flatten() {
                let Value::Object(idx) = value else {
                    continue;
                };
                let Some(Object::Dict(dict)) = self.objects.get(*idx) else {
                    continue;
                };
                if !seen.insert(*idx) {
                    continue;
                }
                next.push(dict);
                let key = self.text(*key);
                let rank = WEIGHTS_KEYS.iter().position(|known| key == Some(known));
                let rank = rank.unwrap_or(WEIGHTS_KEYS.len());
                if weights.is_none_or(|(best, _)| rank <= best) && has_expected(dict) {
                    n_of_other_keys += usize::from(rank == WEIGHTS_KEYS.len());
                    if weights.is_none_or(|(best, _)| rank < best) {
                        weights = Some((rank, dict));
                    }
                }
            }
            if let Some((rank, dict)) = weights {
                if rank == WEIGHTS_KEYS.len() && n_of_other_keys > 1 {
                    return Err(WeightsError::SeveralModels);
                }
                return Ok(self.named_tensors(dict));
            }
            level = next;
        }
        Ok(self.named_tensors(top))
    }

    fn named_tensors<'a>(
        &'a self,
        dict: &'a [(Value, Value)],
    ) -> impl Iterator<Item = (&'a str, &'a PickledTensor, &'a PickledStorage)> {
        dict.iter().filter_map(|(name, tensor)| {
            let name = self.text(*name)?;
            let Some(Object::Tensor(tensor)) = self.object(*tensor) else {
                return None;
            };
            let Object::Storage(storage) = &self.objects[tensor.storage] else {
                unreachable!("a tensor is made of a storage");
            };
            Some((name, tensor, storage))
        })
    }

    /// The truth value with this key in the outermost dictionary.
    pub(in crate::weights) fn flag(&self, key: &str) -> Option<bool> {
        let Some(Object::Dict(dict)) = self.stack.last().and_then(|top| self.object(*top)) else {
            return None;
        };
        dict.iter().find_map(|item| match item {
            (name, Value::Bool(flag)) if self.text(*name) == Some(key) => Some(*flag),
            _ => None,
        })
    }

    /// The texts of the outermost list; `None` if it is anything else.
    pub(in crate::weights) fn texts(&self) -> Option<VecDeque<String>> {
        let Some(Object::List(items)) = self.stack.last().and_then(|top| self.object(*top)) else {
            return None;
        };
        let texts = items.iter();
        texts
            .map(|item| self.text(*item).map(str::to_owned))
            .collect()
    }
}
