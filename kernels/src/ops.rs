//! The small operations between the matrix products: LayerNorm, GELU, softmax.
//!
//! Every sum runs in a fixed order over eight lanes, and the exponential is the kernels' own. A result therefore
//! depends on its inputs alone, not on the machine nor on the number of rows computed together.

use crate::{Activation, EXP_BATCH, exp};

/// Number of independent partial sums; eight fill two SIMD registers of 128 bits.
const LANES: usize = 8;

fn sum_lanes(lanes: [f32; LANES]) -> f32 {
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Σ f(x).
pub(crate) fn sum_of(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let whole = x.chunks_exact(LANES);
    let rest: f32 = whole.remainder().iter().map(|x| f(*x)).sum();
    for x in whole {
        for i in 0..LANES {
            lanes[i] += f(x[i]);
        }
    }
    sum_lanes(lanes) + rest
}

/// `out` = (x - mean) / √(variance + epsilon) · weight + bias; all (C).
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) {
    let n = x.len() as f32;
    let mean = sum_of(x, |x| x) / n;
    let variance = sum_of(x, |x| (x - mean) * (x - mean)) / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for (((out, x), w), b) in out.iter_mut().zip(x).zip(weight).zip(bias) {
        *out = (x - mean) * scale * w + b;
    }
}

/// `x` += `y`.
pub fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// Replaces every number by its activation.
pub fn activate(activation: Activation, x: &mut [f32]) {
    let each = |x: &mut [f32], f: fn(f32) -> f32| x.iter_mut().for_each(|x| *x = f(*x));
    match activation {
        Activation::GeluNew => gelu_new(x),
        Activation::Gelu => gelu(x),
        Activation::Gelu10 => {
            gelu(x);
            each(x, |x| x.clamp(-10.0, 10.0));
        }
        Activation::QuickGelu => times_sigmoid(x, 1.702),
        Activation::Silu => times_sigmoid(x, 1.0),
        Activation::Relu => each(x, |x| x.max(0.0)),
        Activation::Relu2 => each(x, |x| x.max(0.0) * x.max(0.0)),
        Activation::Relu6 => each(x, |x| x.clamp(0.0, 6.0)),
        Activation::LeakyRelu => each(x, |x| if x < 0.0 { 0.01 * x } else { x }),
        Activation::Hardswish => each(x, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Activation::Linear => {}
        Activation::Sigmoid => for_batches(x, |x| *x = logistic(*x)),
        // tanh x = 2 σ(2x) - 1.
        Activation::Tanh => for_batches(x, |x| {
            *x = logistic(x.map(|x| 2.0 * x)).map(|sigma| 2.0 * sigma - 1.0);
        }),
        // tanh(ln(1 + e)) = n / (n + 2) with n = e (e + 2). Above 20 the quotient is 1 in 32 bits.
        Activation::Mish => for_batches(x, |x| {
            let mut e = x.map(|x| x.min(20.0));
            exp(&mut e);
            for (x, e) in x.iter_mut().zip(e) {
                let n = e * (e + 2.0);
                *x *= n / (n + 2.0);
            }
        }),
        Activation::Laplace => for_batches(x, |x| {
            *x = normal_distribution(
                x.map(|x| (x - Activation::LAPLACE_MEAN) / Activation::LAPLACE_DEVIATION),
            );
        }),
    }
}

/// Exact GELU: x Φ(x).
fn gelu(x: &mut [f32]) {
    for_batches(x, |x| {
        let phi = normal_distribution(*x);
        for (x, phi) in x.iter_mut().zip(phi) {
            *x *= phi;
        }
    });
}

/// x σ(c x).
fn times_sigmoid(x: &mut [f32], c: f32) {
    for_batches(x, |x| {
        let sigma = logistic(x.map(|x| c * x));
        for (x, sigma) in x.iter_mut().zip(sigma) {
            *x *= sigma;
        }
    });
}

/// σ(x) = 1 / (1 + e⁻ˣ).
pub(crate) fn logistic(x: [f32; EXP_BATCH]) -> [f32; EXP_BATCH] {
    let mut e = x.map(|x| -x);
    exp(&mut e);
    e.map(|e| 1.0 / (1.0 + e))
}

/// Φ(x) = erfc(-x / √2) / 2, to 2e-7.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
pub(crate) fn normal_distribution(x: [f32; EXP_BATCH]) -> [f32; EXP_BATCH] {
    let mut tail = x.map(|x| -0.5 * x * x);
    exp(&mut tail);
    for (tail, x) in tail.iter_mut().zip(x) {
        let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
        let sum = 1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4);
        // Φ(-|x|)
        *tail *= 0.5 * t * (0.254_829_6 + t * (-0.284_496_74 + t * sum));
        if x >= 0.0 {
            *tail = 1.0 - *tail;
        }
    }
    tail
}

