//! The small operations between the matrix products: LayerNorm, GELU, softmax.
//!
//! Every sum runs in a fixed order over eight lanes, and the exponential is the kernels' own. A result therefore
//! depends on its inputs alone, not on the machine nor on the number of rows computed together.

use crate::kernels::{EXP_BATCH, exp};

/// Number of independent partial sums; eight fill two SIMD registers of 128 bits.
const LANES: usize = 8;

fn sum_lanes(lanes: [f32; LANES]) -> f32 {
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Σ f(x).
fn sum_of(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
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
pub(super) fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) {
    let n = x.len() as f32;
    let mean = sum_of(x, |x| x) / n;
    let variance = sum_of(x, |x| (x - mean) * (x - mean)) / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for (((out, x), w), b) in out.iter_mut().zip(x).zip(weight).zip(bias) {
        *out = (x - mean) * scale * w + b;
    }
}

/// `x` += `y`.
pub(super) fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// GELU in GPT-2's form, 0.5 x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), computed as the equal
/// x / (1 + e⁻²ᵘ).
pub(super) fn gelu_new(x: &mut [f32]) {
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
fn for_batches(x: &mut [f32], f: impl Fn(&mut [f32; EXP_BATCH])) {
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
pub(super) fn scale_by(x: &mut [f32], factors: &[f32]) -> f32 {
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
pub(super) fn exp_of_difference(scores: &mut [f32], max: f32) -> f32 {
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
}
