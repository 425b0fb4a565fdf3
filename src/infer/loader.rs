//! `Loader`: builds a `Model` from a source of tensors, one block per step.

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

    /// Whether there is a tensor of that name.
    fn contains(&self, name: &str) -> bool;
}

impl<S: TensorSource + ?Sized> TensorSource for Box<S> {
    type Error = S::Error;

    fn matrix(&mut self, name: &str) -> Result<PackedWeight, S::Error> {
        (**self).matrix(name)
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, S::Error> {
        (**self).floats(name)
    }

    fn contains(&self, name: &str) -> bool {
        (**self).contains(name)
    }
}

/// How far a [`Loader`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    /// Steps taken.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

impl LoadProgress {
    /// Whether [`Loader::finish`] may follow.
    pub fn is_complete(self) -> bool {
        self.done == self.total
    }
}

/// A model being built: embeddings first, then a block per step.
pub struct Loader {
    config: Gpt2Config,
    embeddings: Option<Embeddings>,
    blocks: Vec<Block>,
}

struct Embeddings {
    wte: PackedWeight,
    wpe: Vec<f32>,
    ln_f: LayerNorm,
    lm_head: Option<PackedWeight>,
}

impl Loader {
    /// Nothing is read yet.
    pub fn new(config: Gpt2Config) -> Self {
        Self {
            blocks: Vec::with_capacity(config.n_layer),
            embeddings: None,
            config,
        }
    }

    /// How far it is.
    pub fn progress(&self) -> LoadProgress {
        LoadProgress {
            done: usize::from(self.embeddings.is_some()) + self.blocks.len(),
            total: 1 + self.config.n_layer,
        }
    }

    /// Reads the next part: embeddings and head, then one block each; nothing once complete.
    ///
    /// The same source each time. A tensor of another shape than the configuration's is the source's
    /// to refuse.
    ///
    /// # Errors
    /// The source's; the step may be tried again.
    ///
    /// # Panics
    /// If the source gives a tensor of the wrong shape.
    pub fn step<S: TensorSource>(&mut self, source: &mut S) -> Result<LoadProgress, S::Error> {
        if self.embeddings.is_none() {
            self.embeddings = Some(self.read_embeddings(source)?);
        } else if self.blocks.len() < self.config.n_layer {
            let block = self.read_block(self.blocks.len(), source)?;
            self.blocks.push(block);
        }
        Ok(self.progress())
    }

    /// The model.
    ///
    /// # Panics
    /// If [`Self::progress`] is not complete.
    pub fn finish(self) -> Model {
        assert!(self.progress().is_complete(), "every step was taken");
        let embeddings = self.embeddings.expect("the first step reads them");
        Model {
            config: self.config,
            wte: embeddings.wte,
            wpe: embeddings.wpe,
            blocks: self.blocks,
            ln_f: embeddings.ln_f,
            lm_head: embeddings.lm_head,
        }
    }

    fn read_embeddings<S: TensorSource>(&self, source: &mut S) -> Result<Embeddings, S::Error> {
        let (vocab_size, c) = (self.config.vocab_size, self.config.n_embd);
        Ok(Embeddings {
            wte: matrix(source, "wte.weight", vocab_size, c)?,
            wpe: floats(source, "wpe.weight", self.config.n_ctx * c)?,
            ln_f: layer_norm(source, "ln_f", c)?,
            lm_head: match source.contains("lm_head.weight") {
                true => Some(matrix(source, "lm_head.weight", vocab_size, c)?),
                false => None,
            },
        })
    }

    fn read_block<S: TensorSource>(
        &self,
        layer_idx: usize,
        source: &mut S,
    ) -> Result<Block, S::Error> {
        let (c, n_inner) = (self.config.n_embd, self.config.n_inner);
        let name = |part: &str| format!("h.{layer_idx}.{part}");
        Ok(Block {
            ln_1: layer_norm(source, &name("ln_1"), c)?,
            c_attn: linear(source, &name("attn.c_attn"), 3 * c, c)?,
            attn_c_proj: linear(source, &name("attn.c_proj"), c, c)?,
            ln_2: layer_norm(source, &name("ln_2"), c)?,
            c_fc: linear(source, &name("mlp.c_fc"), n_inner, c)?,
            mlp_c_proj: linear(source, &name("mlp.c_proj"), c, n_inner)?,
        })
    }
}

fn matrix<S: TensorSource>(
    source: &mut S,
    name: &str,
    rows: usize,
    cols: usize,
) -> Result<PackedWeight, S::Error> {
    let weight = source.matrix(name)?;
    assert_eq!(
        (weight.rows(), weight.cols()),
        (rows, cols),
        "shape of {name}"
    );
    Ok(weight)
}

fn floats<S: TensorSource>(source: &mut S, name: &str, len: usize) -> Result<Vec<f32>, S::Error> {
    let values = source.floats(name)?;
    assert_eq!(values.len(), len, "length of {name}");
    Ok(values)
}

fn layer_norm<S: TensorSource>(
    source: &mut S,
    name: &str,
    c: usize,
) -> Result<LayerNorm, S::Error> {
    Ok(LayerNorm {
        weight: floats(source, &format!("{name}.weight"), c)?,
        bias: floats(source, &format!("{name}.bias"), c)?,
    })
}

fn linear<S: TensorSource>(
    source: &mut S,
    name: &str,
    rows: usize,
    cols: usize,
) -> Result<Linear, S::Error> {
    Ok(Linear {
        weight: matrix(source, &format!("{name}.weight"), rows, cols)?,
        bias: floats(source, &format!("{name}.bias"), rows)?,
    })
}
