//! `Needed`: the tensors a configuration asks for; what a file says of them is checked here.

use std::collections::HashMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::dtype::StoredType;
use super::error::WeightsError;
use super::names::{self, Role, TensorSpec};
use crate::model::config::Gpt2Config;

/// The tensors a GPT-2 in Hugging Face's layout must hold, found by their stored names.
#[derive(Debug)]
pub(super) struct Needed {
    /// In the order of [`names::tensors`].
    pub(super) specs: Vec<TensorSpec>,
    by_name: HashMap<String, usize>,
}

/// A needed tensor that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Index into [`Needed::specs`].
    pub(super) idx: usize,
    /// How its numbers are stored.
    pub(super) dtype: StoredType,
    /// First byte, counted from the start of the file.
    pub(super) offset: u64,
}

impl Needed {
    /// All of them; a separate head only if `config.json` does not tie it to the embedding.
    pub(super) fn new(config: &Gpt2Config, is_head_tied: bool) -> Self {
        let specs: Vec<TensorSpec> = names::tensors(config)
            .into_iter()
            .filter(|spec| !(spec.is_optional && is_head_tied))
            .collect();
        let by_name = specs
            .iter()
            .enumerate()
            .map(|(idx, spec)| (spec.name.clone(), idx))
            .collect();
        Self { specs, by_name }
    }

    /// Index of the tensor stored under that name, with or without `transformer.`; `None` if it is not needed,
    /// as PyTorch's masks `attn.bias` and `attn.masked_bias`.
    pub(super) fn find(&self, stored_name: &str) -> Option<usize> {
        let name = stored_name
            .strip_prefix("transformer.")
            .unwrap_or(stored_name);
        self.by_name.get(name).copied()
    }

    /// The type of a tensor of that shape and type, if both can be.
    ///
    /// # Errors
    /// [`WeightsError::ShapeMismatch`]; [`WeightsError::UnsupportedType`] if `dtype` is `None`.
    pub(super) fn check(
        &self,
        idx: usize,
        shape: &[u64],
        dtype: Option<StoredType>,
        dtype_name: impl Display,
    ) -> Result<StoredType, WeightsError> {
        let spec = &self.specs[idx];
        let (rows, cols) = (spec.rows as u64, spec.cols as u64);
        let expected = match spec.role {
            Role::Vector => vec![cols],
            Role::Projection => vec![cols, rows],
            Role::Embedding | Role::Positions => vec![rows, cols],
        };
        if shape != expected {
            return Err(WeightsError::ShapeMismatch {
                name: spec.name.clone(),
                got: shape.to_vec(),
                expected,
            });
        }
        dtype.ok_or_else(|| WeightsError::UnsupportedType {
            name: spec.name.clone(),
            dtype: dtype_name.to_string(),
        })
    }

    /// The first tensor that `is_there` does not know, as an error.
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`].
    pub(super) fn all(&self, is_there: impl Fn(usize) -> bool) -> Result<(), WeightsError> {
        match (0..self.specs.len()).find(|idx| !is_there(*idx)) {
            None => Ok(()),
            Some(idx) => Err(WeightsError::MissingTensor {
                name: self.specs[idx].name.clone(),
            }),
        }
    }

    /// That a tensor stands in the files twice.
    pub(super) fn repeated(&self, idx: usize) -> WeightsError {
        WeightsError::RepeatedTensor {
            name: self.specs[idx].name.clone(),
        }
    }
}
