//! The slope of every activation.

use crate::ops::{for_batches, logistic, normal_distribution};
use crate::{Activation, EXP_BATCH, exp};

/// √(2/π)
const GELU_SCALE: f32 = 0.797_884_6;
/// 1 / √(2π)
const DENSITY: f32 = 0.398_942_3;

/// Multiplies each gradient by the slope of the activation at its `x`. Where there is no slope, at the corner of a
/// function, it is PyTorch's.
///
/// # Panics
/// If the lengths differ.
pub fn multiply_by_slope(activation: Activation, x: &[f32], grad: &mut [f32]) {
    assert_eq!(x.len(), grad.len(), "a gradient per number");
    let mut slopes = x.to_vec();
    slope(activation, &mut slopes);
    for (grad, slope) in grad.iter_mut().zip(slopes) {
        *grad *= slope;
    }
}

/// Replaces each number by the slope of the activation there.
fn slope(activation: Activation, x: &mut [f32]) {
    let each = |x: &mut [f32], f: fn(f32) -> f32| x.iter_mut().for_each(|x| *x = f(*x));
    match activation {
        // x σ(2u) with u = √(2/π) (x + 0.044715 x³): σ + x σ (1 − σ) 2u'.
        Activation::GeluNew => for_batches(x, |x| {
            let sigma = logistic(x.map(|x| 2.0 * (GELU_SCALE * (x + 0.044_715 * x * x * x))));
            for (x, sigma) in x.iter_mut().zip(sigma) {
                let slope = GELU_SCALE * (1.0 + 3.0 * 0.044_715 * *x * *x);
                *x = sigma + *x * sigma * (1.0 - sigma) * (2.0 * slope);
            }
        }),
        Activation::Gelu => gelu(x),
        Activation::Gelu10 => {
            // The function is above 10 where its argument is, and never below −10.
            let is_cut: Vec<bool> = x.iter().map(|x| *x > 10.0).collect();
            gelu(x);
            for (x, is_cut) in x.iter_mut().zip(is_cut) {
                if is_cut {
                    *x = 0.0;
                }
            }
        }
        Activation::QuickGelu => times_sigmoid(x, 1.702),
        Activation::Silu => times_sigmoid(x, 1.0),
        Activation::Relu => each(x, |x| f32::from(u8::from(x > 0.0))),
        Activation::Relu2 => each(x, |x| 2.0 * x.max(0.0)),
        Activation::Relu6 => each(x, |x| f32::from(u8::from(x > 0.0 && x < 6.0))),
        Activation::LeakyRelu => each(x, |x| if x > 0.0 { 1.0 } else { 0.01 }),
        Activation::Hardswish => each(x, |x| match x {
            x if x <= -3.0 => 0.0,
            x if x < 3.0 => (2.0 * x + 3.0) / 6.0,
            _ => 1.0,
        }),
        Activation::Linear => x.fill(1.0),
        Activation::Sigmoid => for_batches(x, |x| {
            *x = logistic(*x).map(|sigma| sigma * (1.0 - sigma));
        }),
        // 1 − tanh² with tanh x = 2 σ(2x) − 1.
        Activation::Tanh => for_batches(x, |x| {
            *x = logistic(x.map(|x| 2.0 * x)).map(|sigma| 4.0 * sigma * (1.0 - sigma));
        }),
        // x t with t = tanh(ln(1 + eˣ)): t + x (1 − t²) σ.
        Activation::Mish => for_batches(x, |x| {
            let sigma = logistic(*x);
            let mut e = x.map(|x| x.min(20.0));
            exp(&mut e);
            for ((x, e), sigma) in x.iter_mut().zip(e).zip(sigma) {
                let n = e * (e + 2.0);
                let t = n / (n + 2.0);
                *x = t + *x * (1.0 - t * t) * sigma;
            }
        }),
        Activation::Laplace => for_batches(x, |x| {
            let z = x.map(|x| (x - Activation::LAPLACE_MEAN) / Activation::LAPLACE_DEVIATION);
            *x = density(z).map(|density| density / Activation::LAPLACE_DEVIATION);
        }),
    }
}

/// Φ(x) + x φ(x).
fn gelu(x: &mut [f32]) {
    for_batches(x, |x| {
        let (phi, density) = (normal_distribution(*x), density(*x));
        for ((x, phi), density) in x.iter_mut().zip(phi).zip(density) {
            *x = phi + *x * density;
        }
    });
}

/// φ(x) = e^(−x²/2) / √(2π).
fn density(x: [f32; EXP_BATCH]) -> [f32; EXP_BATCH] {
    let mut e = x.map(|x| -0.5 * x * x);
    exp(&mut e);
    e.map(|e| DENSITY * e)
}

/// σ(c x) + c x σ (1 − σ).
fn times_sigmoid(x: &mut [f32], c: f32) {
    for_batches(x, |x| {
        let sigma = logistic(x.map(|x| c * x));
        for (x, sigma) in x.iter_mut().zip(sigma) {
            *x = sigma + c * *x * sigma * (1.0 - sigma);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::activate;

    #[test]
    fn every_slope_agrees_with_finite_differences() {
        for name in [
            "gelu_new",
            "gelu",
            "gelu_10",
            "quick_gelu",
            "relu",
            "relu2",
            "relu6",
            "leaky_relu",
            "silu",
            "sigmoid",
            "tanh",
            "mish",
            "hardswish",
            "laplace",
            "linear",
        ] {
            let activation = Activation::of_name(name).expect("a name of the table");
            // Corners lie between these numbers and their neighbours.
            let x: Vec<f32> = (-399..400).map(|i| i as f32 * 0.031 + 0.0117).collect();
            let mut slopes = vec![1.0; x.len()];
            multiply_by_slope(activation, &x, &mut slopes);
            let h = 2e-3;
            let at = |delta: f32| {
                let mut y: Vec<f32> = x.iter().map(|x| x + delta).collect();
                activate(activation, &mut y);
                y
            };
            for (((x, slope), above), below) in x.iter().zip(&slopes).zip(at(h)).zip(at(-h)) {
                let expected = (above - below) / (2.0 * h);
                assert!(
                    (slope - expected).abs() < 2.5e-3 * (1.0 + expected.abs()),
                    "{name}'({x}) = {slope}, finite difference {expected}"
                );
            }
        }
    }
}
