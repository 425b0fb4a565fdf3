//! `Trained`: the operations of a model in training, as candle's custom operations with gradients of their own.
//!
//! Each keeps its inputs alone, so a layer of a GPT-2 keeps 10 numbers per position and channel: qkv, the mixed values,
//! the hidden numbers of the MLP and the residual stream twice. Weights are [`Parameter`]s, to whose gradients the
//! operations add; candle's graph carries the gradients of what lies between. [`Layer`] joins the operations of a layer,
//! so that graph has one node per layer.

mod add_linear;
mod attend;
mod embed;
mod head_loss;
pub(super) mod layer;
pub(super) mod linear;
mod linear_of_norm;
mod norm;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use candle_core::{Device, Tensor, Var};

use super::context::{Context, Pass};
use super::parameter::Parameter;
use crate::model::ModelError;
use crate::model::config::Activation;
use crate::model::linear::{LayerNorm, Linear};
use crate::model::operations::{BlockOf, Heads, LayerNormOf, LinearOf, Operations};
use add_linear::AddLinear;
use attend::Attend;
use embed::Embed;
use head_loss::HeadLoss;
use layer::{Keep, Layer};
use linear::{LinearMap, Weight};
use linear_of_norm::LinearOfNorm;
use norm::NormOf;

/// The weights of a model in training, and its operations.
pub struct Trained {
    context: Arc<Context>,
    matrices: HashMap<String, Weight>,
    vectors: HashMap<String, Arc<Parameter>>,
    /// The argument of [`Embed`].
    root: Var,
    keep: Keep,
}

impl Trained {
    /// Operations on these weights, by Hugging Face's names.
    ///
    /// # Errors
    /// candle's.
    pub fn new(
        context: Arc<Context>,
        matrices: HashMap<String, Weight>,
        vectors: HashMap<String, Arc<Parameter>>,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            context,
            matrices,
            vectors,
            root: Var::zeros((), candle_core::DType::F32, &Device::Cpu)?,
            keep: Keep::All,
        })
    }

    /// What layers keep from now on. The results are the same.
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    /// What the operations share.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The matrix with this name.
    pub fn weight(&self, name: &str) -> Option<&Weight> {
        self.matrices.get(name)
    }

    /// The vector with this name.
    pub fn parameter(&self, name: &str) -> Option<&Arc<Parameter>> {
        self.vectors.get(name)
    }

    fn map(&self, linear: &LinearOf<Self>) -> LinearMap {
        LinearMap {
            context: Arc::clone(&self.context),
            weight: linear.weight.clone(),
            bias: Arc::clone(&linear.bias),
        }
    }

    fn attend(&self, heads: Heads) -> Attend {
        let dropout = self.context.next_dropout();
        let context = Arc::clone(&self.context);
        Attend::new(context, heads.n_head, heads.score_scale, dropout)
    }

    fn add(&self, linear: &LinearOf<Self>, activation: Activation) -> AddLinear {
        AddLinear {
            map: self.map(linear),
            activation,
            dropout: self.context.next_dropout(),
        }
    }

    fn norm(&self, norm: &LayerNormOf<Self>) -> NormOf {
        NormOf {
            context: Arc::clone(&self.context),
            weight: Arc::clone(&norm.weight),
            bias: Arc::clone(&norm.bias),
            epsilon: norm.epsilon,
        }
    }
}

/// The error of a tensor with another shape.
fn wrong_shape(name: &str, expected: &[usize], got: &[usize]) -> ModelError {
    ModelError::Tensor(
        candle_core::Error::UnexpectedShape {
            msg: format!("`{name}`"),
            expected: expected.into(),
            got: got.into(),
        }
        .bt(),
    )
}

impl Operations for Trained {
    type Matrix = Weight;
    type Vector = Arc<Parameter>;

    fn matrix(&self, name: &str, rows: usize, cols: usize) -> Result<Option<Weight>, ModelError> {
        let Some(weight) = self.matrices.get(name) else {
            return Ok(None);
        };
        let shape = match &weight.base {
            linear::Base::Floats(parameter) => parameter.shape().to_vec(),
            // Linear maps are transposed; embeddings are not.
            linear::Base::Packed(packed) if packed.rows() == rows => vec![rows, packed.cols()],
            linear::Base::Packed(packed) => vec![packed.cols(), packed.rows()],
        };
        match shape == [rows, cols] {
            true => Ok(Some(weight.clone())),
            false => Err(wrong_shape(name, &[rows, cols], &shape)),
        }
    }

