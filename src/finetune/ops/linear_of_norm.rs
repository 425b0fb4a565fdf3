//! `LinearOfNorm`: a linear map of a LayerNorm. It keeps its input alone; the normalised rows are computed again for the
//! gradient.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::linear::LinearMap;
use super::norm::NormOf;
use super::values;

/// x → norm(x) W + b.
pub struct LinearOfNorm {
    pub norm: NormOf,
    pub map: LinearMap,
}

impl LinearOfNorm {
    /// (rows, C) → (rows, out)
    pub fn forward(&self, x: &[f32], rows: usize) -> Vec<f32> {
        self.map.forward(&self.norm.forward(x), rows)
    }

    /// Adds to the gradients of the weights and returns that of `x`. `grad`: (rows, out).
    pub fn backward(&self, x: &[f32], grad: &[f32], rows: usize) -> Vec<f32> {
        let normal = self.norm.forward(x);
        let mut grad = self.map.backward(&normal, grad, rows);
        self.norm.backward(x, &mut grad);
        grad
    }
}

impl CustomOp1 for LinearOfNorm {
    fn name(&self) -> &'static str {
        "linear-of-norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (b, t, _) = layout.shape().dims3()?;
        let out = self.forward(values::of_storage(storage, layout)?, b * t);
        Ok(values::result(out, (b, t, self.map.n_out())))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (b, t, _) = x.dims3()?;
        let grad_x = values::with(x, |x| {
            values::with(grad, |grad| self.backward(x, grad, b * t))
        })??;
        values::like(grad_x, x).map(Some)
    }
}