/// GELU in GPT-2's form, 0.5 x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), computed as the equal
/// x / (1 + e⁻²ᵘ).
pub fn gelu_new(x: &mut [f32]) {
    /// √(2/π)
    const SCALE: f32 = 0.797_884_6;
    for_batches(x, |x| {
        let mut exponential = x.map(|x| -2.0 * (SCALE * (x + 0.044_715 * x * x * x)));
        exp(&mut exponential);
        for (x, exponential) in x.iter_mut().zip(exponential) {
            *x /= 1.0 + exponential;
        }
    });
}

/// Applies `f` to `x` batch by batch; the last batch is padded with zeros.
pub(crate) fn for_batches(x: &mut [f32], f: impl Fn(&mut [f32; EXP_BATCH])) {
    let (batches, rest) = x.as_chunks_mut();
    for batch in batches {
        f(batch);
    }
    if !rest.is_empty() {
        let mut batch = [0.0; EXP_BATCH];
        batch[..rest.len()].copy_from_slice(rest);
        f(&mut batch);
        rest.copy_from_slice(&batch[..rest.len()]);
    }
}

/// Multiplies each `x` by its factor and returns the largest product, -∞ if `x` is empty. `factors` may be longer.
pub fn scale_by(x: &mut [f32], factors: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let factors = &factors[..x.len()];
    let (x, rest) = x.as_chunks_mut::<LANES>();
    let (factors, rest_factors) = factors.as_chunks::<LANES>();
    for (x, factors) in x.iter_mut().zip(factors) {
        for i in 0..LANES {
            x[i] *= factors[i];
            lanes[i] = larger(lanes[i], x[i]);
        }
    }
    for (x, factor) in rest.iter_mut().zip(rest_factors) {
        *x *= factor;
        lanes[0] = larger(lanes[0], *x);
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, larger)
}

/// Replaces each score by e^(score - max) and returns the sum.
pub fn exp_of_difference(scores: &mut [f32], max: f32) -> f32 {
    for_batches(scores, |scores| {
        *scores = scores.map(|score| score - max);
        exp(scores);
    });
    sum_of(scores, |x| x)
}

/// Σ e^(x − max) over all of `x`.
pub fn exp_sum(x: &[f32], max: f32) -> f64 {
    let (batches, rest) = x.as_chunks();
    let sum = |x: [f32; EXP_BATCH]| {
        let mut exponentials = x.map(|x| x - max);
        exp(&mut exponentials);
        f64::from(sum_of(&exponentials, |x| x))
    };
    let mut last = [f32::NEG_INFINITY; EXP_BATCH];
    last[..rest.len()].copy_from_slice(rest);
    batches.iter().map(|batch| sum(*batch)).sum::<f64>() + sum(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_agrees_with_the_tanh_form() {
        for i in -1200..=1200 {
            let x = i as f32 * 0.01;
            let mut got = [x];
            gelu_new(&mut got);
            let u = (2.0 / std::f64::consts::PI).sqrt()
                * (f64::from(x) + 0.044_715 * f64::from(x).powi(3));
            let expected = 0.5 * f64::from(x) * (1.0 + u.tanh());
            assert!(
                (f64::from(got[0]) - expected).abs() < 2e-6,
                "gelu({x}) = {}, the formula gives {expected}",
                got[0]
            );
        }
    }

    #[test]
    fn every_activation_agrees_with_its_formula() {
        let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
        let phi = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        let formulas: [(Activation, &dyn Fn(f64) -> f64); 14] = [
            (Activation::Gelu, &|x| x * phi(x)),
            (Activation::Gelu10, &|x| (x * phi(x)).clamp(-10.0, 10.0)),
            (Activation::QuickGelu, &|x| x * sigma(1.702 * x)),
            (Activation::Relu, &|x| x.max(0.0)),
            (Activation::Relu2, &|x| x.max(0.0).powi(2)),
            (Activation::Relu6, &|x| x.clamp(0.0, 6.0)),
            (Activation::LeakyRelu, &|x| x.max(0.01 * x)),
            (Activation::Silu, &|x| x * sigma(x)),
            (Activation::Sigmoid, &|x| sigma(x)),
            (Activation::Tanh, &|x| x.tanh()),
            (Activation::Mish, &|x| x * x.exp().ln_1p().tanh()),
            (Activation::Hardswish, &|x| {
                x * (x + 3.0).clamp(0.0, 6.0) / 6.0
            }),
            (Activation::Laplace, &|x| {
                phi((x - std::f64::consts::FRAC_1_SQRT_2) / 0.282_095)
            }),
            (Activation::Linear, &|x| x),
        ];
        for (activation, formula) in formulas {
            // Numbers that fill a batch and numbers that do not.
            let x: Vec<f32> = (-2000..=2003).map(|i| i as f32 * 0.01).collect();
            let mut got = x.clone();
            activate(activation, &mut got);
            for (x, got) in x.iter().zip(got) {
                let expected = formula(f64::from(*x));
                let tolerance = 1e-6 * expected.abs().max(1.0);
                assert!(
                    (f64::from(got) - expected).abs() < tolerance,
                    "{}({x}) = {got}, the formula gives {expected}",
                    activation.name()
                );
            }
        }
    }
}
