//! The exponential function in arithmetic that is the same on every machine, exact to 2 units in the last place.
//!
//! x = n·ln 2 + r with |r| ≤ ln 2 / 2, then a polynomial in r, then n added to the exponent bits.

/// Values computed by one call: eight vectors. V8 recreates the constants in every call, so eight vectors per call cut
/// that cost to an eighth, and their computations do not wait for each other.
pub const EXP_BATCH: usize = 32;

/// Arguments are clamped to this range.
pub(super) const RANGE: (f32, f32) = (-87.0, 88.0);
/// ln 2 as a sum of two parts; n times the first is exact.
pub(super) const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
/// The coefficients of r⁷ to r²; those of r and 1 are 1.
pub(super) const COEFFICIENTS: [f32; 6] = [
    1.987_569_1e-4,
    1.398_199_9e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_5e-1,
    0.5,
];

#[cfg(test)]
mod tests {
    use super::EXP_BATCH;
    use crate::exp;

    #[test]
    fn exp_agrees_with_libm_to_two_ulp() {
        for i in -8_700_000..8_800_000 {
            let x = i as f32 * 1e-5;
            let mut batch = [x; EXP_BATCH];
            exp(&mut batch);
            let (got, expected) = (batch[0], libm::expf(x));
            let ulp = got.to_bits().abs_diff(expected.to_bits());
            assert!(ulp <= 2, "exp({x}) = {got}, libm gives {expected}");
        }
    }
}
