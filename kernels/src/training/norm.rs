//! LayerNorm of many rows, and its gradients.

use super::rows::{column_sums, for_rows};
use crate::ops::{self, sum_of};
use crate::parallel::Threads;

/// The weights of a LayerNorm over rows of C numbers.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// (C)
    pub weight: &'a [f32],
    /// (C)
    pub bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// The gradients of a LayerNorm's weights, to be added to.
#[derive(Debug)]
pub struct NormGradients<'a> {
    /// (C)
    pub weight: &'a mut [f32],
    /// (C)
    pub bias: &'a mut [f32],
}

/// The mean of a row, and 1 / √(variance + ε).
type Moments = (f32, f32);

fn moments(x: &[f32], epsilon: f32) -> Moments {
    let n = x.len() as f32;
    let mean = sum_of(x, |x| x) / n;
    let variance = sum_of(x, |x| (x - mean) * (x - mean)) / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// LayerNorm of every row of `x` (rows, C).
pub fn forward(threads: &Threads, norm: Norm, x: &[f32], out: &mut [f32]) {
    let c = norm.weight.len();
    assert_eq!(x.len(), out.len(), "out is (rows, C)");
    for_rows(threads, out, c, |row, out| {
        let x = &x[row * c..][..c];
        ops::layer_norm(x, norm.weight, norm.bias, norm.epsilon, out);
    });
}

/// Replaces `grad`, the gradient of the result, by that of `x`; both (rows, C).
///
/// Of y = x̂ w + b with x̂ = (x − mean) s and s = 1 / √(variance + ε):
/// dx = s (d − mean(d) − x̂ mean(d x̂)) with d = dy w; dw = Σ dy x̂ and db = Σ dy over the rows.
pub fn backward(
    threads: &Threads,
    norm: Norm,
    x: &[f32],
    grad: &mut [f32],
    gradients: Option<NormGradients>,
) {
    let c = norm.weight.len();
    assert_eq!(x.len(), grad.len(), "grad is (rows, C)");
    if let Some(gradients) = gradients {
        let rows: Vec<Moments> = x
            .chunks_exact(c)
            .map(|x| moments(x, norm.epsilon))
            .collect();
        column_sums(threads, grad, gradients.weight, |row, first, grad, sums| {
            let (mean, scale) = rows[row];
            let x = &x[row * c + first..][..grad.len()];
            for ((sum, grad), x) in sums.iter_mut().zip(grad).zip(x) {
                *sum += grad * ((x - mean) * scale);
            }
        });
        column_sums(threads, grad, gradients.bias, |_, _, grad, sums| {
            ops::add(sums, grad);
        });
    }
    let n = c as f32;
    for_rows(threads, grad, c, |row, grad| {
        let x = &x[row * c..][..c];
        let (mean, scale) = moments(x, norm.epsilon);
        let mut products = Vec::with_capacity(c);
        for ((grad, weight), x) in grad.iter_mut().zip(norm.weight).zip(x) {
            *grad *= weight;
            products.push(*grad * ((x - mean) * scale));
        }
        let mean_grad = sum_of(grad, |grad| grad) / n;
        let mean_product = sum_of(&products, |product| product) / n;
        for (grad, x) in grad.iter_mut().zip(x) {
            let normal = (x - mean) * scale;
            *grad = scale * (*grad - mean_grad - normal * mean_product);
        }
    });
}
