//! Quantized matrix × vectors over weights packed for it; the one place that chooses the kernel.
//!
//! Eight rows lie side by side ([`pack`]), so a vector lane is a row and no sum runs across lanes.
//! Inputs are quantized once per product ([`Scratch`]). Inside a quantization block sums are
//! integers, exact in any order; over the blocks each row and column has one chain of `f32`
//! additions, in block order. Every kernel keeps that chain, so scalar and SIMD builds agree bit for
//! bit, and a column's result depends neither on how many columns go with it nor on which rows are
//! computed where: threads take groups of eight rows in any order and the result stays the same.

mod activations;
mod blocks;
mod cache;
mod exp;
pub mod lane;
pub mod pack;
#[cfg(all(target_arch = "wasm32", feature = "relaxed"))]
pub mod relaxed;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod rounding;
pub mod scalar;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
pub mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod vector;

use activations::panel_starts;
pub use activations::{Block32, Block256, InputType, Layout, MAX_COLUMNS, Panel, Scratch};
pub use cache::{CacheMatrix, CacheType};
pub use exp::EXP_BATCH;
use std::marker::PhantomData;
use std::ops::Range;

use lane::{GROUP_ROWS, Group};
pub use pack::{PackedWeight, Packer, WeightType};

#[cfg(all(target_arch = "wasm32", feature = "relaxed"))]
use relaxed::Relaxed as Chosen;
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
use scalar::Scalar as Chosen;
#[cfg(any(
    target_arch = "x86_64",
    all(
        target_arch = "wasm32",
        target_feature = "simd128",
        not(feature = "relaxed")
    )
))]
use simd128::Simd128 as Chosen;

/// What one instruction set does its own way: quantize inputs, multiply one group of rows.
///
/// `group`: eight packed rows. `x`: N columns of equal length; `panel`: N columns
/// quantized by the same kernel, see [`Panel`]. Result: N × 8 rows.
/// Implementations agree bit for bit; the scalar one is the meaning. NaN bits are not compared.
pub trait Kernel {
    /// `scalar` or the name of the instruction set.
    const NAME: &'static str;

    /// How quantized inputs lie in this kernel's panels.
    #[inline(always)]
    fn layout(input: InputType) -> Layout {
        input.layout()
    }
    /// Quantizes 32 inputs for Q8_0 or Q4_0.
    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32;
    /// Quantizes 256 inputs for Q4_K or Q6_K.
    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256;

    /// Replaces x by eˣ, as [`exp()`] says.
    fn exp(x: &mut [f32; EXP_BATCH]);

    /// F32 rows: four chains, column index modulo 4, added as (0 + 1) + (2 + 3).
    fn f32<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N];
    /// F16 rows, in the order of [`Kernel::f32`].
    fn f16<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N];
    /// Q8_0: `acc += (d · x.scale) · Σ q·x` per 32.
    fn q8_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// A cache's 8-bit integers: `acc += x.scale · Σ q·x` per 32.
    fn cache<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// Q4_0: `acc += (d · x.scale) · (Σ q·x − 8 Σ x)` per 32.
    fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// Q4_K: `acc += (d · x.scale) · Σ sc Σ q·x − (dmin · x.scale) · Σ m Σ x` per 256.
    fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// Q6_K: `acc += (d · x.scale) · Σ sc (Σ q·x − 32 Σ x)` per 256.
    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
}

/// For every group of rows, one kernel over all columns, a panel at a time; `$from` is how its
/// inputs are had.
macro_rules! by_columns {
    ($K:ident::$kernel:ident, $inputs:ident.$from:ident, $weight:expr, $groups:expr, $n:expr, $out:expr) => {
        for group in $groups {
            let rows = $weight.group(group);
            for (first, count) in panel_starts($n) {
                macro_rules! pass {
                    ($count:literal) => {
                        $out.store::<$count>(
                            &$K::$kernel(rows, $inputs.$from::<$count>(first)),
                            group,
                            first,
                        )
                    };
                }
                match count {
                    1 => pass!(1),
                    2 => pass!(2),
                    3 => pass!(3),
                    4 => pass!(4),
                    5 => pass!(5),
                    _ => unreachable!("a panel has at most MAX_COLUMNS"),
                }
            }
        }
    };
}

