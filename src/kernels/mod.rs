//! Quantized matrix × vectors over weights packed for it; the one place that chooses the kernel.

pub mod pack;

use pack::PackedWeight;

/// Reusable buffers of [`matmul`].
#[derive(Debug, Default)]
pub struct Scratch {
    row: Vec<f32>,
}

/// `out` (n, rows) = `x` (n, cols) · `weight`ᵀ; reads the weights once for all n columns.
///
/// # Panics
/// If a length does not fit.
pub fn matmul(weight: &PackedWeight, x: &[f32], n: usize, out: &mut [f32], scratch: &mut Scratch) {
    let (rows, cols) = (weight.rows(), weight.cols());
    assert_eq!(x.len(), n * cols, "x is (n, cols)");
    assert_eq!(out.len(), n * rows, "out is (n, rows)");
    scratch.row.resize(cols, 0.0);
    for row in 0..rows {
        weight.row(row, &mut scratch.row);
        for i in 0..n {
            let x = &x[i * cols..(i + 1) * cols];
            let mut lanes = [0.0_f32; 8];
            for (a, b) in x.chunks_exact(8).zip(scratch.row.chunks_exact(8)) {
                for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
                    *lane += a * b;
                }
            }
            let rest = cols / 8 * 8;
            let tail: f32 = x[rest..]
                .iter()
                .zip(&scratch.row[rest..])
                .map(|(a, b)| a * b)
                .sum();
            out[i * rows + row] = lanes.iter().sum::<f32>() + tail;
        }
    }
}
