//! The WebAssembly vector operations that the kernels use, in x86-64's baseline instructions.
//!
//! Names and meanings are those of `std::arch::wasm32`, so that one source serves both targets.
#![allow(
    unsafe_code,
    non_camel_case_types,
    reason = "loads and stores take pointers as wasm's do; names are wasm's"
)]

use std::arch::x86_64::*;

/// 128 bits of any lane type.
pub type v128 = __m128i;

/// # Safety
/// 16 bytes at `bytes` can be read.
#[inline(always)]
pub unsafe fn v128_load(bytes: *const v128) -> v128 {
    // SAFETY: the caller's promise; the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes) }
}

/// # Safety
/// 16 bytes at `bytes` can be written.
#[inline(always)]
pub unsafe fn v128_store(bytes: *mut v128, value: v128) {
    // SAFETY: the caller's promise; the store needs no alignment.
    unsafe { _mm_storeu_si128(bytes, value) }
}

/// # Safety
/// 8 bytes at `words` can be read.
#[inline(always)]
pub unsafe fn i32x4_load_extend_i16x4(words: *const i16) -> v128 {
    // SAFETY: the caller's promise; the load needs no alignment.
    let low = unsafe { _mm_loadl_epi64(words.cast()) };
    i32x4_extend_low_i16x8(low)
}

/// # Safety
/// 8 bytes at `bytes` can be read.
#[inline(always)]
pub unsafe fn i16x8_load_extend_i8x8(bytes: *const i8) -> v128 {
    // SAFETY: the caller's promise; the load needs no alignment.
    i16x8_extend_low_i8x16(unsafe { _mm_loadl_epi64(bytes.cast()) })
}

/// # Safety
/// 8 bytes at `bytes` can be read.
#[inline(always)]
pub unsafe fn u16x8_load_extend_u8x8(bytes: *const u8) -> v128 {
    // SAFETY: the caller's promise; the load needs no alignment.
    u16x8_extend_low_u8x16(unsafe { _mm_loadl_epi64(bytes.cast()) })
}

/// Calls intrinsics that only use registers and only need SSE2.
macro_rules! sse2 {
    ($($body:tt)*) => {{
        // SAFETY: SSE2 is part of x86-64, and these intrinsics do not access memory.
        unsafe { $($body)* }
    }};
}

/// Functions that are one intrinsic under its WebAssembly name.
macro_rules! renamed {
    ($($name:ident = $instruction:ident($($argument:ident),*);)*) => {
        $(#[inline(always)]
        pub fn $name($($argument: v128),*) -> v128 {
            sse2!($instruction($($argument),*))
        })*
    };
}

renamed! {
    v128_and = _mm_and_si128(a, b);
    v128_or = _mm_or_si128(a, b);
    i16x8_sub = _mm_sub_epi16(a, b);
    i32x4_add = _mm_add_epi32(a, b);
    i32x4_sub = _mm_sub_epi32(a, b);
    i32x4_dot_i16x8 = _mm_madd_epi16(a, b);
    i16x8_narrow_i32x4 = _mm_packs_epi32(a, b);
}

/// [`renamed`] for operations on `f32`.
macro_rules! renamed_f32 {
    ($($name:ident = $instruction:ident;)*) => {
        $(#[inline(always)]
        pub fn $name(a: v128, b: v128) -> v128 {
            sse2!(_mm_castps_si128($instruction(_mm_castsi128_ps(a), _mm_castsi128_ps(b))))
        })*
    };
}

renamed_f32! {
    f32x4_add = _mm_add_ps;
    f32x4_sub = _mm_sub_ps;
    f32x4_mul = _mm_mul_ps;
}

/// `b < a ? b : a`.
#[inline(always)]
pub fn f32x4_pmin(a: v128, b: v128) -> v128 {
    sse2!(_mm_castps_si128(_mm_min_ps(
        _mm_castsi128_ps(b),
        _mm_castsi128_ps(a)
    )))
}

/// `a < b ? b : a`.
#[inline(always)]
pub fn f32x4_pmax(a: v128, b: v128) -> v128 {
    sse2!(_mm_castps_si128(_mm_max_ps(
        _mm_castsi128_ps(b),
        _mm_castsi128_ps(a)
    )))
}

/// [`renamed`] for shifts.
macro_rules! renamed_shift {
    ($($name:ident = $instruction:ident;)*) => {
        $(#[inline(always)]
        pub fn $name(a: v128, count: u32) -> v128 {
            sse2!($instruction(a, _mm_cvtsi32_si128(count.cast_signed())))
        })*
    };
}

renamed_shift! {
    i16x8_shl = _mm_sll_epi16;
    i16x8_shr = _mm_sra_epi16;
    u16x8_shr = _mm_srl_epi16;
    i32x4_shl = _mm_sll_epi32;
    i64x2_shl = _mm_sll_epi64;
}