use by_columns;

/// The kernel this build computes with: `relaxed` or `simd128` in wasm with it, `sse2` on x86-64, else `scalar`.
#[must_use]
pub fn simd() -> &'static str {
    Chosen::NAME
}

/// Replaces x by eˣ, clamped to e⁻⁸⁷ and e⁸⁸; a NaN stays.
#[inline(always)]
pub fn exp(x: &mut [f32; EXP_BATCH]) {
    Chosen::exp(x);
}

/// `out = x · weightᵀ`, reading the weights once for all columns.
///
/// `x`: (n, cols), `out`: (n, rows), both row-major. The result for one column is the same, bit for
/// bit, whatever `n`. A column with an infinity or a NaN gives NaN, beside float weights what IEEE 754 says.
///
/// # Panics
/// If `x` or `out` has another length.
pub fn matmul(weight: &PackedWeight, x: &[f32], n: usize, out: &mut [f32], scratch: &mut Scratch) {
    matmul_then(weight, x, n, out, scratch, &|_, _| {});
}

/// What is still to be done to a part of a product, given the place in `out` where it begins.
pub type Finish<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// [`matmul`], and then `finish` with parts of `out`, each inside one column and together all of it, on
/// the thread that computed them.
///
/// # Panics
/// As [`matmul`].
pub fn matmul_then(
    weight: &PackedWeight,
    x: &[f32],
    n: usize,
    out: &mut [f32],
    scratch: &mut Scratch,
    finish: Finish,
) {
    product::<Chosen>(weight, x, n, out, scratch, finish);
}

/// [`matmul`] with a kernel of one's own choice, to compare twins.
///
/// # Panics
/// As [`matmul`].
pub fn matmul_with<K: Kernel>(
    weight: &PackedWeight,
    x: &[f32],
    n: usize,
    out: &mut [f32],
    scratch: &mut Scratch,
) {
    product::<K>(weight, x, n, out, scratch, &|_, _| {});
}

fn product<K: Kernel>(
    weight: &PackedWeight,
    x: &[f32],
    n: usize,
    out: &mut [f32],
    scratch: &mut Scratch,
    finish: Finish,
) {
    let (rows, cols) = (weight.rows(), weight.cols());
    assert_eq!(Some(x.len()), n.checked_mul(cols), "x is (n, cols)");
    assert_eq!(Some(out.len()), n.checked_mul(rows), "out is (n, rows)");
    if n == 0 || cols == 0 {
        out.fill(0.0);
        let columns = out.chunks_exact_mut(rows.max(1)).enumerate();
        return columns.for_each(|(column, out)| finish(column * rows, out));
    }
    let input = weight.dtype().input();
    let inputs = Inputs::<K>::new(input, x, cols, scratch);
    let out = Output::new(out, rows);
    let n_groups = rows.div_ceil(GROUP_ROWS);
    let group_bytes = weight.size_bytes() / n_groups.max(1);
    let least_groups = LEAST_BYTES.div_ceil((group_bytes * n).max(1));
    let threads = inputs.scratch.threads();
    threads.run(n_groups, least_groups, |groups| {
        let done = groups.clone();
        match weight.dtype() {
            WeightType::F32 => by_columns!(K::f32, inputs.floats, weight, groups, n, out),
            WeightType::F16 => by_columns!(K::f16, inputs.floats, weight, groups, n, out),
            WeightType::Q8_0 => by_columns!(K::q8_0, inputs.panel, weight, groups, n, out),
            WeightType::Q4_0 => by_columns!(K::q4_0, inputs.panel, weight, groups, n, out),
            WeightType::Q4K => by_columns!(K::q4k, inputs.panel, weight, groups, n, out),
            WeightType::Q6K => by_columns!(K::q6k, inputs.panel, weight, groups, n, out),
        }
        for column in 0..n {
            out.finish(column, done.clone(), finish);
        }
    });
}

