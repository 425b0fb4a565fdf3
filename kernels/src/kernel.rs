//! `Kernel`: the trait that every instruction set implements.

use super::exp::EXP_BATCH;
use super::lane::{GROUP_ROWS, Group};
use super::panel::{Block32, Block256, InputType, Layout, Panel};

/// The operations that each instruction set implements: quantizing inputs and multiplying one group of rows.
///
/// `group`: eight packed rows. `x`: N columns of equal length; `panel`: N columns quantized by the same kernel, see
/// [`Panel`]. Result: N × 8 rows. All implementations agree with the scalar one bit for bit, the payload bits of a NaN
/// excepted.
pub trait Kernel {
    /// `scalar` or the name of the instruction set.
    const NAME: &'static str;

    /// The order of quantized inputs in this kernel's panels.
    #[inline(always)]
    fn layout(input: InputType) -> Layout {
        input.layout()
    }
    /// Quantizes 32 inputs for Q8_0 or Q4_0.
    fn quantize32(input: InputType, x: &[f32; 32]) -> Block32;
    /// Quantizes 256 inputs for Q4_K or Q6_K.
    fn quantize256(input: InputType, x: &[f32; 256]) -> Block256;

    /// Replaces x by eˣ, as specified at [`exp()`](super::exp()).
    fn exp(x: &mut [f32; EXP_BATCH]);

    /// F32 rows: four chains of additions, by input index modulo 4, added as (0 + 1) + (2 + 3).
    fn f32<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N];
    /// F16 rows, added in the order of [`Kernel::f32`].
    fn f16<const N: usize>(group: Group, x: [&[f32]; N]) -> [[f32; GROUP_ROWS]; N];
    /// Q8_0: `acc += (d · x.scale) · Σ q·x` per 32.
    fn q8_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// The 8-bit integers of a [`CacheMatrix`](super::CacheMatrix): `acc += x.scale · Σ q·x` per 32.
    fn cache<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// Q4_0: `acc += (d · x.scale) · (Σ q·x − 8 Σ x)` per 32.
    fn q4_0<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// Q4_K: `acc += (d · x.scale) · Σ sc Σ q·x − (dmin · x.scale) · Σ m Σ x` per 256.
    fn q4k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
    /// Q6_K: `acc += (d · x.scale) · Σ sc (Σ q·x − 32 Σ x)` per 256.
    fn q6k<const N: usize>(group: Group, panel: Panel<N>) -> [[f32; GROUP_ROWS]; N];
}
