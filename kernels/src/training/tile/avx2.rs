//! `Avx2`: a tile of 6 × 16 in the sixteen 256-bit registers of x86-64's third level.
#![allow(
    unsafe_code,
    reason = "the instructions are beyond x86-64's baseline, and loads take pointers"
)]

use std::arch::x86_64::*;

use super::{MOST_SUMS, Tile};
use crate::training::matrix::{Matrix, pack};

/// AVX2 with FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

impl Avx2 {
    /// Whether this machine has the instructions.
    #[must_use]
    pub fn is_available() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }
}

const ROWS: usize = 6;
const COLS: usize = 16;

impl Tile for Avx2 {
    const NAME: &'static str = "avx2";
    const ROWS: usize = ROWS;
    const COLS: usize = COLS;

    #[inline]
    fn sums(a: &[f32], b: &[f32], sums: &mut [f32; MOST_SUMS]) {
        let k = a.len() / ROWS;
        assert!(
            a.len() == k * ROWS && b.len() == k * COLS,
            "a is (k, ROWS) and b (k, COLS)"
        );
        // Two loads of a word that the detection fills once.
        assert!(Self::is_available(), "chosen where it is available");
        // SAFETY: the machine has the instructions, and the lengths are those of k rows.
        unsafe { tile(k, a.as_ptr(), b.as_ptr(), false, sums.as_mut_ptr(), COLS) }
    }

    #[inline]
    unsafe fn add(a: &[f32], b: &[f32], adds: bool, out: *mut f32, stride: usize) {
        let k = a.len() / ROWS;
        assert!(
            a.len() == k * ROWS && b.len() == k * COLS,
            "a is (k, ROWS) and b (k, COLS)"
        );
        assert!(Self::is_available(), "chosen where it is available");
        // SAFETY: the machine has the instructions, the lengths are those of k rows, and the caller's promise.
        unsafe { tile(k, a.as_ptr(), b.as_ptr(), adds, out, stride) }
    }

    fn pack_rows(rows: Matrix, out: &mut [f32]) {
        pack::<ROWS>(rows, out);
    }

    fn pack_columns(columns: Matrix, out: &mut [f32]) {
        pack::<COLS>(columns, out);
    }
}

/// # Safety
/// The machine has AVX2 and FMA; `k · 6` floats can be read at `a`, `k · 16` at `b`, and six rows of 16 written at `out`,
/// `stride` floats apart, and read if `adds`.
#[target_feature(enable = "avx2,fma")]
unsafe fn tile(
    k: usize,
    mut a: *const f32,
    mut b: *const f32,
    adds: bool,
    out: *mut f32,
    stride: usize,
) {
    let mut acc = [[_mm256_setzero_ps(); 2]; ROWS];
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..k {
            let columns = [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8))];
            for (r, acc) in acc.iter_mut().enumerate() {
                let row = _mm256_broadcast_ss(&*a.add(r));
                for (acc, columns) in acc.iter_mut().zip(columns) {
                    *acc = _mm256_fmadd_ps(row, columns, *acc);
                }
            }
            (a, b) = (a.add(ROWS), b.add(COLS));
        }
        for (r, acc) in acc.iter().enumerate() {
            let places = [out.add(stride * r), out.add(stride * r + 8)];
            for (place, acc) in places.into_iter().zip(acc) {
                let sum = match adds {
                    true => _mm256_add_ps(_mm256_loadu_ps(place), *acc),
                    false => *acc,
                };
                _mm256_storeu_ps(place, sum);
            }
        }
    }
}
