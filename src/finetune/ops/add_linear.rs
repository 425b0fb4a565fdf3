//! `AddLinear`: the end of attention and MLP: a linear map of an activation, dropout, and the addition to the residual
//! stream. It keeps its inputs alone.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::linear::LinearMap;
use super::values;
use crate::kernels::training::{Dropout, activation, for_rows};
use crate::kernels::{Activation, ops};

/// (x, y) → x + dropout(f(y) W + b).
pub struct AddLinear {
    pub map: LinearMap,
    pub activation: Activation,
    pub dropout: Option<Dropout>,
}

impl AddLinear {
    /// f(y), if it is not y itself.
    fn activated(&self, y: &[f32]) -> Option<Vec<f32>> {
        if self.activation == Activation::Linear {
            return None;
        }
        let mut out = y.to_vec();
        let threads = self.map.context.threads();
        for_rows(threads, &mut out, ROW, |_, out| {
            ops::activate(self.activation, out);
        });
        // What is left of the last row.
        let rest = y.len() - y.len() % ROW;
        ops::activate(self.activation, &mut out[rest..]);
        Some(out)
    }

    /// (rows, C) + (rows, in) → (rows, C)
    pub fn forward(&self, x: &[f32], y: &[f32], rows: usize) -> Vec<f32> {
        let activated = self.activated(y);
        let mut out = self.map.forward(activated.as_deref().unwrap_or(y), rows);
        drop_some(&self.map, self.dropout, &mut out);
        let c = self.map.n_out();
        for_rows(self.map.context.threads(), &mut out, c, |row, out| {
            ops::add(out, &x[row * c..]);
        });
        out
    }

    /// Adds to the gradients of the weights and returns that of `y`; that of `x` is `grad`, (rows, C).
    pub fn backward(&self, y: &[f32], grad: &[f32], rows: usize) -> Vec<f32> {
        let dropped = self.dropout.map(|dropout| {
            let mut grad = grad.to_vec();
            drop_some(&self.map, Some(dropout), &mut grad);
            grad
        });
        let grad = dropped.as_deref().unwrap_or(grad);
        let activated = self.activated(y);
        let x = activated.as_deref().unwrap_or(y);
        let mut grad_y = self.map.backward(x, grad, rows);
        if self.activation != Activation::Linear {
            let n = y.len() / rows.max(1);
            let threads = self.map.context.threads();
            for_rows(threads, &mut grad_y, n, |row, grad| {
                activation::multiply_by_slope(self.activation, &y[row * n..][..n], grad);
            });
        }
        grad_y
    }
}

/// Numbers that are activated together.
const ROW: usize = 1 << 10;

/// Multiplies each row by the dropout's factors.
fn drop_some(map: &LinearMap, dropout: Option<Dropout>, x: &mut [f32]) {
    if let Some(dropout) = dropout {
        let cols = map.n_out();
        for_rows(map.context.threads(), x, cols, |row, x| {
            dropout.apply((row as u32).wrapping_mul(cols as u32), x);
        });
    }
}

impl CustomOp2 for AddLinear {
    fn name(&self) -> &'static str {
        "add-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, t, _) = y_layout.shape().dims3()?;
        let (x, y) = (
            values::of_storage(x, x_layout)?,
            values::of_storage(y, y_layout)?,
        );
        let c = self.map.n_out();
        if x.len() != b * t * c {
            bail!("the residual stream has another shape");
        }
        Ok(values::result(self.forward(x, y, b * t), (b, t, c)))
    }

    fn bwd(
        &self,
        _: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (b, t, _) = y.dims3()?;
        let grad_y = values::with(y, |y| {
            values::with(grad, |grad| self.backward(y, grad, b * t))
        })??;
        Ok((Some(grad.clone()), Some(values::like(grad_y, y)?)))
    }
}
