//! `HeadLoss`: the last LayerNorm, the head and the cross-entropy, a slice of positions at a time, so that never all
//! logits of a block exist.
//!
//! The gradients are computed with the loss, while a slice's logits are there: computing them again would take a tenth
//! of a step.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::linear::{Base, Weight};
use super::norm::NormOf;
use super::values;
use crate::finetune::context::{Context, Pass};
use crate::kernels;
use crate::kernels::training::cross_entropy::cross_entropy;
use crate::kernels::training::{Matrix, Start, product};

/// Rows of a packed head that are floats at once, 13 MB for GPT-2. A multiple of the products' blocks, so that no sum
/// depends on it.
const HEAD_ROWS: usize = 1 << 12;

/// (B, T, C) → a scalar.
pub struct HeadLoss {
    context: Arc<Context>,
    norm: NormOf,
    head: Weight, // (V, C)
    vocab_size: usize,
    /// The token after each position; none after a row's last.
    targets: Vec<Option<u32>>,
    /// The gradient of the normalised positions, once computed.
    grad: OnceLock<Vec<f32>>,
}

impl HeadLoss {
    /// The loss of `tokens` (B, T), each given those before it in its row.
    pub fn new(
        context: Arc<Context>,
        norm: NormOf,
        head: Weight,
        tokens: &[u32],
        t: usize,
    ) -> Self {
        let vocab_size = n_rows(&head);
        let rows = tokens.chunks_exact(t);
        let targets = rows.flat_map(|row| row[1..].iter().copied().map(Some).chain([None]));
        Self {
            context,
            norm,
            head,
            vocab_size,
            targets: targets.collect(),
            grad: OnceLock::new(),
        }
    }

    /// Adds to the head's gradient, and writes that of the positions `x` (n, C) into `grad_x`. `grad`: (n, V).
    fn backward(&self, x: &[f32], grad: &[f32], n: usize, grad_x: &mut [f32]) {
        let (c, v) = (x.len() / n, self.vocab_size);
        let threads = self.context.threads();
        let grad_logits = Matrix::new(grad, n, v);
        match &self.head.base {
            Base::Floats(head) => {
                head.add_grad(|grad_head| {
                    let x = Matrix::new(x, n, c);
                    product(threads, grad_logits.t(), x, Start::Result, grad_head, c);
                });
                let head = head.value();
                let head = Matrix::new(&head, v, c);
                product(threads, grad_logits, head, Start::Zero, grad_x, c);
            }
            Base::Packed(head) => {
                grad_x.fill(0.0);
                for first in (0..v).step_by(HEAD_ROWS) {
                    let rows = first..v.min(first + HEAD_ROWS);
                    self.context.with_rows(head, rows.clone(), |head| {
                        let grad = Matrix::with_stride(&grad[first..], n, rows.len(), v);
                        let head = Matrix::new(head, rows.len(), c);
                        product(threads, grad, head, Start::Result, grad_x, c);
                    });
                }
            }
        }
    }
}

/// V
fn n_rows(head: &Weight) -> usize {
    match &head.base {
        Base::Floats(head) => head.shape()[0],
        Base::Packed(head) => head.rows(),
    }
}

/// The logits (n, V) of the normalised positions `x` (n, C).
pub fn logits(context: &Context, head: &Weight, x: &[f32], n: usize) -> Vec<f32> {
    let mut logits = vec![0.0; n * n_rows(head)];
    write_logits(context, head, x, n, &mut logits);
    logits
}

fn write_logits(context: &Context, head: &Weight, x: &[f32], n: usize, logits: &mut [f32]) {
    let c = x.len() / n;
    match &head.base {
        Base::Floats(head) => {
            let (head, v) = (head.value(), head.shape()[0]);
            let head = Matrix::new(&head, v, c).t();
            let threads = context.threads();
            product(threads, Matrix::new(x, n, c), head, Start::Zero, logits, v);
        }
        Base::Packed(head) => kernels::matmul(head, x, n, logits, &mut context.scratch()),
    }
}

impl CustomOp1 for HeadLoss {
    fn name(&self) -> &'static str {
        "head-loss"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, t, c) = layout.shape().dims3()?;
        let x = self.norm.forward(values::of_storage(storage, layout)?);
        let (rows, v) = (b * t, self.vocab_size);
        if let Some(target) = self.targets.iter().flatten().find(|id| **id as usize >= v) {
            bail!("token {target} is not below {v}");
        }
        let n_targets = (b * (t - 1)) as f32;
        let scale = match self.context.pass() {
            Pass::Evaluate => None,
            Pass::Train { scale, .. } => Some(scale / n_targets),
        };
        let at_once = (self.context.most_logits() / v).clamp(1, rows);
        let mut logits = vec![0.0; at_once * v];
        let mut losses = vec![0.0; rows];
        let mut grad = vec![0.0; if scale.is_some() { x.len() } else { 0 }];
        for first in (0..rows).step_by(at_once) {
            let n = at_once.min(rows - first);
            let (x, logits) = (&x[first * c..][..n * c], &mut logits[..n * v]);
            write_logits(&self.context, &self.head, x, n, logits);
            let targets = &self.targets[first..first + n];
            let losses = &mut losses[first..first + n];
            cross_entropy(self.context.threads(), logits, targets, losses, scale);
            if scale.is_some() {
                self.backward(x, logits, n, &mut grad[first * c..][..n * c]);
            }
        }
        // An operation is applied once.
        let _ = self.grad.set(grad);
        let sum: f64 = losses.iter().copied().map(f64::from).sum();
        let loss = (sum / f64::from(n_targets)) as f32;
        Ok(values::result(vec![loss], ()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (Some(grad_normal), Pass::Train { scale, .. }) = (self.grad.get(), self.context.pass())
        else {
            bail!("the gradient of the loss follows it, in a pass that trains");
        };
        let factor = grad.to_scalar::<f32>()?;
        if factor != scale {
            bail!("the loss has gradient {factor}, and the pass was begun with {scale}");
        }
        let mut grad_x = grad_normal.clone();
        values::with(x, |x| self.norm.backward(x, &mut grad_x))?;
        values::like(grad_x, x).map(Some)
    }
}
