//! `Lora`: the two thin matrices beside a frozen one.

use std::sync::Arc;

use super::parameter::Parameter;
use super::params::LoraParams;
use crate::kernels::training::dropout::mixed;

/// A change of rank r: W + scale · (B A)ᵀ.
#[derive(Debug)]
pub struct Lora {
    /// (r, in)
    pub a: Arc<Parameter>,
    /// (out, r)
    pub b: Arc<Parameter>,
    /// alpha / r
    pub scale: f32,
}

impl Lora {
    /// The change of the matrix `name` (in, out) at the start: A uniform in ±1/√in as peft's, B zero, so that nothing is
    /// changed yet.
    pub fn new(params: &LoraParams, name: &str, n_in: usize, n_out: usize, seed: u64) -> Self {
        let rank = params.rank;
        let stem = name.strip_suffix(".weight").unwrap_or(name);
        // Each matrix draws numbers of its own.
        let of_name = stem.bytes().fold(0_u64, |hash, byte| {
            hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        });
        let first = mixed(seed ^ of_name);
        let bound = 1.0 / (n_in as f32).sqrt();
        let uniform = |i: usize| {
            let unit = (mixed(first.wrapping_add(i as u64)) >> 40) as f32 / (1_u32 << 24) as f32;
            bound * (2.0 * unit - 1.0)
        };
        let a: Vec<f32> = (0..rank * n_in).map(uniform).collect();
        let b = vec![0.0; n_out * rank];
        Self {
            a: Parameter::trained(format!("{stem}.lora_A.weight"), vec![rank, n_in], a).into(),
            b: Parameter::trained(format!("{stem}.lora_B.weight"), vec![n_out, rank], b).into(),
            scale: params.alpha / rank as f32,
        }
    }

    /// r
    pub fn rank(&self) -> usize {
        self.a.shape()[0]
    }

    /// Adds the change to a matrix (in, out).
    ///
    /// # Panics
    /// If it has another size.
    pub fn add_to(&self, weight: &mut [f32]) {
        let (n_in, n_out, rank) = (self.a.shape()[1], self.b.shape()[0], self.rank());
        assert_eq!(weight.len(), n_in * n_out, "the matrix is (in, out)");
        let (a, b) = (self.a.value(), self.b.value());
        for (i, row) in weight.chunks_exact_mut(n_out).enumerate() {
            for (weight, b) in row.iter_mut().zip(b.chunks_exact(rank)) {
                let sum: f32 = b.iter().enumerate().map(|(r, b)| b * a[r * n_in + i]).sum();
                *weight += self.scale * sum;
            }
        }
    }
}
