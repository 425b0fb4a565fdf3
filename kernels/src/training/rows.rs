//! Work on the rows and columns of a matrix, divided among threads, with sums in a fixed order.

use crate::PackedWeight;
use crate::ops::sum_of;
use crate::parallel::Threads;

/// Numbers that a thread takes at once, at least.
const LEAST: usize = 1 << 13;
/// Columns that a thread sums at once.
const COLUMNS: usize = 64;
/// Numbers whose squares are summed in `f32`.
const SQUARES: usize = 1 << 12;

/// Calls `work` for each row of `out` (rows, cols) with its index.
pub fn for_rows(
    threads: &Threads,
    out: &mut [f32],
    cols: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
) {
    let at_once = LEAST.div_ceil(cols.max(1));
    let mut parts: Vec<_> = out.chunks_mut(at_once * cols.max(1)).collect();
    threads.for_each(&mut parts, |part, rows| {
        for (i, row) in rows.chunks_exact_mut(cols.max(1)).enumerate() {
            work(part * at_once + i, row);
        }
    });
}

/// [`for_rows`] with the rows of two matrices of as many rows.
pub fn for_rows_of_two(
    threads: &Threads,
    (one, one_cols): (&mut [f32], usize),
    (other, other_cols): (&mut [f32], usize),
    work: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) {
    assert_eq!(
        one.len() / one_cols.max(1),
        other.len() / other_cols.max(1),
        "as many rows"
    );
    let at_once = LEAST.div_ceil(one_cols.max(other_cols).max(1));
    let other_parts = other.chunks_mut(at_once * other_cols.max(1));
    let mut parts: Vec<_> = one
        .chunks_mut(at_once * one_cols.max(1))
        .zip(other_parts)
        .collect();
    threads.for_each(&mut parts, |part, (one, other)| {
        let one = one.chunks_exact_mut(one_cols.max(1));
        let other = other.chunks_exact_mut(other_cols.max(1));
        for (i, (one, other)) in one.zip(other).enumerate() {
            work(part * at_once + i, one, other);
        }
    });
}

/// Adds to `out` (cols) what `term` gives for each row of `x` (rows, cols): one chain of additions per column, in the
/// order of the rows. `term`: a row's index, its first column, its numbers, and the sums of these columns.
pub fn column_sums(
    threads: &Threads,
    x: &[f32],
    out: &mut [f32],
    term: impl Fn(usize, usize, &[f32], &mut [f32]) + Sync,
) {
    let cols = out.len();
    let mut parts: Vec<_> = out.chunks_mut(COLUMNS).collect();
    threads.for_each(&mut parts, |part, sums| {
        let first = part * COLUMNS;
        for (row, x) in x.chunks_exact(cols).enumerate() {
            term(row, first, &x[first..first + sums.len()], sums);
        }
    });
}

/// Σ x², in parts of a fixed length that are added in order.
#[must_use]
pub fn squares(threads: &Threads, x: &[f32]) -> f64 {
    const PARTS: usize = 64;
    let mut sums: Vec<f64> = vec![0.0; x.len().div_ceil(SQUARES * PARTS)];
    threads.for_each(&mut sums, |part, sum| {
        let x = &x[part * SQUARES * PARTS..];
        let parts = x.chunks(SQUARES).take(PARTS);
        *sum = parts.map(|x| f64::from(squares_of(x))).sum();
    });
    sums.iter().sum()
}

// Not inlined, as in `adam.rs`.
#[inline(never)]
fn squares_of(x: &[f32]) -> f32 {
    sum_of(x, |x| x * x)
}

/// Writes rows of a packed matrix as floats, (rows, cols).
///
/// # Panics
/// If `out` has another length, or a row does not exist.
pub fn dequantize(
    threads: &Threads,
    weight: &PackedWeight,
    rows: std::ops::Range<usize>,
    out: &mut [f32],
) {
    assert_eq!(out.len(), rows.len() * weight.cols(), "out is (rows, cols)");
    for_rows(threads, out, weight.cols(), |row, out| {
        weight.row(rows.start + row, out);
    });
}
