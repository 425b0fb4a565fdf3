//! `product`: the matrix product of training, of matrices in any order of rows and columns.
//!
//! Along the shared dimension the terms are added in blocks of [`BLOCK`]: each element of the result is one chain of
//! additions per block, and the blocks are added in order. Rows and columns are packed into panels in the order in which a
//! [`Tile`] reads them; the result is divided among the threads by rows and columns, never along the sums.
#![allow(
    unsafe_code,
    reason = "threads write different tiles of one result, whose rows are not contiguous for each thread"
)]

use std::marker::PhantomData;
use std::ops::Range;

pub use super::matrix::Matrix;
use super::matrix::end;
#[cfg(target_arch = "x86_64")]
use super::tile::Avx2;
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
use super::tile::Scalar as Baseline;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
use super::tile::Simd128 as Baseline;
use super::tile::{MOST_SUMS, Tile};
use crate::parallel::Threads;

/// Terms that are added before they join the result. Part of the meaning of a product: another length gives other last
/// bits.
pub const BLOCK: usize = 256;
/// Most columns that a thread packs at once: with [`BLOCK`] terms 128 kB, which stay in a core's second cache.
const COLUMNS: usize = 128;
/// Rows that are multiplied with packed columns before the next ones: with [`BLOCK`] terms 96 kB.
const ROWS: usize = 96;
/// Most rows that are multiplied with columns before these are packed again. A multiple of every tile's rows.
const MOST_ROWS: usize = 16 * ROWS;
/// Most numbers of packed rows, 16 MB.
const MOST_PACKED: usize = 1 << 22;
/// Products below this many terms run on the calling thread.
const LEAST_TERMS: usize = 1 << 17;

/// The addend of a product.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Zero: the result is overwritten.
    Zero,
    /// The numbers that are in the result.
    Result,
    /// The same numbers in every row; (cols).
    Row(&'a [f32]),
}

/// `out = start + a · b`.
///
/// `a`: (m, k), `b`: (k, n), `out`: (m, n) with rows `stride` numbers apart.
///
/// # Panics
/// If the shapes differ.
pub fn product(
    threads: &Threads,
    a: Matrix,
    b: Matrix,
    start: Start,
    out: &mut [f32],
    stride: usize,
) {
    #[cfg(target_arch = "x86_64")]
    if Avx2::is_available() {
        return product_with::<Avx2>(threads, a, b, start, out, stride);
    }
    product_with::<Baseline>(threads, a, b, start, out, stride);
}

/// The name of the tile that [`product`] uses on this machine.
#[must_use]
pub fn simd() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if Avx2::is_available() {
        return Avx2::NAME;
    }
    Baseline::NAME
}

/// [`product`] with the tile `T`, for tests that compare tiles.
///
/// # Panics
/// As [`product`].
pub fn product_with<T: Tile>(
    threads: &Threads,
    a: Matrix,
    b: Matrix,
    start: Start,
    out: &mut [f32],
    stride: usize,
) {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    assert_eq!(k, b.rows, "a is (m, k) and b (k, n)");
    assert!(n <= stride || m <= 1, "rows of the result do not overlap");
    assert!(
        end(m, n, stride.max(n)) <= out.len(),
        "the result lies in its slice"
    );
    if let Start::Row(row) = start {
        assert_eq!(row.len(), n, "a number per column");
    }
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        return begin(start, out, (m, n), stride);
    }
    let one = Threads::default();
    let is_small = m.saturating_mul(n).saturating_mul(k) < LEAST_TERMS;
    let threads = if is_small { &one } else { threads };
    let out = Result::new(out, stride);
    // Rows are packed once for all columns, as many as fit.
    let most_terms = k.min(16 * BLOCK);
    let most_rows = (MOST_PACKED / most_terms / T::ROWS).max(1) * T::ROWS;
    let mut packed = vec![0.0; most_rows.min(m.next_multiple_of(T::ROWS)) * most_terms];
    for first_row in (0..m).step_by(most_rows) {
        let rows = first_row..m.min(first_row + most_rows);
        for first_term in (0..k).step_by(most_terms) {
            let terms = first_term..k.min(first_term + most_terms);
            let part = SubProduct {
                a: a.rows(rows.clone()).columns(terms.clone()),
                b: b.rows(terms),
                start: match first_term {
                    0 => start,
                    _ => Start::Result,
                },
                first_row,
            };
            part.add::<T>(threads, &mut packed, &out);
        }
    }
}