#[inline(always)]
pub fn i32x4_splat(a: i32) -> v128 {
    sse2! {
    _mm_set1_epi32(a)
    }
}

#[inline(always)]
pub fn i16x8_splat(a: i16) -> v128 {
    sse2! {
    _mm_set1_epi16(a)
    }
}

#[inline(always)]
pub fn f32x4_splat(a: f32) -> v128 {
    sse2! {
    _mm_castps_si128(_mm_set1_ps(a))
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "as many as there are lanes")]
pub fn i16x8(a: i16, b: i16, c: i16, d: i16, e: i16, f: i16, g: i16, h: i16) -> v128 {
    sse2! {
    _mm_setr_epi16(a, b, c, d, e, f, g, h)
    }
}

#[inline(always)]
pub fn u16x8_extend_low_u8x16(a: v128) -> v128 {
    sse2! {
    _mm_unpacklo_epi8(a, _mm_setzero_si128())
    }
}

#[inline(always)]
pub fn u16x8_extend_high_u8x16(a: v128) -> v128 {
    sse2! {
    _mm_unpackhi_epi8(a, _mm_setzero_si128())
    }
}

#[inline(always)]
pub fn u32x4_extend_low_u16x8(a: v128) -> v128 {
    sse2! {
    _mm_unpacklo_epi16(a, _mm_setzero_si128())
    }
}

#[inline(always)]
pub fn u32x4_extend_high_u16x8(a: v128) -> v128 {
    sse2! {
    _mm_unpackhi_epi16(a, _mm_setzero_si128())
    }
}

#[inline(always)]
pub fn i16x8_extend_low_i8x16(a: v128) -> v128 {
    sse2! {
    _mm_srai_epi16::<8>(_mm_unpacklo_epi8(a, a))
    }
}

#[inline(always)]
pub fn i32x4_extend_low_i16x8(a: v128) -> v128 {
    sse2! {
    _mm_srai_epi32::<16>(_mm_unpacklo_epi16(a, a))
    }
}

#[inline(always)]
pub fn i32x4_extend_high_i16x8(a: v128) -> v128 {
    sse2! {
    _mm_srai_epi32::<16>(_mm_unpackhi_epi16(a, a))
    }
}

#[inline(always)]
pub fn i32x4_mul(a: v128, b: v128) -> v128 {
    sse2! {
    let even = _mm_mul_epu32(a, b);
    let odd = _mm_mul_epu32(_mm_srli_epi64::<32>(a), _mm_srli_epi64::<32>(b));
    _mm_unpacklo_epi32(
        _mm_shuffle_epi32::<0b1000>(even),
        _mm_shuffle_epi32::<0b1000>(odd),
    )
    }
}

#[inline(always)]
pub fn f32x4_convert_i32x4(a: v128) -> v128 {
    sse2! {
    _mm_castps_si128(_mm_cvtepi32_ps(a))
    }
}

/// The lane-wise maximum of values below 2³¹.
#[inline(always)]
pub fn u32x4_max(a: v128, b: v128) -> v128 {
    sse2! {
    let greater = _mm_cmpgt_epi32(a, b);
    _mm_or_si128(_mm_and_si128(greater, a), _mm_andnot_si128(greater, b))
    }
}

/// Selects four of the eight lanes of both vectors; only the selection 0, 4, 5, 6 is implemented.
#[inline(always)]
pub fn i32x4_shuffle<const A: usize, const B: usize, const C: usize, const D: usize>(
    a: v128,
    b: v128,
) -> v128 {
    sse2! {
    const { assert!(A == 0 && B == 4 && C == 5 && D == 6) };
    let first = _mm_and_si128(a, _mm_setr_epi32(-1, 0, 0, 0));
    _mm_or_si128(first, _mm_slli_si128::<4>(b))
    }
}

#[inline(always)]
pub fn i32x4_extract_lane<const LANE: usize>(a: v128) -> i32 {
    sse2! {
    let lane = match LANE {
        0 => a,
        1 => _mm_shuffle_epi32::<1>(a),
        2 => _mm_shuffle_epi32::<2>(a),
        _ => _mm_shuffle_epi32::<3>(a),
    };
    _mm_cvtsi128_si32(lane)
    }
}

#[inline(always)]
pub fn u32x4_extract_lane<const LANE: usize>(a: v128) -> u32 {
    i32x4_extract_lane::<LANE>(a).cast_unsigned()
}

#[inline(always)]
pub fn f32x4_extract_lane<const LANE: usize>(a: v128) -> f32 {
    f32::from_bits(u32x4_extract_lane::<LANE>(a))
}
