//! `Simd128`: the scalar kernels in 128-bit vectors of WebAssembly or x86-64; two vectors are a group of rows.

use super::exp::{self, EXP_BATCH};
use super::kernel::Kernel;
use super::lane::{GROUP_ROWS, Group};
use super::panel::{Block32, Block256, InputType, Panel, ROUNDER, pair};
use super::products;
use super::rounding::{cascade, cascade_two, quantize, weighted_sum};
use super::vector::*;

/// WebAssembly's fixed-width SIMD, or its equivalent in x86-64's baseline.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

impl Kernel for Simd128 {
    const NAME: &'static str = if cfg!(target_arch = "wasm32") {
        "simd128"
    } else {
        "sse2"
    };

    #[inline(always)]
    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32 {
        let mut pairs = [0; 16];
        let scale = quantize(x, input.integer_max(), &mut pairs);
        let bias = if input == InputType::Q4_0 {
            // Minus eight for every weight; the weights of the last pair are already stored minus eight.
            let bias = weighted_sum(&pairs, i16x8(-8, -8, -8, -8, -8, -8, 0, 0));
            cascade(&mut pairs);
            bias
        } else {
            // Minus 128 for the low bytes.
            let bias = weighted_sum(&pairs, i16x8(-128, -128, 0, 0, -128, -128, 0, 0));
            if input == InputType::Q8_0 {
                cascade_two::<8>(&mut pairs);
            }
            bias
        };
        Block32 { scale, bias, pairs }
    }

    #[inline(always)]
    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256 {
        let mut block = Block256::ZERO;
        block.scale = quantize(x, input.integer_max(), &mut block.pairs);
        if input == InputType::Q6K {
            for (bias, pairs) in block.biases.iter_mut().zip(block.pairs.as_chunks::<8>().0) {
                *bias = weighted_sum(pairs, i16x8_splat(-32));
            }
            cascade_two::<6>(&mut block.pairs);
        } else {
            let mut subs = [0; 8];
            let pairs = block.pairs.as_chunks::<16>().0;
            for ((sub, bias), pairs) in subs.iter_mut().zip(&mut block.biases).zip(pairs) {
                *sub = weighted_sum(pairs, i16x8_splat(1));
                // Plus eight for the weights of the last pair, which are stored minus eight.
                *bias = weighted_sum(pairs, i16x8(0, 0, 0, 0, 0, 0, 8, 8));
            }
            for (sums, two) in block.sums.iter_mut().zip(subs.as_chunks::<2>().0) {
                *sums = pair(two[0], two[1]);
            }
            cascade(&mut block.pairs);
        }
        block
    }

    #[inline(always)]
    fn exp(x: &mut [f32; EXP_BATCH]) {
        let fours = x.as_chunks_mut::<4>().0;
        let clamped: [v128; EXP_BATCH / 4] = std::array::from_fn(|i| {
            let x = f32x4_pmax(load_f32(&fours[i]), f32x4_splat(exp::RANGE.0));
            f32x4_pmin(x, f32x4_splat(exp::RANGE.1))
        });
        let t = clamped.map(|x| {
            let x = f32x4_mul(x, f32x4_splat(std::f32::consts::LOG2_E));
            f32x4_add(x, f32x4_splat(ROUNDER))
        });
        let r: [v128; EXP_BATCH / 4] = std::array::from_fn(|i| {
            let n = f32x4_sub(t[i], f32x4_splat(ROUNDER));
            let r = f32x4_sub(clamped[i], f32x4_mul(n, f32x4_splat(exp::LN_2.0)));
            f32x4_sub(r, f32x4_mul(n, f32x4_splat(exp::LN_2.1)))
        });
        let [first, rest @ ..] = exp::COEFFICIENTS;
        let mut p = [f32x4_splat(first); EXP_BATCH / 4];
        for c in rest {
            p = std::array::from_fn(|i| f32x4_add(f32x4_mul(p[i], r[i]), f32x4_splat(c)));
        }
        for (i, four) in fours.iter_mut().enumerate() {
            let p = f32x4_mul(f32x4_mul(p[i], r[i]), r[i]);
            let p = f32x4_add(f32x4_add(p, r[i]), f32x4_splat(1.0));
            store_f32(four, i32x4_add(p, i32x4_shl(t[i], 23)));
        }
    }

    #[inline(never)]
    fn f32<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        products::f32::<TwoVectors, N>(group, x)
    }

    #[inline(never)]
    fn f16<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N] {
        products::f16::<TwoVectors, N>(group, x)
    }

    #[inline(never)]
    fn q8_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        products::q8_0::<TwoVectors, N>(group, panel)
    }

    #[inline(never)]
    fn cache<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        products::cache::<TwoVectors, N>(group, panel)
    }

    #[inline(never)]
    fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        products::q4_0::<TwoVectors, N>(group, panel)
    }

    #[inline(never)]
    fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        products::q4k::<TwoVectors, N>(group, panel)
    }

    #[inline(never)]
    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N] {
        products::q6k::<TwoVectors, N>(group, panel)
    }
}
