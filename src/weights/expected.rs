//! `ExpectedTensors`: the tensors that a configuration asks float weights to hold, and the checks of each.

use std::collections::HashMap;
use std::fmt::Display;

use super::dtype::StoredType;
use super::error::WeightsError;
use super::names::{self, TensorSpec};
use crate::model::ModelError;
use crate::model::config::Gpt2Config;

/// The tensors that a GPT-2 in Hugging Face's layout must hold, found by their stored names.
#[derive(Debug)]
pub(super) struct ExpectedTensors {
    /// In the order of [`names::tensors`].
    pub(super) specs: Vec<TensorSpec>,
    idx_by_name: HashMap<String, usize>,
}

impl ExpectedTensors {
    /// All tensors of a `config.json`; a separate head only if the configuration does not tie it to the embedding.
    ///
    /// # Errors
    /// As [`Gpt2Config::from_json`].
    pub(super) fn from_config_json(config_json: &[u8]) -> Result<(Gpt2Config, Self), ModelError> {
        let config = Gpt2Config::from_json(config_json)?;
        let is_head_tied = Gpt2Config::is_head_tied(config_json)?;
        let mut specs = names::tensors(&config);
        specs.retain(|spec| !(spec.is_optional && is_head_tied));
        Ok((config, Self::new(specs)))
    }

    /// The set of these tensors.
    pub(super) fn new(specs: Vec<TensorSpec>) -> Self {
        let names = specs.iter().enumerate();
        let idx_by_name = names.map(|(idx, spec)| (spec.name.clone(), idx)).collect();
        Self { specs, idx_by_name }
    }

    /// Index of the tensor stored under that name, with or without `transformer.`; `None` for others, such as
    /// PyTorch's masks `attn.bias` and `attn.masked_bias`.
    pub(super) fn find(&self, stored_name: &str) -> Option<usize> {
        let name = stored_name
            .strip_prefix("transformer.")
            .unwrap_or(stored_name);
        self.idx_by_name.get(name).copied()
    }

    /// The type of a stored tensor, if its shape is the expected one and its type can be read.
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
        let expected = spec.hugging_face_shape();
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

    /// Refuses an incomplete set of tensors.
    ///
    /// # Errors
    /// [`WeightsError::MissingTensor`] with the first tensor for which `is_present` is false.
    pub(super) fn require_all(
        &self,
        is_present: impl Fn(usize) -> bool,
    ) -> Result<(), WeightsError> {
        match (0..self.specs.len()).find(|idx| !is_present(*idx)) {
            None => Ok(()),
            Some(idx) => Err(self.missing(idx)),
        }
    }

    /// The error for a tensor that the files lack.
    pub(super) fn missing(&self, idx: usize) -> WeightsError {
        WeightsError::MissingTensor {
            name: self.specs[idx].name.clone(),
        }
    }

    /// The error for a tensor that the files hold twice.
    pub(super) fn repeated(&self, idx: usize) -> WeightsError {
        WeightsError::RepeatedTensor {
            name: self.specs[idx].name.clone(),
        }
    }
}
