//! Kernels of a quantized GPT-2: products of a quantized, packed matrix with vectors, and the choice of the kernel that computes them;
//! the small operations between products ([`ops`]), attention over cached keys and values, pure functions on logits, and
//! threads. No files, no model, no text.
//!
//! Of a matrix eight rows are interleaved ([`pack`]), so a vector lane is a row and no sum crosses lanes. Inputs are quantized once
//! per product ([`Scratch`]). Inside a quantization block the sums are integers, exact in any order; over the blocks
//! each row and column has one chain of `f32` additions, in block order. Every kernel keeps that chain, so scalar and
//! SIMD builds agree bit for bit. A column's result depends neither on the number of columns in the product nor on the
//! thread that computes a group of rows.

pub mod activation;
pub mod attention;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
mod blocks;
mod cache;
mod exp;
pub mod filters;
mod kernel;
pub mod kv_cache;
pub mod lane;
pub mod logits;
pub mod low_rank;
pub mod ops;
pub mod pack;
mod panel;
pub mod parallel;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod products;
#[cfg(all(target_arch = "wasm32", feature = "relaxed"))]
pub mod relaxed;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod rounding;
pub mod scalar;
mod scratch;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
pub mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;
pub mod training;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod vector;

use std::marker::PhantomData;
use std::ops::Range;

pub use activation::Activation;
pub use cache::{CacheMatrix, CacheType};
pub use exp::EXP_BATCH;
pub use kernel::Kernel;
use lane::GROUP_ROWS;
pub use pack::{PackedWeight, Packer, WeightType};
use panel::panel_starts;
pub use panel::{Block32, Block256, InputType, Layout, MAX_COLUMNS, Panel};
pub use scratch::Scratch;

#[cfg(all(target_arch = "wasm32", feature = "relaxed"))]
use relaxed::Relaxed as Baseline;
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
use scalar::Scalar as Baseline;
#[cfg(any(
    target_arch = "x86_64",
    all(
        target_arch = "wasm32",
        target_feature = "simd128",
        not(feature = "relaxed")
    )
))]
use simd128::Simd128 as Baseline;

/// Runs one kernel over every group of rows and all columns, a panel at a time; `$from` is the method that gives the
/// kernel's inputs.
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

/// Evaluates an expression with the kernel that this machine runs as type `$K`.
macro_rules! with_kernel {
    ($K:ident => $body:expr) => {{
        #[cfg(target_arch = "x86_64")]
        if crate::avx2::Avx2::is_available() {
            type $K = crate::avx2::Avx2;
            return $body;
        }
        type $K = crate::Baseline;
        $body
    }};
}

use with_kernel;

/// The name of the kernel that this machine runs: `relaxed` or `simd128` in WebAssembly with SIMD, `avx2` or `sse2` on
/// x86-64, else `scalar`.
#[must_use]
pub fn simd() -> &'static str {
    with_kernel!(K => K::NAME)
}

/// Replaces x by eˣ, clamped to e⁻⁸⁷ and e⁸⁸; a NaN stays NaN.
#[inline(always)]
pub fn exp(x: &mut [f32; EXP_BATCH]) {
    with_kernel!(K => K::exp(x));
}

/// `out = x · weightᵀ`, reading the weights once for all columns.
///
/// `x`: (n, cols), `out`: (n, rows), both row-major. The result of one column is the same, bit for bit, for every `n`.
/// A column that holds an infinity or a NaN gives NaN with quantized weights, and follows IEEE 754 with float weights.
///
/// # Panics
/// If the length of `x` or `out` differs.
pub fn matmul(weight: &PackedWeight, x: &[f32], n: usize, out: &mut [f32], scratch: &mut Scratch) {
    matmul_then(weight, x, n, out, scratch, &|_, _| {});
}

/// A function applied to a finished part of a product, given the index in `out` where the part begins.
pub type Finish<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// [`matmul`], followed by `finish` for every part of `out`, on the thread that computed the part. A part lies inside
/// one column; the parts together cover `out`.
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
    with_kernel!(K => product::<K>(weight, x, n, out, scratch, finish));
}

/// [`matmul`] with the kernel `K`, for tests that compare kernels.
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

/// Smallest work, in bytes of weights times columns, that a thread claims at once.
const LEAST_BYTES: usize = 16 << 10;

/// The input columns of one product, as floats and quantized.
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

    /// N columns from column `first`.
    #[inline(always)]
    fn floats<const N: usize>(&self, first: usize) -> [&'a [f32]; N] {
        std::array::from_fn(|i| &self.x[(first + i) * self.cols..][..self.cols])
    }

    /// The panel of N columns from column `first`.
    #[inline(always)]
    fn panel<const N: usize>(&self, first: usize) -> Panel<'a, N> {
        let input = self.input.expect("the kernel's inputs are quantized");
        self.scratch.panel::<K, N>(input, self.cols, first)
    }
}

/// The result (n, rows), written by several threads, each in its own groups of rows.
struct Output<'a> {
    values: *mut f32,
    len: usize,
    rows: usize,
    _borrowed: PhantomData<&'a mut [f32]>,
}

#[allow(
    unsafe_code,
    reason = "the rows of several columns are not contiguous, so a thread cannot be given its rows as one slice"
)]
// SAFETY: groups of rows do not overlap, and `Threads::run` gives each group to one thread.
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

    /// Calls `finish` with the results of these groups of rows in one column.
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
            // SAFETY: in bounds by the assertion, and no other thread has these rows of the borrowed slice.
            let out = unsafe { std::slice::from_raw_parts_mut(self.values.add(start), count) };
            let [a, b, c, d, e, f, g, h] = *result;
            match out.first_chunk_mut() {
                // Value by value: a copy of 32 bytes would become a call of the browser's `memcpy`.
                Some(all) => *all = [a, b, c, d, e, f, g, h],
                // The last group may have fewer rows.
                None => out.copy_from_slice(&result[..count]),
            }
        }
    }
}
