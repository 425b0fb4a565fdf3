//! `Attend`: causal attention that keeps its inputs and one number per row and head.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::values;
use crate::finetune::context::Context;
use crate::kernels::training::{Attention, Dropout, Qkv};

/// (B, T, 3C) → (B, T, C).
pub struct Attend {
    context: Arc<Context>,
    n_head: usize,
    scale: f32,
    dropout: Option<Dropout>,
    /// ln Σ e^score of each row and head, once computed; (B·T, H).
    log_sums: OnceLock<Vec<f32>>,
}

impl Attend {
    /// Attention in `n_head` heads with these factors.
    pub fn new(context: Arc<Context>, n_head: usize, scale: f32, dropout: Option<Dropout>) -> Self {
        Self {
            context,
            n_head,
            scale,
            dropout,
            log_sums: OnceLock::new(),
        }
    }

    /// qkv (B·T, 3C) → (B·T, C), and ln Σ e^score of each row and head.
    pub fn forward(&self, qkv: &[f32], shape: (usize, usize, usize)) -> (Vec<f32>, Vec<f32>) {
        let rows = shape.0 * shape.1;
        let mut out = vec![0.0; qkv.len() / 3];
        let mut log_sums = vec![0.0; rows * self.n_head];
        let threads = self.context.threads();
        self.attention(shape)
            .forward(threads, qkv, &mut out, &mut log_sums);
        (out, log_sums)
    }

    /// The gradient of qkv. `kept`: qkv and what [`Attend::forward`] gave; `grad`: (B·T, C).
    pub fn backward(
        &self,
        kept: (&[f32], &[f32], &[f32]),
        grad: &[f32],
        shape: (usize, usize, usize),
    ) -> Vec<f32> {
        let mut grad_qkv = vec![0.0; kept.0.len()];
        let threads = self.context.threads();
        self.attention(shape)
            .backward(threads, kept, grad, &mut grad_qkv);
        grad_qkv
    }

    fn attention(&self, (b, t, width): (usize, usize, usize)) -> Attention {
        Attention {
            shape: Qkv {
                batch: b,
                tokens: t,
                heads: self.n_head,
                head_dim: width / 3 / self.n_head,
            },
            scale: self.scale,
            dropout: self.dropout,
        }
    }
}

impl CustomOp1 for Attend {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape @ (b, t, width) = layout.shape().dims3()?;
        let (out, log_sums) = self.forward(values::of_storage(storage, layout)?, shape);
        // An operation is applied once.
        let _ = self.log_sums.set(log_sums);
        Ok(values::result(out, (b, t, width / 3)))
    }

    fn bwd(&self, qkv: &Tensor, out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let Some(log_sums) = self.log_sums.get() else {
            bail!("the gradient of attention follows its result");
        };
        let shape = qkv.dims3()?;
        let grad_qkv = values::with(qkv, |qkv| {
            values::with(out, |out| {
                values::with(grad, |grad| {
                    self.backward((qkv, out, log_sums), grad, shape)
                })
            })
        })???;
        values::like(grad_qkv, qkv).map(Some)
    }
}
