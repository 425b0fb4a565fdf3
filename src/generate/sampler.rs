//! `Sampler`: samples one token from logits, greedily or at random from a seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::error::GenerateError;
use super::logits::{self, Candidate};
use super::params::GenerationParams;

/// A sampled token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The token.
    pub token_id: u32,
    /// The token's probability after all filters; in greedy sampling, before all filters.
    pub prob: f32,
}

/// Samples the tokens of one sequence.
#[derive(Debug, Clone)]
pub struct Sampler {
    rng: ChaCha8Rng,
    do_sample: bool,
    temperature: f32,
    top_k: usize,
    top_p: f32,
}

/// Buffers that all samplers of a generation share.
#[derive(Debug, Default)]
pub struct SamplerScratch {
    logits: Vec<f32>,
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// A sampler for sequence number `sequence`, which draws with `seed + sequence` (wrapping).
    ///
    /// ChaCha8 with `u64` seeding gives the same numbers on every platform.
    pub fn new(params: &GenerationParams, seed: u32, sequence: u32) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(u64::from(seed.wrapping_add(sequence))),
            do_sample: params.do_sample,
            temperature: params.temperature,
            top_k: params.top_k,
            top_p: params.top_p,
        }
    }

    /// Samples a token. `logits`: (V), already penalized and with forbidden tokens at −∞.
    ///
    /// # Errors
    /// [`GenerateError::BrokenLogits`] if a logit is NaN or +∞, or all tokens are forbidden.
    pub fn take(
        &mut self,
        logits: &[f32],
        scratch: &mut SamplerScratch,
    ) -> Result<Sample, GenerateError> {
        if logits::is_broken(logits) {
            return Err(GenerateError::BrokenLogits);
        }
        if !self.do_sample {
            let token_id = logits::most_probable(logits).ok_or(GenerateError::BrokenLogits)?;
            return Ok(Sample {
                token_id,
                prob: logits::probability(logits, token_id) as f32,
            });
        }
        let SamplerScratch {
            logits: spare,
            candidates,
        } = scratch;
        logits::top_k(logits, self.temperature, self.top_k, spare, candidates);
        logits::top_p(candidates, self.top_p);
        let total: f64 = candidates.iter().map(|c| c.weight).sum();
        // 53 random bits: uniform in [0, 1), every value exact.
        let uniform = (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let mut left = uniform * total;
        let mut taken = None;
        for candidate in candidates.iter().filter(|c| c.weight > 0.0) {
            // The last candidate is taken if rounding leaves a rest.
            taken = Some(candidate);
            left -= candidate.weight;
            if left < 0.0 {
                break;
            }
        }
        let taken = taken.ok_or(GenerateError::BrokenLogits)?;
        Ok(Sample {
            token_id: taken.token_id,
            prob: (taken.weight / total) as f32,
        })
    }
}
