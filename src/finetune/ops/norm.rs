//! `NormOf`: the weights of a LayerNorm as the kernels take them.

use std::sync::Arc;

use crate::finetune::context::Context;
use crate::finetune::parameter::Parameter;
use crate::kernels::training::norm::{self, Norm, NormGradients};

/// A LayerNorm over many rows.
#[derive(Debug, Clone)]
pub struct NormOf {
    pub context: Arc<Context>,
    pub weight: Arc<Parameter>, // (C)
    pub bias: Arc<Parameter>,   // (C)
    pub epsilon: f32,
}

impl NormOf {
    /// (rows, C) → (rows, C)
    pub fn forward(&self, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        let (weight, bias) = (self.weight.value(), self.bias.value());
        let norm = Norm {
            weight: &weight,
            bias: &bias,
            epsilon: self.epsilon,
        };
        norm::forward(self.context.threads(), norm, x, &mut out);
        out
    }

    /// Adds to the gradients of the weights, and replaces `grad`, the gradient of the result, by that of `x`.
    pub fn backward(&self, x: &[f32], grad: &mut [f32]) {
        let threads = self.context.threads();
        let (weight, bias) = (self.weight.value(), self.bias.value());
        let norm = Norm {
            weight: &weight,
            bias: &bias,
            epsilon: self.epsilon,
        };
        if !self.weight.is_trained() {
            return norm::backward(threads, norm, x, grad, None);
        }
        self.weight.add_grad(|weight| {
            self.bias.add_grad(|bias| {
                norm::backward(threads, norm, x, grad, Some(NormGradients { weight, bias }));
            });
        });
    }
}