/// The result of a product without terms.
fn begin(start: Start, out: &mut [f32], (m, n): (usize, usize), stride: usize) {
    for row in out.chunks_mut(stride.max(1)).take(m) {
        match start {
            Start::Zero => row[..n].fill(0.0),
            Start::Result => {}
            Start::Row(first) => row[..n].copy_from_slice(first),
        }
    }
}

/// Some rows of a product and some of its terms.
struct SubProduct<'a> {
    a: Matrix<'a>,
    b: Matrix<'a>,
    start: Start<'a>,
    /// Of the result.
    first_row: usize,
}

impl SubProduct<'_> {
    fn add<T: Tile>(&self, threads: &Threads, packed: &mut [f32], out: &Result) {
        let (m, n, k) = (self.a.rows, self.b.cols, self.a.cols);
        let n_panels = m.div_ceil(T::ROWS);
        let padded = n_panels * T::ROWS;
        // (blocks, panels, terms of a block, ROWS)
        let mut panels: Vec<(Range<usize>, usize, &mut [f32])> = Vec::new();
        let mut rest = &mut packed[..padded * k];
        for first in (0..k).step_by(BLOCK) {
            let terms = first..k.min(first + BLOCK);
            for panel in 0..n_panels {
                let place = rest
                    .split_off_mut(..T::ROWS * terms.len())
                    .expect("every panel has its place");
                panels.push((terms.clone(), panel * T::ROWS, place));
            }
        }
        threads.for_each(&mut panels, |_, (terms, row, place)| {
            let rows = *row..m.min(*row + T::ROWS);
            T::pack_rows(self.a.rows(rows).columns(terms.clone()), place);
        });
        drop(panels);
        let packed = &packed[..padded * k];

        // Enough tasks that a delayed thread delays little: of fewer columns each, or else of fewer rows, for which columns
        // are packed again.
        let n_tasks = 8 * threads.count();
        let columns_at_once = n.div_ceil(n_tasks).next_multiple_of(T::COLS).min(COLUMNS);
        let n_columns = n.div_ceil(columns_at_once);
        let rows_at_once = m
            .div_ceil(n_tasks.div_ceil(n_columns))
            .next_multiple_of(T::ROWS)
            .min(MOST_ROWS);
        let n_rows = m.div_ceil(rows_at_once);
        threads.run(n_columns * n_rows, 1, |tasks| {
            let mut columns_packed = vec![0.0; columns_at_once * BLOCK.min(k)];
            for task in tasks {
                let column = task / n_rows * columns_at_once;
                let row = task % n_rows * rows_at_once;
                let columns = column..n.min(column + columns_at_once);
                let rows = row..m.min(row + rows_at_once);
                for first in (0..k).step_by(BLOCK) {
                    let terms = first..k.min(first + BLOCK);
                    let len = terms.len();
                    let b = self.b.rows(terms).columns(columns.clone());
                    let b_panels = columns.len().div_ceil(T::COLS);
                    for panel in 0..b_panels {
                        let first = panel * T::COLS;
                        let of_panel = first..columns.len().min(first + T::COLS);
                        let place = &mut columns_packed[panel * T::COLS * len..][..T::COLS * len];
                        T::pack_columns(b.columns(of_panel).t(), place);
                    }
                    let adds = first > 0 || !matches!(self.start, Start::Zero);
                    if let (0, Start::Row(first)) = (first, self.start) {
                        for row in rows.clone() {
                            let place = (self.first_row + row, columns.start);
                            // SAFETY: as in `tiles`.
                            let place = unsafe { out.row(place, columns.len()) };
                            place.copy_from_slice(&first[columns.clone()]);
                        }
                    }
                    let a = &packed[padded * first..][..padded * len];
                    self.tiles::<T>(
                        (a, &columns_packed),
                        len,
                        (rows.clone(), columns.clone()),
                        adds,
                        out,
                    );
                }
            }
        });
    }

    /// Adds the products of packed rows and columns, tile by tile.
    fn tiles<T: Tile>(
        &self,
        (a, b): (&[f32], &[f32]),
        len: usize,
        (rows, columns): (Range<usize>, Range<usize>),
        adds: bool,
        out: &Result,
    ) {
        let group_rows = ROWS.next_multiple_of(T::ROWS);
        for group in rows.clone().step_by(group_rows) {
            let group_end = rows.end.min(group + group_rows);
            for column in columns.clone().step_by(T::COLS) {
                let b = &b[(column - columns.start) * len..][..T::COLS * len];
                for row in (group..group_end).step_by(T::ROWS) {
                    let a = &a[row * len..][..T::ROWS * len];
                    let place = (self.first_row + row, column);
                    if row + T::ROWS <= rows.end && column + T::COLS <= columns.end {
                        let place = out.tile(place, (T::ROWS, T::COLS));
                        // SAFETY: `Threads::run` gives each task, whose rows and columns are its own, to one thread,
                        // and the tile's numbers lie in the result.
                        unsafe { T::add(a, b, adds, place, out.stride) };
                    } else {
                        let n_rows = T::ROWS.min(rows.end - row);
                        let n_cols = T::COLS.min(columns.end - column);
                        let mut sums = [0.0; MOST_SUMS];
                        T::sums(a, b, &mut sums);
                        for (i, sums) in sums.chunks_exact(T::COLS).enumerate().take(n_rows) {
                            // SAFETY: as above.
                            let place = unsafe { out.row((place.0 + i, column), n_cols) };
                            for (place, sum) in place.iter_mut().zip(sums) {
                                *place = if adds { *place + sum } else { *sum };
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The result of a product, written by several threads, each its own rows and columns.
struct Result<'a> {
    values: *mut f32,
    len: usize,
    stride: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: the threads of a product write different rows or columns.
unsafe impl Sync for Result<'_> {}

impl<'a> Result<'a> {
    fn new(values: &'a mut [f32], stride: usize) -> Self {
        Self {
            values: values.as_mut_ptr(),
            len: values.len(),
            stride,
            borrowed: PhantomData,
        }
    }

    /// The first number of a tile, whose numbers lie in the result.
    #[inline(always)]
    fn tile(&self, (row, column): (usize, usize), (rows, cols): (usize, usize)) -> *mut f32 {
        let start = row * self.stride + column;
        let end = start + (rows - 1) * self.stride + cols;
        assert!(end <= self.len, "the result is (m, n)");
        self.values.wrapping_add(start)
    }

    /// `n` numbers of a row from a column on.
    ///
    /// # Safety
    /// No other reference to these numbers exists.
    #[allow(clippy::mut_from_ref, reason = "the caller's promise")]
    #[inline(always)]
    unsafe fn row(&self, (row, column): (usize, usize), n: usize) -> &mut [f32] {
        let start = row * self.stride + column;
        assert!(start + n <= self.len, "the result is (m, n)");
        // SAFETY: in bounds by the assertion, and the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.values.add(start), n) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::tile::{Fused, Scalar};

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    /// (m, n, k): less than a tile, whole tiles, and more than a part of each loop.
    const SHAPES: [(usize, usize, usize); 7] = [
        (1, 1, 1),
        (5, 7, 3),
        (12, 16, 256),
        (100, 130, 257),
        (65, 300, 520),
        (400, 20, 4200),
        (3, 8, 100),
    ];

    fn by_definition(a: &[f32], b: &[f32], (m, n, k): (usize, usize, usize)) -> Vec<f64> {
        let mut out = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] = (0..k)
                    .map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j]))
                    .sum();
            }
        }
        out
    }

    fn transposed(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        for i in 0..rows {
            for j in 0..cols {
                out[j * rows + i] = x[i * cols + j];
            }
        }
        out
    }

    #[test]
    fn products_of_all_orders_are_the_sums_of_products() {
        for shape @ (m, n, k) in SHAPES {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let expected = by_definition(&a, &b, shape);
            let (a_t, b_t) = (transposed(&a, m, k), transposed(&b, k, n));
            let orders = [
                (Matrix::new(&a, m, k), Matrix::new(&b, k, n)),
                (Matrix::new(&a_t, k, m).t(), Matrix::new(&b, k, n)),
                (Matrix::new(&a, m, k), Matrix::new(&b_t, n, k).t()),
                (Matrix::new(&a_t, k, m).t(), Matrix::new(&b_t, n, k).t()),
            ];
            let mut first = Vec::new();
            for (a, b) in orders {
                let mut out = vec![7.0; m * n];
                product(&Threads::default(), a, b, Start::Zero, &mut out, n);
                for (got, expected) in out.iter().zip(&expected) {
                    let tolerance = 2e-6 * (k as f64).sqrt() * 4.0;
                    assert!(
                        (f64::from(*got) - expected).abs() < tolerance,
                        "{shape:?}: {got}, the definition gives {expected}"
                    );
                }
                if first.is_empty() {
                    first.clone_from(&out);
                }
                assert_eq!(out, first, "{shape:?}: the same bits in every order");
            }
        }
    }

    #[test]
    fn a_product_begins_with_what_it_is_told() {
        let (m, n, k) = (9, 21, 300);
        let (a, b) = (numbers(m * k, 3), numbers(k * n, 4));
        let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
        let one = Threads::default();
        let mut zero = vec![0.0; m * n];
        product(&one, a, b, Start::Zero, &mut zero, n);
        // Rows 30 apart, of which only the first 21 numbers are the result's.
        let mut wide = vec![1.0; m * 30];
        product(&one, a, b, Start::Result, &mut wide, 30);
        let row: Vec<f32> = (0..n).map(|i| i as f32).collect();
        let mut biased = vec![0.0; m * n];
        product(&one, a, b, Start::Row(&row), &mut biased, n);
        for i in 0..m {
            for j in 0..n {
                let sum = zero[i * n + j];
                assert!((wide[i * 30 + j] - (sum + 1.0)).abs() < 1e-5);
                assert!((biased[i * n + j] - (sum + row[j])).abs() < 1e-5);
            }
            assert_eq!(wide[i * 30 + n..(i + 1) * 30], [1.0; 9]);
        }
        let mut none = vec![2.0; 6];
        let (a, b) = (Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 3));
        product(&one, a, b, Start::Row(&[1.0, 2.0, 3.0]), &mut none, 3);
        assert_eq!(none, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    }

    /// The result of every number of threads.
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn threads_do_not_change_a_bit() {
        for (m, n, k) in SHAPES {
            let (a, b) = (numbers(m * k, 5), numbers(k * n, 6));
            let of = |n_threads: usize| {
                let mut out = vec![0.5; m * n];
                let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
                product(&Threads::new(n_threads), a, b, Start::Result, &mut out, n);
                out
            };
            let one = of(1);
            for n_threads in [2, 3, 5] {
                assert_eq!(of(n_threads), one, "{n_threads} threads, {:?}", (m, n, k));
            }
        }
    }

    fn with<T: Tile>((m, n, k): (usize, usize, usize)) -> Vec<f32> {
        let (a, b) = (numbers(m * k, 7), numbers(k * n, 8));
        let mut out = vec![0.0; m * n];
        let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
        product_with::<T>(&Threads::default(), a, b, Start::Zero, &mut out, n);
        out
    }

    #[test]
    fn vectors_give_the_bits_of_their_twins() {
        for shape in SHAPES {
            #[cfg(target_arch = "x86_64")]
            {
                assert_eq!(with::<Baseline>(shape), with::<Scalar>(shape), "{shape:?}");
                if Avx2::is_available() {
                    assert_eq!(with::<Avx2>(shape), with::<Fused>(shape), "{shape:?}");
                }
            }
            let (fused, scalar) = (with::<Fused>(shape), with::<Scalar>(shape));
            for (fused, scalar) in fused.iter().zip(&scalar) {
                assert!(
                    (fused - scalar).abs() < 1e-4,
                    "{shape:?}: {fused}, {scalar}"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "a is (m, k) and b (k, n)")]
    fn shapes_that_do_not_fit_are_refused() {
        let x = [0.0; 6];
        let mut out = [0.0; 4];
        let (a, b) = (Matrix::new(&x, 2, 3), Matrix::new(&x, 2, 2));
        product(&Threads::default(), a, b, Start::Zero, &mut out, 2);
    }

    #[test]
    #[should_panic(expected = "the result lies in its slice")]
    fn a_result_that_is_too_short_is_refused() {
        let x = [0.0; 4];
        let mut out = [0.0; 3];
        let (a, b) = (Matrix::new(&x, 2, 2), Matrix::new(&x, 2, 2));
        product(&Threads::default(), a, b, Start::Zero, &mut out, 2);
    }

    /// `cargo test --release -p huggingtweets-kernels --lib speed -- --ignored --nocapture`
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    #[ignore = "a measurement"]
    fn speed_of_products() {
        for n_threads in [1, 2] {
            let threads = Threads::new(n_threads);
            for (m, n, k, what) in [
                (1024, 2304, 768, "c_attn"),
                (1024, 768, 3072, "c_proj"),
                (768, 3072, 1024, "gradient of c_fc"),
                (256, 50257, 768, "head"),
                (50257, 768, 256, "gradient of the head"),
                (128, 1024, 256, "c_fc of the bundled model"),
                (1024, 8, 768, "A of LoRA"),
            ] {
                let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
                let mut out = vec![0.0; m * n];
                let mut best = f64::INFINITY;
                for _ in 0..5 {
                    let start = std::time::Instant::now();
                    let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
                    product(&threads, a, b, Start::Zero, &mut out, n);
                    best = best.min(start.elapsed().as_secs_f64());
                }
                let flop = 2.0 * (m * n * k) as f64;
                eprintln!(
                    "{n_threads} threads, {} {what}: {:.1} GFLOP/s",
                    simd(),
                    flop / best / 1e9
                );
            }
        }
    }
}
