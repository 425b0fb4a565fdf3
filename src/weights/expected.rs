//! `ExpectedTensors`: the tensors that a configuration asks float weights to hold, and the checks of each.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use super::dtype::StoredType;
use super::error::WeightsError;
use super::location::TensorLocation;
use super::names::{self, TensorSpec};
use super::remarks::Remarks;
use crate::model::ModelError;
use crate::model::config::Gpt2Config;
use crate::notice::Notice;

/// The tensors that a GPT-2 in Hugging Face's layout must hold, found by their stored names.
#[derive(Debug)]
pub(super) struct ExpectedTensors {
    /// In the order of [`names::tensors`].
    pub(super) specs: Vec<TensorSpec>,
    idx_by_name: HashMap<String, usize>,
    tied: Option<Tied>,
}

/// Indices of the embedding and of the head that is tied to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tied {
    pub(super) embedding: usize,
    pub(super) head: usize,
}

impl Tied {
    /// Whether the tensor is one of the two.
    pub(super) fn contains(self, idx: usize) -> bool {
        idx == self.embedding || idx == self.head
    }

    /// The notice about a head that is not the embedding.
    pub(super) fn notice() -> Notice {
        Notice::new(
            "config.json",
            "it ties the head to the token embedding, but the weights hold another head (lm_head.weight), which is \
             used, as in transformers 5",
        )
    }
}

/// What programs put around a model, as parts of its tensors' names: the class with the head, PyTorch's data
/// parallelism and compiler, Lightning, accelerate, peft. No tensor of GPT-2 has such a part.
const WRAPPERS: [&str; 26] = [
    "transformer",
    "module",
    "model",
    "_orig_mod",
    "_model",
    "base_model",
    "pretrained_model",
    "gpt2",
    "gpt",
    "lm",
    "language_model",
    "llm",
    "net",
    "network",
    "_forward_module",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    // What people call the model in a class of their own; of two in one, such as a teacher, only that which is trained.
    "actor",
    "auto_model",
    "backbone",
    "decoder",
    "generator",
    "gpt_model",
    "policy",
    "student",
    "hf_model",
];

/// Expected tensors of a file: index, stored name, and what the file states.
pub(super) type Selected<'a, T> = Vec<(usize, &'a str, T)>;

impl ExpectedTensors {
    /// All tensors of a `config.json`, with what is to be known about it. Where the configuration ties the head to the
    /// embedding, either of the two may stand for both.
    ///
    /// # Errors
    /// As [`Gpt2Config::read`].
    pub(super) fn from_config_json(
        config_json: &[u8],
    ) -> Result<(Gpt2Config, Self, Vec<Notice>), ModelError> {
        let (config, notices) = Gpt2Config::read(config_json)?;
        let mut expected = Self::new(names::tensors(&config));
        if Gpt2Config::is_head_tied(config_json)? {
            let of_name = |name| expected.idx_by_name.get(name).copied();
            let pair = of_name("wte.weight").zip(of_name("lm_head.weight"));
            expected.tied = pair.map(|(embedding, head)| Tied { embedding, head });
        }
        Ok((config, expected, notices))
    }

    /// The set of these tensors, none of them tied to another.
    pub(super) fn new(specs: Vec<TensorSpec>) -> Self {
        let names = specs.iter().enumerate();
        let idx_by_name = names.map(|(idx, spec)| (spec.name.clone(), idx)).collect();
        Self {
            specs,
            idx_by_name,
            tied: None,
        }
    }

    /// The embedding and the head, if they are tied.
    pub(super) fn tied(&self) -> Option<Tied> {
        self.tied
    }

    /// The tied head among the tensors of a storage, if it is the very view that the embedding is.
    pub(super) fn same_as_embedding(&self, tensors: &[TensorLocation]) -> Option<usize> {
        let tied = self.tied?;
        let find = |idx| tensors.iter().find(|location| location.idx == idx);
        let (embedding, head) = (find(tied.embedding)?, find(tied.head)?);
        let moved = TensorLocation {
            idx: tied.head,
            ..*embedding
        };
        (moved == *head).then_some(tied.head)
    }

    /// Index of the tensor stored under that name, whatever programs have put around the model: `transformer.`,
    /// `module.` and other [`WRAPPERS`]. `None` for others, such as PyTorch's masks `attn.bias` and
    /// `attn.masked_bias`.
    pub(super) fn find(&self, stored_name: &str) -> Option<usize> {
        if let Some(idx) = self.idx_by_name.get(stored_name) {
            return Some(*idx);
        }
        let parts = stored_name.split('.');
        let own: Vec<&str> = parts.filter(|part| !WRAPPERS.contains(part)).collect();
        self.idx_by_name.get(own.join(".").as_str()).copied()
    }

    /// The expected tensors among those of a file, in the order of [`names::tensors`], each with its stored name, and
    /// what the other names tell. Of a tensor that is there under several names, the name counts that `transformers`
    /// takes: `transformer.` before it, else nothing, else the fewest wrappers.
    ///
    /// # Errors
    /// [`WeightsError::Quantized`].
    pub(super) fn select<'a, T>(
        &self,
        stored: impl IntoIterator<Item = (&'a str, T)>,
    ) -> Result<(Selected<'a, T>, Remarks), WeightsError> {
        let rank = |idx: usize, name: &str| {
            let is_wrapped_as_usual = name
                .strip_prefix("transformer.")
                .is_some_and(|own| own == self.specs[idx].name);
            (!is_wrapped_as_usual, name.matches('.').count())
        };
        let mut remarks = Remarks::default();
        let mut best: BTreeMap<usize, (&str, T)> = BTreeMap::new();
        for (name, tensor) in stored {
            remarks.add_name(name)?;
            let Some(idx) = self.find(name) else {
                continue;
            };
            match best.entry(idx) {
                Entry::Vacant(entry) => {
                    entry.insert((name, tensor));
                }
                Entry::Occupied(mut entry) => {
                    remarks.has_repeated = true;
                    let other = entry.get().0;
                    if (rank(idx, name), name) < (rank(idx, other), other) {
                        entry.insert((name, tensor));
                    }
                }
            }
        }
        let selected = best.into_iter();
        let selected = selected.map(|(idx, (name, tensor))| (idx, name, tensor));
        Ok((selected.collect(), remarks))
    }

    /// The type of a stored tensor, if its shape is the expected one and its type can be read.
    ///
    /// # Errors
    /// [`WeightsError::ShapeMismatch`], [`WeightsError::Transposed`]; [`WeightsError::UnsupportedType`] if `dtype` is
    /// `None`.
    pub(super) fn check(
        &self,
        idx: usize,
        shape: &[u64],
        dtype: Option<StoredType>,
        dtype_name: impl Display,
    ) -> Result<StoredType, WeightsError> {
        let spec = &self.specs[idx];
        let expected = spec.hugging_face_shape();
        let is_map = spec.role.is_transposed_in_hugging_face();
        if shape != expected && is_map && shape.iter().rev().eq(&expected) {
            return Err(WeightsError::Transposed {
                name: spec.name.clone(),
                got: shape.to_vec(),
                expected,
            });
        }
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
        let is_present = |idx: usize| match self.tied {
            Some(tied) if idx == tied.embedding || idx == tied.head => {
                is_present(tied.embedding) || is_present(tied.head)
            }
            _ => is_present(idx),
        };
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
