//! The small operations between the matrix products: LayerNorm, GELU, softmax, dot product.
//!
//! Every sum runs in a fixed order over eight lanes, and the exponential is arithmetic of our own,
//! so a result depends on its inputs alone: not on the machine, nor on how many rows are computed together.

/// Independent partial sums; eight fill two SIMD registers of 128 bits.
const LANES: usize = 8;

fn sum_lanes(lanes: [f32; LANES]) -> f32 {
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Σ a·b, with b in floats or 16-bit integers. Equal lengths.
pub(super) fn dot<N: Into<f32> + Copy>(a: &[f32], b: &[N]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a_whole, b_whole) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_whole
        .remainder()
        .iter()
        .zip(b_whole.remainder())
        .map(|(a, b)| a * (*b).into())
        .sum();
    for (a, b) in a_whole.zip(b_whole) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i].into();
        }
    }
    sum_lanes(lanes) + rest
}

/// `x` += factor · `y`, with y in floats or 16-bit integers.
pub(super) fn add_scaled<N: Into<f32> + Copy>(x: &mut [f32], factor: f32, y: &[N]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += factor * (*y).into();
    }
}

/// To the nearest integer, ties to even, for |x| below 2²²: a call-free form that becomes SIMD.
#[inline(always)]
pub(super) fn round(x: f32) -> f32 {
    (x + ROUND) - ROUND
}

/// 1.5 · 2²³: adding it rounds to an integer, which then stands in the low mantissa bits.
const ROUND: f32 = 12_582_912.0;

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

/// eˣ within 2 units in the last place for x in -87..=88, clamped outside.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2, then a polynomial in r, then n added to the exponent bits.
/// Without a branch or a call, so loops over it become SIMD.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let t = x * std::f32::consts::LOG2_E + ROUND;
    let n = t - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(t.to_bits() << 23))
}

/// GELU in GPT-2's form, 0.5 x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³),
/// written as x / (1 + e⁻²ᵘ), which is the same.
pub(super) fn gelu_new(x: &mut [f32]) {
    /// √(2/π)
    const SCALE: f32 = 0.797_884_6;
    for x in x {
        let u = SCALE * (*x + 0.044_715 * *x * *x * *x);
        *x /= 1.0 + exp(-2.0 * u);
    }
}

/// Replaces scores by e^(score - max) and gives their sum.
pub(super) fn exp_of_difference_to_max(scores: &mut [f32]) -> f32 {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in scores.iter_mut() {
        *score = exp(*score - max);
    }
    sum_of(scores, |x| x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_libm_to_two_ulp() {
        for i in -8_700_000..8_800_000 {
            let x = i as f32 * 1e-5;
            let (got, expected) = (exp(x), libm::expf(x));
            let ulp = got.to_bits().abs_diff(expected.to_bits());
            assert!(ulp <= 2, "exp({x}) = {got}, libm gives {expected}");
        }
    }

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
