//! `Target`: the type in which a conversion writes a tensor.

use super::dtype::StoredType;
use super::error::WeightsError;
use super::gguf_layout::TensorToWrite;
use super::names::TensorSpec;
use super::report::{RoundingErrors, TensorReport};
use crate::kernels::pack::WeightType;

/// The type for rows of `cols` numbers: `dtype`, or if such rows are not whole blocks of it the next more exact type
/// that fits. Q4_K and Q6_K give way to Q8_0, types with blocks of 32 to F16.
fn fitting(dtype: WeightType, cols: usize) -> WeightType {
    let fits = |dtype| StoredType::from(dtype).row_bytes(cols).is_some();
    match dtype {
        dtype if fits(dtype) => dtype,
        WeightType::Q4K | WeightType::Q6K if fits(WeightType::Q8_0) => WeightType::Q8_0,
        _ => WeightType::F16,
    }
}

/// A tensor as it will be written.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) spec: TensorSpec,
    pub(super) dtype: StoredType,
    /// Whether the requested type does not fit its rows.
    is_fallback: bool,
}

impl Target {
    /// The target of a tensor: matrices become `dtype` where it fits their rows; vectors and positions stay F32.
    pub(super) fn new(spec: TensorSpec, dtype: WeightType) -> Self {
        let target = match spec.role.is_quantizable() {
            true => fitting(dtype, spec.cols),
            false => WeightType::F32,
        };
        Self {
            is_fallback: spec.role.is_quantizable() && target != dtype,
            dtype: target.into(),
            spec,
        }
    }

    pub(super) fn to_write(&self) -> TensorToWrite {
        TensorToWrite {
            name: self.spec.gguf_name.clone(),
            dims: self.spec.gguf_dims(),
            dtype: self.dtype,
        }
    }

    /// The report of the finished tensor: `max_error` and `rms_error` as of [`Self::errors`].
    pub(super) fn report(&self, max_error: f32, rms_error: f32) -> TensorReport {
        TensorReport {
            name: self.spec.gguf_name.clone(),
            dtype: self.dtype,
            is_fallback: self.is_fallback,
            max_error,
            rms_error,
        }
    }

    /// The largest and the root mean square error, as fractions of the original's largest value and root mean square.
    ///
    /// # Errors
    /// [`WeightsError::NotFinite`].
    pub(super) fn errors(&self, errors: &RoundingErrors) -> Result<(f32, f32), WeightsError> {
        errors
            .as_fractions()
            .ok_or_else(|| WeightsError::NotFinite {
                name: self.spec.name.clone(),
                source: std::io::ErrorKind::InvalidData.into(),
            })
    }
}
