//! `Loader`: builds a `Model` from a checkpoint's tensors, one part per step, in file order.

use std::collections::HashMap;
use std::ops::Range;

use super::model::{Block, LayerNorm, Linear, Model};
use crate::kernels::pack::{PackedWeight, Packer};
use crate::model::config::Gpt2Config;
use crate::parallel::Threads;

/// The unit of one step: a whole tensor, or some rows of a large matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorPart {
    /// The tensor's name.
    pub name: String,
    /// Rows of the tensor.
    pub rows: Range<usize>,
    /// Their bytes in the source.
    pub bytes: Range<u64>,
}

/// A checkpoint of any format that tensors are read from.
///
/// Names are Hugging Face's without the prefix `transformer.`: `wte.weight`, `h.0.attn.c_attn.bias`.
pub trait TensorSource {
    /// Why a tensor cannot be read.
    type Error;

    /// Makes the empty packer of a matrix (out, in) or an embedding (ids, C).
    ///
    /// # Errors
    /// The errors of the source.
    fn packer(&mut self, name: &str) -> Result<Packer, Self::Error>;

    /// Reads the next rows of a matrix, those of one [`TensorPart`].
    ///
    /// # Errors
    /// The errors of the source.
    fn rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        packer: &mut Packer,
    ) -> Result<(), Self::Error>;

    /// Reads any other tensor as floats, row by row.
    ///
    /// # Errors
    /// The errors of the source.
    fn floats(&mut self, name: &str) -> Result<Vec<f32>, Self::Error>;

    /// Every part of every tensor, in the fastest order to read; the parts of one tensor are adjacent.
    fn parts(&self) -> Vec<TensorPart>;
}

impl<S: TensorSource + ?Sized> TensorSource for Box<S> {
    type Error = S::Error;

    fn packer(&mut self, name: &str) -> Result<Packer, S::Error> {
        (**self).packer(name)
    }

    fn rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        packer: &mut Packer,
    ) -> Result<(), S::Error> {
        (**self).rows(name, rows, packer)
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, S::Error> {
        (**self).floats(name)
    }

    fn parts(&self) -> Vec<TensorPart> {
        (**self).parts()
    }
}

/// Progress of a [`Loader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Bytes of tensors read.
    pub done: u64,
    /// Bytes of tensors in all.
    pub total: u64,
}

/// A model that is being read, part by part.
pub struct Loader {
    config: Gpt2Config,
    /// Parts not read yet, in reverse order.
    left: Vec<TensorPart>,
    /// The matrix that is partly read.
    packer: Option<Packer>,
    matrices: HashMap<String, PackedWeight>,
    floats: HashMap<String, Vec<f32>>,
    progress: LoadProgress,
    threads: Threads,
}

impl Loader {
    /// A loader of `parts`, those of a [`TensorSource`]. Reads nothing yet.
    pub fn new(config: Gpt2Config, mut parts: Vec<TensorPart>) -> Self {
        let total = parts.iter().map(|part| part.bytes.end - part.bytes.start);
        let progress = LoadProgress {
            done: 0,
            total: total.sum(),
        };
        parts.reverse();
        Self {
            config,
            left: parts,
            packer: None,
            matrices: HashMap::new(),
            floats: HashMap::new(),
            progress,
            threads: Threads::default(),
        }
    }

    /// The loader, whose matrices several threads pack.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.threads = threads;
        self
    }

    /// Bytes read and bytes in all.
    pub fn progress(&self) -> LoadProgress {
        self.progress
    }

    /// The bytes of the source that the next step reads; `None` once all parts are read and [`Self::finish`] may
    /// follow.
    pub fn next_bytes(&self) -> Option<Range<u64>> {
        self.left.last().map(|part| part.bytes.clone())
    }

    /// Reads the next part; does nothing once all are read.
    ///
    /// Every call takes the same source. The source refuses tensors whose shape differs from the configuration's.
    ///
    /// # Errors
    /// The errors of the source. The loader is of no use after an error.
    pub fn step<S: TensorSource>(&mut self, source: &mut S) -> Result<LoadProgress, S::Error> {
        if let Some(TensorPart { name, rows, bytes }) = self.left.pop() {
            if is_matrix(&name) {
                let mut packer = match self.packer.take() {
                    Some(packer) => packer,
                    None => source.packer(&name)?.with_threads(self.threads.clone()),
                };
                source.rows(&name, rows, &mut packer)?;
                if packer.is_full() {
                    self.matrices.insert(name, packer.finish());
                } else {
                    self.packer = Some(packer);
                }
            } else {
                let floats = source.floats(&name)?;
                self.floats.insert(name, floats);
            }
            self.progress.done += bytes.end - bytes.start;
        }
        Ok(self.progress)
    }

    /// The model, once all parts are read.
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

/// Whether the tensor is a linear map or a token embedding, which are packed; all other tensors stay floats.
fn is_matrix(name: &str) -> bool {
    let Some(of) = name.strip_suffix(".weight") else {
        return false;
    };
    let part = of.rsplit('.').next().unwrap_or(of);
    matches!(part, "wte" | "lm_head" | "c_attn" | "c_proj" | "c_fc")
}