    fn vector(&self, name: &str, len: usize) -> Result<Arc<Parameter>, ModelError> {
        match self.vectors.get(name) {
            Some(vector) if vector.shape() == [len] => Ok(Arc::clone(vector)),
            Some(vector) => Err(wrong_shape(name, &[len], vector.shape())),
            None => Err(wrong_shape(name, &[len], &[])),
        }
    }

    fn embed(&self, wte: &Weight, wpe: &Weight, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let (b, t) = tokens.dims2()?;
        let c = match &wpe.base {
            linear::Base::Floats(wpe) => wpe.shape()[1],
            linear::Base::Packed(wpe) => wpe.cols(),
        };
        let embed = Embed {
            context: Arc::clone(&self.context),
            wte: wte.clone(),
            wpe: wpe.clone(),
            tokens: values::tokens(tokens)?,
            shape: (b, t, c),
            dropout: self.context.next_dropout(),
        };
        Ok(match self.context.pass() {
            Pass::Train { .. } => self.root.as_tensor().apply_op1(embed)?,
            Pass::Evaluate => self.root.as_detached_tensor().apply_op1(embed)?,
        })
    }

    fn block(&self, block: &BlockOf<Self>, x: &Tensor) -> Result<Tensor, ModelError> {
        let linear_of_norm = |norm, map| LinearOfNorm {
            norm: self.norm(norm),
            map: self.map(map),
        };
        let layer = Layer {
            qkv: linear_of_norm(&block.ln_1, &block.c_attn),
            // Places of dropout are counted in this order.
            attend: self.attend(block.heads),
            add_attention: self.add(&block.attn_c_proj, Activation::Linear),
            hidden: linear_of_norm(&block.ln_2, &block.c_fc),
            add_mlp: self.add(&block.mlp_c_proj, block.activation),
            keep: match self.context.pass() {
                Pass::Train { .. } => self.keep,
                Pass::Evaluate => Keep::Input,
            },
            kept: Mutex::default(),
        };
        Ok(x.apply_op1(layer)?)
    }

    fn linear_of_norm(
        &self,
        norm: &LayerNorm<Arc<Parameter>>,
        linear: &Linear<Weight, Arc<Parameter>>,
        x: &Tensor,
    ) -> Result<Tensor, ModelError> {
        Ok(x.apply_op1(LinearOfNorm {
            norm: self.norm(norm),
            map: self.map(linear),
        })?)
    }

    fn attention(&self, heads: Heads, qkv: &Tensor) -> Result<Tensor, ModelError> {
        Ok(qkv.apply_op1(self.attend(heads))?)
    }

    fn add_linear(
        &self,
        x: &Tensor,
        linear: &Linear<Weight, Arc<Parameter>>,
        activation: Activation,
        y: &Tensor,
    ) -> Result<Tensor, ModelError> {
        Ok(x.apply_op2(y, self.add(linear, activation))?)
    }

    fn logits(
        &self,
        norm: &LayerNorm<Arc<Parameter>>,
        head: &Weight,
        x: &Tensor,
    ) -> Result<Tensor, ModelError> {
        let (b, t, _) = x.dims3()?;
        let normal = values::with(x, |x| self.norm(norm).forward(x))?;
        let scores = head_loss::logits(&self.context, head, &normal, b * t);
        Ok(Tensor::from_vec(scores, (b, t, ()), &Device::Cpu)?)
    }

    fn loss(
        &self,
        norm: &LayerNorm<Arc<Parameter>>,
        head: &Weight,
        x: &Tensor,
        tokens: &Tensor,
    ) -> Result<Tensor, ModelError> {
        let (_, t) = tokens.dims2()?;
        Ok(x.apply_op1(HeadLoss::new(
            Arc::clone(&self.context),
            self.norm(norm),
            head.clone(),
            &values::tokens(tokens)?,
            t,
        ))?)
    }
}
