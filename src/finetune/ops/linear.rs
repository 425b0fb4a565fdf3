//! `LinearMap`: a linear map over many rows and its gradients; trained, or frozen with LoRA beside it.

use std::sync::Arc;

use crate::finetune::context::Context;
use crate::finetune::lora::Lora;
use crate::finetune::parameter::Parameter;
use crate::kernels::training::{Matrix, Start, column_sums, product};
use crate::kernels::{self, PackedWeight, ops};

/// A matrix of weights; cheap to clone.
#[derive(Debug, Clone)]
pub struct Weight {
    /// The weights without LoRA.
    pub base: Base,
    /// What is trained beside frozen weights.
    pub lora: Option<Arc<Lora>>,
}

/// The numbers of a matrix.
#[derive(Debug, Clone)]
pub enum Base {
    /// As Hugging Face stores them: linear maps (in, out), embeddings (V, C).
    Floats(Arc<Parameter>),
    /// As the engine has them, frozen: (out, in) or (V, C).
    Packed(Arc<PackedWeight>),
}

/// y = x W + b, with + scale · (x Aᵀ) Bᵀ if there is LoRA.
#[derive(Debug, Clone)]
pub struct LinearMap {
    pub context: Arc<Context>,
    pub weight: Weight,
    pub bias: Arc<Parameter>, // (out)
}

impl LinearMap {
    /// Length of a result's row.
    pub fn n_out(&self) -> usize {
        self.bias.shape()[0]
    }

    /// `x`: (rows, in) → (rows, out).
    pub fn forward(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let (n_in, n_out) = (x.len() / rows.max(1), self.n_out());
        let threads = self.context.threads();
        let mut out = vec![0.0; rows * n_out];
        let bias = self.bias.value();
        match &self.weight.base {
            Base::Floats(weight) => {
                let weight = weight.value();
                product(
                    threads,
                    Matrix::new(x, rows, n_in),
                    Matrix::new(&weight, n_in, n_out),
                    Start::Row(&bias),
                    &mut out,
                    n_out,
                );
            }
            Base::Packed(weight) => {
                let add_bias = |start: usize, part: &mut [f32]| {
                    ops::add(part, &bias[start % n_out..]);
                };
                let mut scratch = self.context.scratch();
                kernels::matmul_then(weight, x, rows, &mut out, &mut scratch, &add_bias);
            }
        }
        if let Some(lora) = &self.weight.lora {
            let inner = self.inner(lora, x, rows);
            let b = lora.b.value();
            product(
                threads,
                Matrix::new(&inner, rows, lora.rank()),
                Matrix::new(&b, n_out, lora.rank()).t(),
                Start::Result,
                &mut out,
                n_out,
            );
        }
        out
    }

    /// scale · x Aᵀ, (rows, rank).
    fn inner(&self, lora: &Lora, x: &[f32], rows: usize) -> Vec<f32> {
        let (n_in, rank) = (x.len() / rows.max(1), lora.rank());
        let mut inner = vec![0.0; rows * rank];
        let a = lora.a.value();
        product(
            self.context.threads(),
            Matrix::new(x, rows, n_in),
            Matrix::new(&a, rank, n_in).t(),
            Start::Zero,
            &mut inner,
            rank,
        );
        inner.iter_mut().for_each(|x| *x *= lora.scale);
        inner
    }

    /// Adds to the gradients of the weights and returns that of `x`, (rows, in). `grad`: (rows, out).
    ///
    /// dx = dy Wᵀ, dW = xᵀ dy, db = Σ dy; with LoRA dx += (scale · dy B) A, dA = (scale · dy B)ᵀ x, dB = dyᵀ (scale · x Aᵀ).
    pub fn backward(&self, x: &[f32], grad: &[f32], rows: usize) -> Vec<f32> {
        let (n_in, n_out) = (x.len() / rows.max(1), self.n_out());
        let threads = self.context.threads();
        let x_matrix = Matrix::new(x, rows, n_in);
        let grad_matrix = Matrix::new(grad, rows, n_out);
        let mut grad_x = vec![0.0; x.len()];
        match &self.weight.base {
            Base::Floats(weight) => {
                weight.add_grad(|grad_weight| {
                    let (x, start) = (x_matrix.t(), Start::Result);
                    product(threads, x, grad_matrix, start, grad_weight, n_out);
                });
                let weight = weight.value();
                let weight = Matrix::new(&weight, n_in, n_out).t();
                product(threads, grad_matrix, weight, Start::Zero, &mut grad_x, n_in);
            }
            Base::Packed(weight) => self.context.with_floats(weight, |weight| {
                let weight = Matrix::new(weight, n_out, n_in);
                product(threads, grad_matrix, weight, Start::Zero, &mut grad_x, n_in);
            }),
        }
        self.bias.add_grad(|grad_bias| {
            column_sums(threads, grad, grad_bias, |_, _, grad, sums| {
                ops::add(sums, grad);
            });
        });
        if let Some(lora) = &self.weight.lora {
            let rank = lora.rank();
            let inner = self.inner(lora, x, rows);
            lora.b.add_grad(|grad_b| {
                let inner = Matrix::new(&inner, rows, rank);
                product(threads, grad_matrix.t(), inner, Start::Result, grad_b, rank);
            });
            let mut grad_inner = vec![0.0; rows * rank];
            let b = lora.b.value();
            let b = Matrix::new(&b, n_out, rank);
            product(threads, grad_matrix, b, Start::Zero, &mut grad_inner, rank);
            grad_inner.iter_mut().for_each(|x| *x *= lora.scale);
            let grad_inner = Matrix::new(&grad_inner, rows, rank);
            lora.a.add_grad(|grad_a| {
                let grad_inner = grad_inner.t();
                product(threads, grad_inner, x_matrix, Start::Result, grad_a, n_in);
            });
            let a = lora.a.value();
            let a = Matrix::new(&a, rank, n_in);
            product(threads, grad_inner, a, Start::Result, &mut grad_x, n_in);
        }
        grad_x
    }
}
