//! `Tile`: the innermost product, of a few rows with a few columns, which a processor holds in its registers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod simd128;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
pub use simd128::Simd128;

use super::matrix::{Matrix, pack};

/// Most sums of a tile, rows times columns.
pub const MOST_SUMS: usize = 6 * 16;

/// The products of `ROWS` rows of one matrix with `COLS` columns of another.
pub trait Tile {
    /// `scalar` or the name of the instruction set.
    const NAME: &'static str;
    /// Rows of a tile.
    const ROWS: usize;
    /// Columns of a tile; `ROWS · COLS` is at most [`MOST_SUMS`].
    const COLS: usize;

    /// `sums[r][c] = Σₖ a[k][r] · b[k][c]`, one chain of additions from 0 per sum, in the order of k.
    ///
    /// `a`: (k, ROWS), `b`: (k, COLS), `sums`: (ROWS, COLS) at its front.
    ///
    /// # Panics
    /// If `a` and `b` are not of the same k.
    fn sums(a: &[f32], b: &[f32], sums: &mut [f32; MOST_SUMS]);

    /// Writes the sums of a whole tile to `out`, or adds them to what is there. Rows are `stride` numbers apart.
    ///
    /// # Safety
    /// The numbers of a whole tile can be read and written at `out`, and no other thread uses them.
    #[allow(unsafe_code, reason = "the rows of a tile are not contiguous")]
    unsafe fn add(a: &[f32], b: &[f32], adds: bool, out: *mut f32, stride: usize) {
        let mut sums = [0.0; MOST_SUMS];
        Self::sums(a, b, &mut sums);
        for (i, sums) in sums.chunks_exact(Self::COLS).enumerate().take(Self::ROWS) {
            for (j, sum) in sums.iter().enumerate() {
                // SAFETY: the caller's promise.
                let place = unsafe { &mut *out.add(i * stride + j) };
                *place = if adds { *place + sum } else { *sum };
            }
        }
    }

    /// Packs rows (at most `ROWS`, k) as (k, `ROWS`).
    fn pack_rows(rows: Matrix, out: &mut [f32]);

    /// Packs columns, given as rows (at most `COLS`, k), as (k, `COLS`).
    fn pack_columns(columns: Matrix, out: &mut [f32]);
}

/// The plain loops, with a rounding after each multiplication: the twin of [`Simd128`] without fused operations.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

impl Tile for Scalar {
    const NAME: &'static str = "scalar";
    const ROWS: usize = 4;
    const COLS: usize = 8;

    fn sums(a: &[f32], b: &[f32], sums: &mut [f32; MOST_SUMS]) {
        plain::<4, 8>(a, b, sums, |a, b, sum| a * b + sum);
    }

    fn pack_rows(rows: Matrix, out: &mut [f32]) {
        pack::<4>(rows, out);
    }

    fn pack_columns(columns: Matrix, out: &mut [f32]) {
        pack::<8>(columns, out);
    }
}

/// The plain loops with fused multiply-adds: the twin of [`Avx2`] and of relaxed SIMD. Without the instruction each is a
/// call, so it is for tests alone.
#[derive(Clone, Copy, Debug)]
pub struct Fused;

impl Tile for Fused {
    const NAME: &'static str = "fused";
    const ROWS: usize = 6;
    const COLS: usize = 16;

    fn sums(a: &[f32], b: &[f32], sums: &mut [f32; MOST_SUMS]) {
        plain::<6, 16>(a, b, sums, f32::mul_add);
    }

    fn pack_rows(rows: Matrix, out: &mut [f32]) {
        pack::<6>(rows, out);
    }

    fn pack_columns(columns: Matrix, out: &mut [f32]) {
        pack::<16>(columns, out);
    }
}

fn plain<const R: usize, const C: usize>(
    a: &[f32],
    b: &[f32],
    sums: &mut [f32; MOST_SUMS],
    add: impl Fn(f32, f32, f32) -> f32,
) {
    let (a, b) = (a.as_chunks::<R>().0, b.as_chunks::<C>().0);
    assert_eq!(a.len(), b.len(), "a is (k, R) and b (k, C)");
    let mut tile = [[0.0_f32; C]; R];
    for (a, b) in a.iter().zip(b) {
        for (row, a) in tile.iter_mut().zip(a) {
            for (sum, b) in row.iter_mut().zip(b) {
                *sum = add(*a, *b, *sum);
            }
        }
    }
    sums[..R * C].copy_from_slice(tile.as_flattened());
}