/// Bytes of weights, times columns, that are worth claiming for a thread at once.
const LEAST_BYTES: usize = 16 << 10;

/// The columns of one product, as given and as quantized.
struct Inputs<'a, K> {
    x: &'a [f32],
    cols: usize,
    scratch: &'a Scratch,
    input: Option<InputType>,
    kernel: PhantomData<fn() -> K>,
}

impl<'a, K: Kernel> Inputs<'a, K> {
    /// `x`: (n, cols).
    fn new(input: Option<InputType>, x: &'a [f32], cols: usize, scratch: &'a mut Scratch) -> Self {
        if let Some(input) = input {
            scratch.quantize::<K>(input, cols, x);
        }
        Self {
            x,
            cols,
            scratch,
            input,
            kernel: PhantomData,
        }
    }

    /// N columns from column `first` on.
    #[inline(always)]
    fn floats<const N: usize>(&self, first: usize) -> [&'a [f32]; N] {
        std::array::from_fn(|i| &self.x[(first + i) * self.cols..][..self.cols])
    }

    /// The panel of N columns from column `first` on.
    #[inline(always)]
    fn panel<const N: usize>(&self, first: usize) -> Panel<'a, N> {
        let input = self.input.expect("the kernel's inputs are quantized");
        self.scratch.panel::<K, N>(input, self.cols, first)
    }
}

/// The product (n, rows), which threads write together, each its own groups of rows.
struct Output<'a> {
    values: *mut f32,
    len: usize,
    rows: usize,
    _borrowed: PhantomData<&'a mut [f32]>,
}

#[allow(
    unsafe_code,
    reason = "rows of several columns are no slice, so threads cannot be given theirs as one"
)]
// SAFETY: groups of rows lie apart, and `Threads::run` gives each group to one thread.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    fn new(values: &'a mut [f32], rows: usize) -> Self {
        Self {
            values: values.as_mut_ptr(),
            len: values.len(),
            rows,
            _borrowed: PhantomData,
        }
    }

    /// Hands what these groups of rows have become in one column to `finish`.
    #[allow(unsafe_code, reason = "as above")]
    fn finish(&self, column: usize, groups: Range<usize>, finish: Finish) {
        let end = self.rows.min(groups.end * GROUP_ROWS);
        let (row, start) = (groups.start * GROUP_ROWS, column * self.rows);
        assert!(row <= end && start + end <= self.len, "out is (n, rows)");
        // SAFETY: as in `store`.
        let values = unsafe { self.values.add(start + row) };
        // SAFETY: as in `store`.
        finish(start + row, unsafe {
            std::slice::from_raw_parts_mut(values, end - row)
        });
    }

    /// Writes the results of one group of rows for N columns.
    #[inline(always)]
    #[allow(unsafe_code, reason = "as above")]
    fn store<const N: usize>(&self, results: &[[f32; GROUP_ROWS]; N], group: usize, first: usize) {
        let row = group * GROUP_ROWS;
        let count = GROUP_ROWS.min(self.rows - row);
        for (i, result) in results.iter().enumerate() {
            let start = (first + i) * self.rows + row;
            assert!(start + count <= self.len, "out is (n, rows)");
            // SAFETY: in bounds by the assertion, and nobody else has these rows of the borrowed slice.
            let out = unsafe { std::slice::from_raw_parts_mut(self.values.add(start), count) };
            let [a, b, c, d, e, f, g, h] = *result;
            match out.first_chunk_mut() {
                // Value by value: as a copy of 32 bytes it would become a call of the browser's `memcpy`.
                Some(all) => *all = [a, b, c, d, e, f, g, h],
                // The last group is filled up.
                None => out.copy_from_slice(&result[..count]),
            }
        }
    }
}
