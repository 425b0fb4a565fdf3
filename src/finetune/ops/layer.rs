//! `Layer`: a whole transformer layer as one operation.
//!
//! Between the operations of a layer candle would allocate and add each gradient twice, on one thread; here what an
//! operation gives back is what the next one takes. What is kept for the gradients is freed as they are computed, or is
//! not kept at all but computed again.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::add_linear::AddLinear;
use super::attend::Attend;
use super::linear_of_norm::LinearOfNorm;
use super::values;
use crate::kernels::ops;
use crate::kernels::training::for_rows;

/// (B, T, C) → (B, T, C).
pub struct Layer {
    pub qkv: LinearOfNorm,
    pub attend: Attend,
    pub add_attention: AddLinear,
    pub hidden: LinearOfNorm,
    pub add_mlp: AddLinear,
    pub keep: Keep,
    pub kept: Mutex<Option<Kept>>,
}

/// Whether a layer keeps what its gradients need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// 6 C + I numbers per token.
    All,
    /// Nothing but its input; the rest is computed again, which takes a third more time.
    Input,
}

/// What lies between the operations of a layer.
pub struct Kept {
    qkv: Vec<f32>,      // (B·T, 3C)
    mixed: Vec<f32>,    // (B·T, C)
    log_sums: Vec<f32>, // (B·T, H)
    middle: Vec<f32>,   // (B·T, C): the residual stream after attention
    hidden: Vec<f32>,   // (B·T, I)
}

impl Layer {
    /// `x`: (B·T, C).
    fn forward(&self, x: &[f32], (b, t): (usize, usize)) -> Kept {
        let rows = b * t;
        let qkv = self.qkv.forward(x, rows);
        let width = qkv.len() / rows.max(1);
        let (mixed, log_sums) = self.attend.forward(&qkv, (b, t, width));
        let middle = self.add_attention.forward(x, &mixed, rows);
        let hidden = self.hidden.forward(&middle, rows);
        Kept {
            qkv,
            mixed,
            log_sums,
            middle,
            hidden,
        }
    }

    /// The gradient of `x` for that of the result, both (B·T, C).
    fn backward(&self, kept: Kept, x: &[f32], grad: &[f32], (b, t): (usize, usize)) -> Vec<f32> {
        let rows = b * t;
        let c = x.len() / rows.max(1);
        let Kept {
            qkv,
            mixed,
            log_sums,
            middle,
            hidden,
        } = kept;
        let threads = self.hidden.map.context.threads();
        let add = |to: &mut [f32], from: &[f32]| {
            for_rows(threads, to, c, |row, to| ops::add(to, &from[row * c..]));
        };
        let grad_hidden = self.add_mlp.backward(&hidden, grad, rows);
        drop(hidden);
        let mut grad_middle = self.hidden.backward(&middle, &grad_hidden, rows);
        drop((grad_hidden, middle));
        add(&mut grad_middle, grad);
        let grad_mixed = self.add_attention.backward(&mixed, &grad_middle, rows);
        let shape = (b, t, qkv.len() / rows.max(1));
        let grad_qkv = self
            .attend
            .backward((&qkv, &mixed, &log_sums), &grad_mixed, shape);
        drop((qkv, mixed, grad_mixed));
        let mut grad_x = self.qkv.backward(x, &grad_qkv, rows);
        add(&mut grad_x, &grad_middle);
        grad_x
    }
}

impl CustomOp1 for Layer {
    fn name(&self) -> &'static str {
        "layer"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape @ (b, t, _) = layout.shape().dims3()?;
        let x = values::of_storage(storage, layout)?;
        let kept = self.forward(x, (b, t));
        let out = self.add_mlp.forward(&kept.middle, &kept.hidden, b * t);
        if self.keep == Keep::All {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
        Ok(values::result(out, shape))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (b, t, _) = x.dims3()?;
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let grad_x = values::with(x, |x| {
            values::with(grad, |grad| {
                let kept = kept.unwrap_or_else(|| self.forward(x, (b, t)));
                self.backward(kept, x, grad, (b, t))
            })
        })??;
        values::like(grad_x, x).map(Some)
    }
}
