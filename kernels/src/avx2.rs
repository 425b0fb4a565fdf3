//! `Avx2`: the scalar kernels in 256-bit vectors of x86-64's third level; a vector is a group of rows.
#![allow(
    unsafe_code,
    reason = "the instructions are beyond x86-64's baseline, and loads take pointers"
)]

use std::arch::x86_64::*;

use super::exp::EXP_BATCH;
use super::kernel::Kernel;
use super::lane::{GROUP_ROWS, Group, Lane};
use super::panel::{Block32, Block256, InputType, Panel};
use super::products;
use super::scalar::Scalar;
use super::simd128::Simd128;
use super::vector::{Rows, opaque};

/// AVX2, with the inputs of [`Simd128`].
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

impl Avx2 {
    /// Whether this machine has the instructions.
    #[inline(always)]
    #[must_use]
    pub fn is_available() -> bool {
        is_x86_feature_detected!("avx2")
    }
}

/// Methods that call the product of the same name, compiled for AVX2.
macro_rules! products {
    ($($name:ident: $inputs:ty),*) => {
        $(fn $name<const N: usize>(group: Group, inputs: $inputs) -> [[f32; GROUP_ROWS]; N] {
            #[target_feature(enable = "avx2")]
            fn with_avx2<const N: usize>(group: Group, inputs: $inputs) -> [[f32; GROUP_ROWS]; N] {
                products::$name::<__m256i, N>(group, inputs)
            }
            // A load of a word that the detection fills once.
            assert!(Self::is_available(), "chosen where it is available");
            // SAFETY: the machine has the instructions.
            unsafe { with_avx2(group, inputs) }
        })*
    };
}

impl Kernel for Avx2 {
    const NAME: &'static str = "avx2";

    #[inline(always)]
    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32 {
        Simd128::quantize32(input, x)
    }

    #[inline(always)]
    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256 {
        Simd128::quantize256(input, x)
    }

    fn exp(x: &mut [f32; EXP_BATCH]) {
        #[target_feature(enable = "avx2")]
        fn with_avx2(x: &mut [f32; EXP_BATCH]) {
            Scalar::exp(x);
        }
        assert!(Self::is_available(), "chosen where it is available");
        // SAFETY: the machine has the instructions.
        unsafe { with_avx2(x) }
    }

    products! {
        f32: [&[f32]; N],
        f16: [&[f32]; N],
        q8_0: Panel<N>,
        cache: Panel<N>,
        q4_0: Panel<N>,
        q4k: Panel<N>,
        q6k: Panel<N>
    }
}

/// Calls intrinsics that only use registers.
macro_rules! avx2 {
    ($($body:tt)*) => {{
        // SAFETY: only functions compiled for AVX2, which check for it first, have rows of this type.
        unsafe { $($body)* }
    }};
}

/// An operation on floats whose bits are in integer vectors.
macro_rules! floats {
    ($instruction:ident($a:expr, $b:expr)) => {
        avx2!(_mm256_castps_si256($instruction(
            _mm256_castsi256_ps($a),
            _mm256_castsi256_ps($b)
        )))
    };
}

impl Rows for __m256i {
    #[inline(always)]
    fn splat(value: i32) -> Self {
        avx2!(_mm256_set1_epi32(value))
    }

    #[inline(always)]
    fn splat_f32(value: f32) -> Self {
        Self::splat(value.to_bits().cast_signed())
    }

    #[inline(always)]
    fn opaque_splat(value: i32) -> Self {
        Self::splat(opaque(value))
    }

    #[inline(always)]
    unsafe fn load(lanes: *const Lane) -> Self {
        // SAFETY: the caller's promise; the load needs no alignment.
        unsafe { _mm256_loadu_si256(lanes.cast()) }
    }

    #[inline(always)]
    fn load_i16x8(lane: &Lane) -> Self {
        // SAFETY: a `Lane` is 16 readable bytes.
        unsafe { _mm256_cvtepi16_epi32(_mm_loadu_si128(lane.0.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn load_u8x16(lane: *const Lane) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(lane.cast())) }
    }

    #[inline(always)]
    unsafe fn load_u8x8(bytes: *const u8) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.cast())) }
    }

    #[inline(always)]
    unsafe fn load_i8x8(bytes: *const i8) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes.cast())) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        avx2!(_mm256_and_si256(self, other))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        avx2!(_mm256_or_si256(self, other))
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        avx2!(_mm256_sll_epi32(
            self,
            _mm_cvtsi32_si128(bits.cast_signed())
        ))
    }

    #[inline(always)]
    fn shr_i16(self, bits: u32) -> Self {
        avx2!(_mm256_sra_epi16(
            self,
            _mm_cvtsi32_si128(bits.cast_signed())
        ))
    }

    #[inline(always)]
    fn shr_u16(self, bits: u32) -> Self {
        avx2!(_mm256_srl_epi16(
            self,
            _mm_cvtsi32_si128(bits.cast_signed())
        ))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        avx2!(_mm256_add_epi32(self, other))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        avx2!(_mm256_mullo_epi32(self, other))
    }

    #[inline(always)]
    fn add_dot(self, weights: Self, inputs: Self) -> Self {
        avx2!(_mm256_add_epi32(self, _mm256_madd_epi16(weights, inputs)))
    }

    #[inline(always)]
    fn to_f32(self) -> Self {
        avx2!(_mm256_castps_si256(_mm256_cvtepi32_ps(self)))
    }

    #[inline(always)]
    fn add_f32(self, other: Self) -> Self {
        floats!(_mm256_add_ps(self, other))
    }

    #[inline(always)]
    fn sub_f32(self, other: Self) -> Self {
        floats!(_mm256_sub_ps(self, other))
    }

    #[inline(always)]
    fn mul_f32(self, other: Self) -> Self {
        floats!(_mm256_mul_ps(self, other))
    }

    #[inline(always)]
    fn to_array(self) -> [f32; GROUP_ROWS] {
        let mut rows = [0.0; GROUP_ROWS];
        // SAFETY: eight floats can be written; the store needs no alignment.
        unsafe { _mm256_storeu_si256(rows.as_mut_ptr().cast(), self) };
        rows
    }
}
