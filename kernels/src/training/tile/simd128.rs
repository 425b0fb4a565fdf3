//! `Simd128`: a tile of 4 × 8 in 128-bit vectors of WebAssembly or x86-64's baseline, of 6 × 8 where terms are fused.
//! Larger tiles need more registers than a browser's compiler has.
#![allow(
    unsafe_code,
    reason = "vector loads take pointers, whose lengths are checked once per tile"
)]

use super::{MOST_SUMS, Tile};
use crate::training::matrix::{Matrix, pack};
use crate::vector::*;

/// WebAssembly's SIMD, or its equivalent in x86-64's baseline; with relaxed SIMD the terms are fused.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

/// A product that is not fused with its sum needs a register of its own.
const ROWS: usize = if cfg!(all(target_arch = "wasm32", feature = "relaxed")) {
    6
} else {
    4
};
const COLS: usize = 8;

impl Tile for Simd128 {
    const NAME: &'static str = if cfg!(all(target_arch = "wasm32", feature = "relaxed")) {
        "relaxed"
    } else if cfg!(target_arch = "wasm32") {
        "simd128"
    } else {
        "sse2"
    };
    const ROWS: usize = ROWS;
    const COLS: usize = COLS;

    #[inline]
    fn sums(a: &[f32], b: &[f32], sums: &mut [f32; MOST_SUMS]) {
        let k = a.len() / ROWS;
        assert!(
            a.len() == k * ROWS && b.len() == k * COLS,
            "a is (k, ROWS) and b (k, COLS)"
        );
        // SAFETY: the lengths are those of k rows.
        unsafe { tile(k, a.as_ptr(), b.as_ptr(), false, sums.as_mut_ptr(), COLS) }
    }

    #[inline]
    unsafe fn add(a: &[f32], b: &[f32], adds: bool, out: *mut f32, stride: usize) {
        let k = a.len() / ROWS;
        assert!(
            a.len() == k * ROWS && b.len() == k * COLS,
            "a is (k, ROWS) and b (k, COLS)"
        );
        // SAFETY: the lengths are those of k rows, and the caller's promise.
        unsafe { tile(k, a.as_ptr(), b.as_ptr(), adds, out, stride) }
    }

    fn pack_rows(rows: Matrix, out: &mut [f32]) {
        pack::<ROWS>(rows, out);
    }

    fn pack_columns(columns: Matrix, out: &mut [f32]) {
        pack::<COLS>(columns, out);
    }
}

/// `a · b + sum`, fused where the build has relaxed SIMD.
#[inline(always)]
#[cfg(not(all(target_arch = "wasm32", feature = "relaxed")))]
fn multiply_add(a: v128, b: v128, sum: v128) -> v128 {
    f32x4_add(f32x4_mul(a, b), sum)
}

/// `a · b + sum`, fused where the machine has the instruction.
#[inline]
#[target_feature(enable = "relaxed-simd")]
#[cfg(all(target_arch = "wasm32", feature = "relaxed"))]
fn multiply_add(a: v128, b: v128, sum: v128) -> v128 {
    f32x4_relaxed_madd(a, b, sum)
}

/// # Safety
/// `k · ROWS` floats can be read at `a`, `k · COLS` at `b`, and ROWS rows of COLS written at `out`, `stride` floats apart,
/// and read if `adds`.
#[inline(never)]
#[cfg_attr(
    all(target_arch = "wasm32", feature = "relaxed"),
    target_feature(enable = "relaxed-simd")
)]
unsafe fn tile(
    k: usize,
    mut a: *const f32,
    mut b: *const f32,
    adds: bool,
    out: *mut f32,
    stride: usize,
) {
    let mut acc = [[zero(); 2]; ROWS];
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..k {
            let columns = [v128_load(b.cast()), v128_load(b.add(4).cast())];
            for (r, acc) in acc.iter_mut().enumerate() {
                let row = f32x4_splat(*a.add(r));
                for (acc, columns) in acc.iter_mut().zip(columns) {
                    *acc = multiply_add(row, columns, *acc);
                }
            }
            (a, b) = (a.add(ROWS), b.add(COLS));
        }
        for (r, acc) in acc.iter().enumerate() {
            let places = [out.add(stride * r), out.add(stride * r + 4)];
            for (place, acc) in places.into_iter().zip(acc) {
                let sum = match adds {
                    true => f32x4_add(v128_load(place.cast()), *acc),
                    false => *acc,
                };
                v128_store(place.cast(), sum);
            }
        }
    }
}
