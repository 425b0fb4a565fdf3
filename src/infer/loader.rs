//! `Loader`: builds a `Model` from a source of tensors, one tensor per step, in the order they lie in.

use std::collections::HashMap;
use std::ops::Range;

use super::{Block, LayerNorm, Linear, Model};
use crate::kernels::pack::PackedWeight;
use crate::model::config::Gpt2Config;

/// Where tensors come from: a checkpoint of any format.
///
/// Names are Hugging Face's without the leading `transformer.`: `wte.weight`, `h.0.attn.c_attn.bias`.
pub trait TensorSource {
    /// Why a tensor cannot be had.
    type Error;

    /// A matrix (out, in), or an embedding (ids, C).
    ///
    /// # Errors
    /// The source's.
    fn matrix(&mut self, name: &str) -> Result<PackedWeight, Self::Error>;

    /// Any other tensor, row after row, as floats.
    ///
    /// # Errors
    /// The source's.
    fn floats(&mut self, name: &str) -> Result<Vec<f32>, Self::Error>;

    /// Every tensor there is, in the order in which they are read best, each with its bytes in the source.
    fn tensors(&self) -> Vec<(String, Range<u64>)>;
}

impl<S: TensorSource + ?Sized> TensorSource for Box<S> {
    type Error = S::Error;

    fn matrix(&mut self, name: &str) -> Result<PackedWeight, S::Error> {
        (**self).matrix(name)
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, S::Error> {
        (**self).floats(name)
    }

    fn tensors(&self) -> Vec<(String, Range<u64>)> {
        (**self).tensors()
    }
}

/// How far a [`Loader`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Bytes of tensors read.
    pub done: u64,
    /// Bytes of tensors in all.
    pub total: u64,
}

/// A model being built, tensor by tensor.
pub struct Loader {
    config: Gpt2Config,
    /// Last first.
    left: Vec<(String, Range<u64>)>,
    matrices: HashMap<String, PackedWeight>,
    floats: HashMap<String, Vec<f32>>,
    progress: LoadProgress,
}

impl Loader {
    /// Of `tensors`, which are those of a [`TensorSource`]. Nothing is read yet.
    pub fn new(config: Gpt2Config, mut tensors: Vec<(String, Range<u64>)>) -> Self {
        let total = tensors.iter().map(|(_, bytes)| bytes.end - bytes.start);
        let progress = LoadProgress {
            done: 0,
            total: total.sum(),
        };
        tensors.reverse();
        Self {
            config,
            left: tensors,
            matrices: HashMap::new(),
            floats: HashMap::new(),
            progress,
        }
    }

    /// How far it is.
    pub fn progress(&self) -> LoadProgress {
        self.progress
    }

    /// The bytes of the source that the next step reads; `None` once all are read and [`Self::finish`] may follow.
    pub fn next_bytes(&self) -> Option<Range<u64>> {
        self.left.last().map(|(_, bytes)| bytes.clone())
    }

    /// Reads the next tensor; nothing once all are read.
    ///
    /// The same source each time. A tensor of another shape than the configuration's is the source's
    /// to refuse.
    ///
    /// # Errors
    /// The source's; the step may be tried again.
    pub fn step<S: TensorSource>(&mut self, source: &mut S) -> Result<LoadProgress, S::Error> {
        if let Some((name, bytes)) = self.left.last().cloned() {
            if is_matrix(&name) {
                self.matrices.insert(name.clone(), source.matrix(&name)?);
            } else {
                self.floats.insert(name.clone(), source.floats(&name)?);
            }
            self.left.pop();
            self.progress.done += bytes.end - bytes.start;
        }
        Ok(self.progress)
    }

    /// The model.
    ///
    /// # Panics
    /// If a tensor that the configuration needs was not read or has another shape.
    pub fn finish(mut self) -> Model {
        let (vocab_size, n_ctx, c) = (
            self.config.vocab_size,
            self.config.n_ctx,
            self.config.n_embd,
        );
        let lm_head = self.matrices.contains_key("lm_head.weight");
        Model {
            wte: self.matrix("wte.weight", vocab_size, c),
            wpe: self.vector("wpe.weight", n_ctx * c),
            blocks: (0..self.config.n_layer).map(|i| self.block(i)).collect(),
            ln_f: self.layer_norm("ln_f"),
            lm_head: lm_head.then(|| self.matrix("lm_head.weight", vocab_size, c)),
            config: self.config,
        }
    }

    fn block(&mut self, layer_idx: usize) -> Block {
        let (c, n_inner) = (self.config.n_embd, self.config.n_inner);
        let name = |part: &str| format!("h.{layer_idx}.{part}");
        Block {
            ln_1: self.layer_norm(&name("ln_1")),
            c_attn: self.linear(&name("attn.c_attn"), 3 * c, c),
            attn_c_proj: self.linear(&name("attn.c_proj"), c, c),
            ln_2: self.layer_norm(&name("ln_2")),
            c_fc: self.linear(&name("mlp.c_fc"), n_inner, c),
            mlp_c_proj: self.linear(&name("mlp.c_proj"), c, n_inner),
        }
    }

    fn linear(&mut self, name: &str, rows: usize, cols: usize) -> Linear {
        Linear {
            weight: self.matrix(&format!("{name}.weight"), rows, cols),
            bias: self.vector(&format!("{name}.bias"), rows),
        }
    }

    fn layer_norm(&mut self, name: &str) -> LayerNorm {
        let c = self.config.n_embd;
        LayerNorm {
            weight: self.vector(&format!("{name}.weight"), c),
            bias: self.vector(&format!("{name}.bias"), c),
        }
    }

    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> PackedWeight {
        let weight = self.matrices.remove(name);
        let weight = weight.unwrap_or_else(|| panic!("the source has {name}"));
        assert_eq!(
            (weight.rows(), weight.cols()),
            (rows, cols),
            "shape of {name}"
        );
        weight
    }

    fn vector(&mut self, name: &str, len: usize) -> Vec<f32> {
        let values = self.floats.remove(name);
        let values = values.unwrap_or_else(|| panic!("the source has {name}"));
        assert_eq!(values.len(), len, "length of {name}");
        values
    }
}

/// Linear maps and token embeddings; the others are kept as floats.
fn is_matrix(name: &str) -> bool {
    let Some(of) = name.strip_suffix(".weight") else {
        return false;
    };
    let part = of.rsplit('.').next().unwrap_or(of);
    matches!(part, "wte" | "lm_head" | "c_attn" | "c_proj" | "c_fc")
}
