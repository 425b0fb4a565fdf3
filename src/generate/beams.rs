//! `Beams`: the search for the most probable texts, with several running sequences and the best complete ones.
//!
//! Source: huggingface/transformers `generation/utils.py`, `_beam_search`, of version 5.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::infer::Session;

use super::error::GenerateError;
use super::params::{EarlyStopping, GenerationParams};
use super::sampler::{Cut, SamplerScratch, uniform};
use crate::kernels::logits;

/// A search in progress.
pub(super) struct Beams {
    n: usize,
    max_new: usize,
    eos: Vec<u32>,
    length_penalty: f32,
    early_stopping: EarlyStopping,
    renormalizes: bool,
    /// Draws the continuations instead of taking the most probable.
    draw: Option<Draw>,
    /// The sequences that go on, the most probable first.
    running: Vec<Beam>,
    /// The best complete sequences, the best first, at most n.
    complete: Vec<Complete>,
    can_improve: bool,
    is_done: bool,
    /// Copies to make before the next pass: from one of the session's sequences to another.
    copies: Vec<(usize, usize)>,
    candidates: Vec<Candidate>,
}

struct Draw {
    rng: ChaCha8Rng,
    cut: Cut,
}

/// A sequence that goes on.
#[derive(Clone, Default)]
struct Beam {
    /// The session's sequence that holds its keys and values.
    slot: usize,
    /// New tokens with their probabilities.
    tokens: Vec<(u32, f32)>,
    ids: Vec<u32>,
    /// Sum of the logarithms of the probabilities.
    score: f32,
}

/// A sequence that has ended.
struct Complete {
    tokens: Vec<(u32, f32)>,
    /// The sum, divided by the length penalty.
    score: f32,
}

/// A sequence with one more token.
#[derive(Clone, Copy)]
struct Candidate {
    beam: usize,
    token_id: u32,
    prob: f32,
    score: f32,
    /// What candidates are chosen by: the score, or the score plus noise.
    key: f64,
}

