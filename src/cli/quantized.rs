//! `Quantized`: the result of `quantize`, as JSON and as text.

use super::quality::Quality;
use crate::hub::Dtype;
use crate::weights::ConversionReport;
use serde::Serialize;
use std::path::Path;

/// The result of `quantize`.
#[derive(Debug, Serialize)]
pub struct Quantized {
    tensors: usize,
    bytes: u64,
    max_error: f32,
    errors: Vec<TensorError>,
    #[serde(flatten)]
    quality: Option<BeforeAndAfter>,
    #[serde(skip)]
    dtype: Dtype,
}

/// The rounding error of a tensor.
#[derive(Debug, Serialize)]
struct TensorError {
    name: String,
    dtype: &'static str,
    /// Whether the requested type did not fit its rows.
    #[serde(skip)]
    is_fallback: bool,
    /// The root mean square of the error, as a fraction of the original's root mean square.
    rms_error: f32,
    /// The largest error, as a fraction of the original's largest absolute value.
    max_error: f32,
}

/// The scores of the model on a fixed text.
#[derive(Debug, Serialize)]
pub struct BeforeAndAfter {
    /// The score of the input.
    pub before: Quality,
    /// The score of the result.
    pub after: Quality,
}

impl Quantized {
    /// The result of a finished conversion to `dtype`.
    pub fn new(report: ConversionReport, dtype: Dtype, quality: Option<BeforeAndAfter>) -> Self {
        let errors = report.tensors.into_iter().map(|tensor| TensorError {
            name: tensor.name,
            dtype: tensor.dtype.name(),
            is_fallback: tensor.is_fallback,
            rms_error: tensor.rms_error,
            max_error: tensor.max_error,
        });
        let errors: Vec<_> = errors.collect();
        Self {
            tensors: errors.len(),
            bytes: report.bytes,
            max_error: report.max_error,
            errors,
            quality,
            dtype,
        }
    }

    /// The result for people: a line for each tensor that has changed, then a summary.
    pub fn describe(&self, path: &Path) -> String {
        let mut lines = vec![format!(
            "{:<28} {:<5} {:>10} {:>13}",
            "tensor", "type", "rms error", "largest error"
        )];
        let changed = |tensor: &&TensorError| tensor.max_error > 0.0 || tensor.is_fallback;
        for tensor in self.errors.iter().filter(changed) {
            let note = match tensor.is_fallback {
                true => "  its rows do not fit the requested type",
                false => "",
            };
            lines.push(format!(
                "{:<28} {:<5} {:>8.3} % {:>11.3} %{note}",
                tensor.name,
                tensor.dtype,
                100.0 * tensor.rms_error,
                100.0 * tensor.max_error,
            ));
        }
        if let Some(BeforeAndAfter { before, after }) = &self.quality {
            for (when, quality) in [("before", before), ("after", after)] {
                lines.push(format!(
                    "{when:<6} {:<5} {:.4} bits per byte, perplexity {:.2}",
                    quality.dtype.to_ascii_uppercase(),
                    quality.bits_per_byte,
                    quality.perplexity(),
                ));
            }
        }
        lines.push(format!(
            "{}: {} tensors, {:.1} MB, largest error {:.4} of a tensor's largest weight",
            path.display(),
            self.tensors,
            self.bytes as f64 / 1e6,
            self.max_error,
        ));
        lines.extend(self.better_choice());
        lines.join("\n")
    }

    /// The type that makes a smaller file, where rows do not fit the blocks of 256 of Q4_K and tensors became Q8_0.
    fn better_choice(&self) -> Option<String> {
        let fallbacks = self.errors.iter().filter(|tensor| tensor.is_fallback);
        let larger = fallbacks.filter(|tensor| tensor.dtype == "Q8_0").count();
        (self.dtype == Dtype::Q4K && larger > 0).then(|| {
            format!(
                "hint: {larger} tensors became Q8_0, because their rows are no multiple of 256; --dtype q4_0 makes a \
                 smaller file"
            )
        })
    }
}
