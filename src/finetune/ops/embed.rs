//! `Embed`: the sum of token and position embeddings, with dropout.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::linear::{Base, Weight};
use super::values;
use crate::finetune::context::Context;
use crate::kernels::ops;
use crate::kernels::training::{Dropout, for_rows};

/// Any tensor → (B, T, C). Its argument is a variable without meaning, which makes candle keep the graph above it: the
/// weights are no tensors of candle's.
pub struct Embed {
    pub context: Arc<Context>,
    pub wte: Weight, // (V, C)
    pub wpe: Weight, // (n_ctx, C)
    pub tokens: Vec<u32>,
    /// B, T, C
    pub shape: (usize, usize, usize),
    pub dropout: Option<Dropout>,
}

impl Embed {
    /// Writes a row of an embedding.
    fn row(weight: &Weight, row: usize, out: &mut [f32]) {
        match &weight.base {
            Base::Floats(weight) => {
                out.copy_from_slice(&weight.value()[row * out.len()..][..out.len()]);
            }
            Base::Packed(weight) => weight.row(row, out),
        }
    }
}

impl CustomOp1 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, t, c) = self.shape;
        let n_rows = match &self.wte.base {
            Base::Floats(weight) => weight.shape()[0],
            Base::Packed(weight) => weight.rows(),
        };
        if let Some(token) = self.tokens.iter().find(|token| **token as usize >= n_rows) {
            bail!("token {token} is not below {n_rows}");
        }
        let mut out = vec![0.0; b * t * c];
        for_rows(self.context.threads(), &mut out, c, |row, out| {
            let mut position = vec![0.0; c];
            Self::row(&self.wte, self.tokens[row] as usize, out);
            Self::row(&self.wpe, row % t, &mut position);
            ops::add(out, &position);
            if let Some(dropout) = self.dropout {
                dropout.apply((row as u32).wrapping_mul(c as u32), out);
            }
        });
        Ok(values::result(out, self.shape))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (Base::Floats(wte), Base::Floats(wpe)) = (&self.wte.base, &self.wpe.base) else {
            return Ok(None);
        };
        let (_, t, c) = self.shape;
        values::with(grad, |grad| {
            let dropped = self.dropout.map(|dropout| {
                let mut grad = grad.to_vec();
                for_rows(self.context.threads(), &mut grad, c, |row, grad| {
                    dropout.apply((row as u32).wrapping_mul(c as u32), grad);
                });
                grad
            });
            let rows = dropped.as_deref().unwrap_or(grad).chunks_exact(c);
            wte.add_grad(|wte| {
                for (grad, token) in rows.clone().zip(&self.tokens) {
                    ops::add(&mut wte[*token as usize * c..][..c], grad);
                }
            });
            wpe.add_grad(|wpe| {
                for (row, grad) in rows.enumerate() {
                    ops::add(&mut wpe[row % t * c..][..c], grad);
                }
            });
        })?;
        Ok(None)
    }
}