impl Beams {
    /// A search for texts of at most `max_new` tokens that `eos` ends.
    pub(super) fn new(params: &GenerationParams, eos: &[u32], max_new: usize, seed: u32) -> Self {
        Self {
            n: params.num_beams,
            max_new,
            eos: eos.to_vec(),
            length_penalty: params.length_penalty,
            early_stopping: params.early_stopping,
            renormalizes: params.renormalize_logits,
            draw: params.do_sample.then(|| Draw {
                rng: ChaCha8Rng::seed_from_u64(u64::from(seed)),
                // Besides tokens that end the text, one must stay that goes on.
                cut: Cut::new(params, (eos.len() + 1).max(2)),
            }),
            running: vec![Beam::default()],
            complete: Vec::new(),
            can_improve: true,
            is_done: false,
            copies: Vec::new(),
            candidates: Vec::new(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Each running sequence's place in the session, and its last token.
    pub(super) fn last_tokens(&self) -> impl Iterator<Item = (usize, u32)> {
        let last = |beam: &Beam| Some((beam.slot, *beam.ids.last()?));
        self.running.iter().filter_map(last)
    }

    /// Gives every running sequence its keys and values in the session.
    pub(super) fn place(&mut self, session: &mut Session) {
        for (from, to) in self.copies.drain(..) {
            session.copy_sequence(from, to);
        }
    }

    /// Takes the logits (n, V) of the running sequences' next tokens, which change. `process` forbids and reweights
    /// tokens after new tokens; `ends` tells whether new tokens end a text.
    ///
    /// # Errors
    /// [`GenerateError::BrokenLogits`]; [`GenerateError::AllForbidden`].
    pub(super) fn step(
        &mut self,
        rows: &mut [f32],
        process: &mut dyn FnMut(&mut [f32], &[u32]),
        ends: &dyn Fn(&[u32]) -> bool,
        scratch: &mut SamplerScratch,
    ) -> Result<(), GenerateError> {
        let vocab_size = rows.len() / self.running.len();
        let n_kept = (1 + self.eos.len()).max(2) * self.n;
        self.candidates.clear();
        for (i, row) in rows.chunks_exact_mut(vocab_size).enumerate() {
            if logits::is_broken(row) {
                return Err(GenerateError::BrokenLogits);
            }
            self.add_candidates(i, row, n_kept, process, scratch);
        }
        if self.candidates.is_empty() {
            return Err(GenerateError::AllForbidden);
        }
        self.keep_best(n_kept);
        self.advance(ends);
        Ok(())
    }

    fn add_candidates(
        &mut self,
        beam: usize,
        row: &mut [f32],
        n_kept: usize,
        process: &mut dyn FnMut(&mut [f32], &[u32]),
        scratch: &mut SamplerScratch,
    ) {
        let Self {
            running,
            candidates,
            draw,
            renormalizes,
            ..
        } = self;
        let score = running[beam].score;
        logits::normalize(row);
        process(row, &running[beam].ids);
        let mut push = |token_id, log_prob: f32, noise: f64| {
            let score = log_prob + score;
            candidates.push(Candidate {
                beam,
                token_id,
                prob: libm::expf(log_prob),
                score,
                key: f64::from(score) + noise,
            });
        };
        match draw {
            None => {
                if *renormalizes {
                    logits::normalize(row);
                }
                logits::for_each_of_top(row, n_kept, &mut scratch.logits, |token_id, log_prob| {
                    push(token_id, log_prob, 0.0);
                });
            }
            Some(Draw { rng, cut }) => {
                cut.apply(row, &mut scratch.logits, &mut scratch.candidates);
                let kept = scratch.candidates.iter();
                let mut rest = vec![f32::NEG_INFINITY; row.len()];
                for candidate in kept {
                    let at = candidate.token_id as usize;
                    rest[at] = row[at] / cut.temperature();
                }
                if *renormalizes {
                    logits::normalize(&mut rest);
                }
                for (token_id, log_prob) in (0u32..).zip(rest) {
                    if log_prob > f32::NEG_INFINITY {
                        // The greatest sums with Gumbel noise are draws without replacement.
                        let noise = -libm::log(-libm::log(uniform(rng).max(f64::MIN_POSITIVE)));
                        push(token_id, log_prob, noise);
                    }
                }
            }
        }
    }

    /// Leaves the `n` best candidates, the best first; of equals the one of the earlier sequence and the lower id.
    fn keep_best(&mut self, n: usize) {
        sort_by_falling(&mut self.candidates, |candidate| candidate.key);
        self.candidates.truncate(n);
        sort_by_falling(&mut self.candidates, |candidate| candidate.score.into());
    }

    fn advance(&mut self, ends: &dyn Fn(&[u32]) -> bool) {
        let candidates = std::mem::take(&mut self.candidates);
        let len = self.running[0].ids.len() + 1;
        let mut next: Vec<Beam> = Vec::with_capacity(self.n);
        let mut all_end = true;
        let is_full = self.is_full();
        let mut fresh = Vec::new();
        for (rank, candidate) in candidates.iter().enumerate() {
            let parent = &self.running[candidate.beam];
            let with_token = || {
                let mut tokens = parent.tokens.clone();
                tokens.push((candidate.token_id, candidate.prob));
                let mut ids = parent.ids.clone();
                ids.push(candidate.token_id);
                (tokens, ids)
            };
            let has_ended = self.eos.contains(&candidate.token_id)
                || len == self.max_new
                || ends(&with_token().1);
            all_end &= has_ended;
            if !has_ended && next.len() < self.n {
                let (tokens, ids) = with_token();
                next.push(Beam {
                    slot: candidate.beam,
                    tokens,
                    ids,
                    score: candidate.score,
                });
            }
            // The candidates below the first n are there to go on.
            let may_end = !(is_full && self.early_stopping == EarlyStopping::Yes);
            if has_ended && rank < self.n && may_end && self.can_improve {
                fresh.push(Complete {
                    tokens: with_token().0,
                    score: candidate.score / (len as f32).powf(self.length_penalty),
                });
            }
        }
        for one in fresh {
            let is_before = |other: &Complete| other.score.total_cmp(&one.score).is_ge();
            let place = self.complete.partition_point(is_before);
            self.complete.insert(place, one);
        }
        self.complete.truncate(self.n);
        self.candidates = candidates;

        let best_len = match self.early_stopping {
            EarlyStopping::Never if self.length_penalty > 0.0 => self.max_new,
            _ => len,
        };
        if let (Some(best), true) = (next.first(), self.is_full()) {
            let best = best.score / (best_len as f32).powf(self.length_penalty);
            let worst = self.complete.last().map_or(f32::NEG_INFINITY, |c| c.score);
            self.can_improve &= best > worst;
        }
        let has_enough = self.is_full() && self.early_stopping == EarlyStopping::Yes;
        self.is_done = all_end || next.is_empty() || !self.can_improve || has_enough;
        if !self.is_done {
            self.assign_slots(&mut next);
            self.running = next;
        } else if self.complete.is_empty() {
            self.running = next;
        }
    }

    /// Turns each new sequence's parent into its place in the session: the first child of a parent stays in its place,
    /// the others are copied to places that no parent needs.
    fn assign_slots(&mut self, next: &mut [Beam]) {
        let slot_of = |beam: usize| self.running[beam].slot;
        let mut is_taken = vec![false; self.n];
        for beam in next.iter() {
            is_taken[slot_of(beam.slot)] = true;
        }
        let mut free = (0..self.n).filter(|slot| !is_taken[*slot]);
        let mut has_child = vec![false; self.n];
        self.copies.clear();
        for beam in next {
            let parent = slot_of(beam.slot);
            beam.slot = match std::mem::replace(&mut has_child[parent], true) {
                false => parent,
                true => {
                    let slot = free.next().expect("there are as many places as sequences");
                    self.copies.push((parent, slot));
                    slot
                }
            };
        }
    }

    fn is_full(&self) -> bool {
        self.complete.len() == self.n
    }

    /// Ends the search before its end.
    pub(super) fn stop(&mut self) {
        self.is_done = true;
    }

    /// The best `n` sequences, as tokens with their probabilities: complete ones, then the most probable running ones.
    pub(super) fn take_best(&mut self, n: usize) -> Vec<Vec<(u32, f32)>> {
        let complete = std::mem::take(&mut self.complete).into_iter();
        let running = std::mem::take(&mut self.running).into_iter();
        let complete = complete.map(|complete| complete.tokens);
        let running = running.map(|beam| beam.tokens);
        complete.chain(running).take(n).collect()
    }
}

/// The greatest `number` first; of equals the one with the greater key, of the earlier sequence, of the lower id.
fn sort_by_falling(candidates: &mut [Candidate], number: fn(&Candidate) -> f64) {
    candidates.sort_unstable_by(|a, b| {
        let by_number = number(b).total_cmp(&number(a));
        let by_key = by_number.then(b.key.total_cmp(&a.key));
        by_key.then((a.beam, a.token_id).cmp(&(b.beam, b.token_id)))
    });
}
