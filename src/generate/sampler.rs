//! `Sampler`: samples one token from logits, greedily or at random from a seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::error::GenerateError;
use super::params::GenerationParams;
use crate::kernels::filters;
use crate::kernels::logits::{self, Candidate};

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
    cut: Cut,
}

/// The filters of candidates, in the order of `transformers`.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    temperature: f32,
    top_h: Option<f32>,
    top_k: usize,
    top_p: f32,
    min_p: f32,
    typical_p: f32,
    epsilon: f32,
    eta: f32,
    /// Candidates that stay in any case.
    least: usize,
}

impl Cut {
    /// The filters of `params`, which leave at least `least` candidates.
    pub fn new(params: &GenerationParams, least: usize) -> Self {
        Self {
            temperature: params.temperature,
            top_h: params.top_h,
            top_k: match params.top_k {
                0 => 0,
                k => k.max(least),
            },
            top_p: params.top_p,
            min_p: params.min_p,
            typical_p: params.typical_p,
            epsilon: params.epsilon_cutoff,
            eta: params.eta_cutoff,
            least,
        }
    }

    /// What logits are divided by.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }

    /// Fills `candidates` with the tokens that may be drawn. `scratch` saves an allocation per call.
    pub fn apply(&self, logits: &[f32], scratch: &mut Vec<f32>, candidates: &mut Vec<Candidate>) {
        match self.top_h {
            None => logits::top_k(logits, self.temperature, self.top_k, scratch, candidates),
            Some(top_h) => {
                logits::top_k(logits, self.temperature, 0, scratch, candidates);
                filters::top_h(candidates, top_h);
                filters::top_k(candidates, self.top_k);
            }
        }
        logits::top_p_of_at_least(candidates, self.top_p, self.least);
        filters::min_p(candidates, self.min_p, self.least);
        filters::typical(candidates, self.typical_p, self.least);
        filters::epsilon(candidates, self.epsilon, self.least);
        filters::eta(candidates, self.eta, self.least);
    }
}

/// Buffers that all samplers of a generation share.
#[derive(Debug, Default)]
pub struct SamplerScratch {
    pub(super) logits: Vec<f32>,
    pub(super) candidates: Vec<Candidate>,
}

impl Sampler {
    /// A sampler for sequence number `sequence`, which draws with `seed + sequence` (wrapping).
    ///
    /// ChaCha8 with `u64` seeding gives the same numbers on every platform.
    pub fn new(params: &GenerationParams, seed: u32, sequence: u32) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(u64::from(seed.wrapping_add(sequence))),
            do_sample: params.do_sample,
            cut: Cut::new(params, 1),
        }
    }

    /// Samples a token. `logits`: (V), already penalized and with forbidden tokens at −∞.
    ///
    /// # Errors
    /// [`GenerateError::BrokenLogits`] if a logit is NaN or +∞, or all tokens are forbidden.
    pub fn draw(
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
        self.cut.apply(logits, spare, candidates);
        let (token_id, prob) = logits::candidate_at(candidates, uniform(&mut self.rng))
            .ok_or(GenerateError::BrokenLogits)?;
        Ok(Sample {
            token_id,
            prob: prob as f32,
        })
    }
}

/// A number in [0, 1) of 53 random bits, every value exact.
pub(super) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}
