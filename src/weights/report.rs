//! `ConversionReport`: the type each tensor has after a conversion, and its rounding error.

use super::dtype::StoredType;

/// The result for one tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorReport {
    /// Its name in GGUF.
    pub name: String,
    /// The type it was written in.
    pub dtype: StoredType,
    /// Whether the requested type did not fit its rows.
    pub is_fallback: bool,
    /// Largest difference to the original, as a fraction of the original's largest absolute value.
    pub max_error: f32,
    /// Root mean square of the difference, as a fraction of the original's.
    pub rms_error: f32,
}

/// The result for a whole model.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversionReport {
    /// The tensors in the order of the file.
    pub tensors: Vec<TensorReport>,
    /// Length of the file.
    pub bytes: u64,
    /// The largest [`TensorReport::max_error`].
    pub max_error: f32,
}

impl ConversionReport {
    pub(super) fn new(tensors: Vec<TensorReport>, bytes: u64) -> Self {
        Self {
            max_error: tensors.iter().map(|t| t.max_error).fold(0.0, f32::max),
            tensors,
            bytes,
        }
    }
}

/// Sums over the differences between numbers and the same numbers read back from the type they were written in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoundingErrors {
    max_abs_error: f32,
    max_abs: f32,
    sum_sq_error: f64,
    sum_sq: f64,
}

impl RoundingErrors {
    /// Adds original numbers and the same numbers after rounding, in the same order.
    pub(super) fn add(&mut self, values: &[f32], read_back: &[f32]) {
        for (value, back) in values.iter().zip(read_back) {
            self.max_abs = self.max_abs.max(value.abs());
            self.max_abs_error = self.max_abs_error.max((value - back).abs());
            self.sum_sq += f64::from(*value) * f64::from(*value);
            self.sum_sq_error += f64::from(value - back) * f64::from(value - back);
        }
    }

    /// [`TensorReport::max_error`] and [`TensorReport::rms_error`]; `None` if a number was infinite or NaN.
    pub(super) fn as_fractions(&self) -> Option<(f32, f32)> {
        let fraction = |error: f64, whole: f64| match whole > 0.0 {
            true => (error / whole) as f32,
            false => 0.0,
        };
        (self.sum_sq.is_finite() && self.sum_sq_error.is_finite()).then(|| {
            (
                fraction(f64::from(self.max_abs_error), f64::from(self.max_abs)),
                fraction(self.sum_sq_error.sqrt(), self.sum_sq.sqrt()),
            )
        })
    }
}
