//! Pure functions on logits that forbid, reweight and cut tokens before a token is drawn.
//!
//! `generate` calls them in the order of `transformers`. candle's `LogitsProcessor` is not used: its top-p after top-k adds
//! up probabilities of the whole vocabulary instead of the k kept ones (so with a flat distribution it cuts nothing), it
//! does not return the token's probability, and its softmax uses the platform's `exp`.

use crate::ops::exp_sum;

/// A token that may be drawn, with its weight. The weights need not add up to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The token.
    pub token_id: u32,
    /// Not negative. The token's probability is this weight divided by the sum of all candidates' weights.
    pub weight: f64,
}

/// Forbids a token; an id outside the vocabulary is ignored.
pub fn forbid(logits: &mut [f32], token_id: u32) {
    if let Some(logit) = logits.get_mut(token_id as usize) {
        *logit = f32::NEG_INFINITY;
    }
}

/// Whether a logit is NaN or +∞, or all tokens are forbidden, so that no token can be drawn.
pub fn is_broken(logits: &[f32]) -> bool {
    // As integers, the bits of NaNs of either sign lie beyond those of the infinities.
    let (positive, negative) = logits
        .iter()
        .fold((i32::MIN, 0), |(positive, negative), l| {
            let bits = l.to_bits();
            (positive.max(bits.cast_signed()), negative.max(bits))
        });
    positive >= f32::INFINITY.to_bits().cast_signed()
        || negative > f32::NEG_INFINITY.to_bits()
        || largest(logits) == f32::NEG_INFINITY
}

/// The largest logit, −∞ if there are no logits; NaN is ignored.
///
/// Compares in independent lanes, which compile to vector instructions; a single chain of comparisons takes ten times
/// as long.
fn largest(logits: &[f32]) -> f32 {
    const LANES: usize = 16;
    let larger = |most: f32, l: f32| if l > most { l } else { most };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = logits.as_chunks::<LANES>();
    for logits in whole {
        for i in 0..LANES {
            lanes[i] = larger(lanes[i], logits[i]);
        }
    }
    let most = lanes.into_iter().fold(f32::NEG_INFINITY, larger);
    rest.iter().copied().fold(most, larger)
}

/// The most probable token, the lowest id among equals; `None` if all are forbidden.
pub fn most_probable(logits: &[f32]) -> Option<u32> {
    let most = largest(logits);
    if most == f32::NEG_INFINITY {
        return None;
    }
    let part = logits.chunks(PART).position(|part| largest(part) == most)?;
    let first = part * PART;
    let place = logits[first..].iter().position(|&l| l == most)?;
    u32::try_from(first + place).ok()
}

/// The probability of a token when nothing is cut and temperature is 1.
pub fn probability(logits: &[f32], token_id: u32) -> f64 {
    let Some(&logit) = logits.get(token_id as usize) else {
        return 0.0;
    };
    libm::exp(f64::from(logit) - log_sum_exp(logits))
}

/// ln Σ exp of logits, without overflow.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = largest(logits);
    if largest == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    f64::from(largest) + libm::log(exp_sum(logits, largest))
}

/// Fills `candidates` with every token that is not forbidden, weighted exp(logit / temperature), after top-k.
///
/// `top_k` = 0 keeps all. Tokens that tie with the k-th are kept, as in `transformers`. The candidates are in order of
/// id. `scratch` saves an allocation per call.
pub fn top_k(
    logits: &[f32],
    temperature: f32,
    top_k: usize,
    scratch: &mut Vec<f32>,
    candidates: &mut Vec<Candidate>,
) {
    candidates.clear();
    let least = if top_k > 0 && top_k < logits.len() {
        kth_largest(logits, top_k, scratch)
    } else {
        f32::NEG_INFINITY
    };
    let (most, temperature) = (f64::from(largest(logits)), f64::from(temperature));
    for_each_from(logits, least, |token_id, logit| {
        candidates.push(Candidate {
            token_id,
            weight: libm::exp((f64::from(logit) - most) / temperature),
        });
    });
}

/// The k-th largest logit, 0 < k ≤ V: keeps the k largest so far, and skips a part of the rest if none of its logits is
/// larger than the smallest of them.
fn kth_largest(logits: &[f32], k: usize, kept: &mut Vec<f32>) -> f32 {
    fn cut(kept: &mut Vec<f32>, k: usize) -> f32 {
        let (_, kth, _) = kept.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
        let kth = *kth;
        kept.truncate(k);
        kth
    }
    kept.clear();
    let mut least = f32::NEG_INFINITY;
    for part in logits.chunks(PART) {
        if largest(part) > least || least == f32::NEG_INFINITY {
            kept.extend(
                part.iter()
                    .filter(|&&l| l > least || least == f32::NEG_INFINITY),
            );
            if kept.len() >= 2 * k + PART {
                least = cut(kept, k);
            }
        }
    }
    cut(kept, k)
}

/// Calls `f` with the `k` most probable tokens that are not forbidden, and those that tie with the last, by id; k > 0.
pub fn for_each_of_top(logits: &[f32], k: usize, scratch: &mut Vec<f32>, f: impl FnMut(u32, f32)) {
    let least = match k < logits.len() {
        true => kth_largest(logits, k, scratch),
        false => f32::NEG_INFINITY,
    };
    for_each_from(logits, least, f);
}

/// Subtracts ln Σ exp, so that the scores are logarithms of probabilities.
pub fn normalize(logits: &mut [f32]) {
    let sum = log_sum_exp(logits);
    if sum.is_finite() {
        for logit in logits {
            *logit = (f64::from(*logit) - sum) as f32;
        }
    }
}

/// Logits in a part. Most parts have no logit above the limit and are skipped whole.
const PART: usize = 32;

/// Calls `f` with every token that is not forbidden and has a logit of `least` or more, by id.
fn for_each_from(logits: &[f32], least: f32, mut f: impl FnMut(u32, f32)) {
    for (part, ids) in logits.chunks(PART).zip((0u32..).step_by(PART)) {
        if largest(part) >= least {
            for (token_id, &logit) in (ids..).zip(part) {
                if logit >= least && logit > f32::NEG_INFINITY {
                    f(token_id, logit);
                }
            }
        }
    }
}

/// The sum of the weights.
pub fn total(candidates: &[Candidate]) -> f64 {
    candidates.iter().map(|c| c.weight).sum()
}

/// The candidate at `share` (0 ≤ share < 1) of the sum of all weights, and its probability; `None` if all weights are 0.
pub fn candidate_at(candidates: &[Candidate], share: f64) -> Option<(u32, f64)> {
    let total = total(candidates);
    let mut left = share * total;
    let mut taken = None;
    for candidate in candidates.iter().filter(|c| c.weight > 0.0) {
        // The last candidate is taken if rounding leaves a rest.
        taken = Some((candidate.token_id, candidate.weight / total));
        left -= candidate.weight;
        if left < 0.0 {
            break;
        }
    }
    taken
}

/// Keeps the most probable candidates until their probabilities reach `top_p`, including the candidate that reaches it.
///
/// Probabilities are relative to `candidates`, so candidates cut earlier do not count. `top_p` = 1 keeps all candidates
/// in their order; below 1 the kept candidates are in order of falling weight, equal weights in order of id.
pub fn top_p(candidates: &mut Vec<Candidate>, top_p: f32) {
    top_p_of_at_least(candidates, top_p, 1);
}

/// [`top_p`], which keeps at least `least` candidates.
pub fn top_p_of_at_least(candidates: &mut Vec<Candidate>, top_p: f32, least: usize) {
    if top_p >= 1.0 || candidates.is_empty() {
        return;
    }
    let enough = f64::from(top_p) * total(candidates);
    let order = |a: &Candidate, b: &Candidate| {
        b.weight
            .total_cmp(&a.weight)
            .then(a.token_id.cmp(&b.token_id))
    };
    // Few candidates usually suffice to reach `top_p`, so only as many are sorted as are needed.
    let mut sorted = 256.min(candidates.len());
    loop {
        if sorted < candidates.len() {
            candidates.select_nth_unstable_by(sorted - 1, order);
        }
        candidates[..sorted].sort_unstable_by(order);
        let mut sum = 0.0;
        for (i, candidate) in candidates[..sorted].iter().enumerate() {
            sum += candidate.weight;
            if sum >= enough && i + 1 >= least {
                candidates.truncate(i + 1);
                return;
            }
        }
        if sorted == candidates.len() {
            // The sum of all weights can be below `enough` by rounding only.
            return;
        }
        sorted = (sorted * 8).min(candidates.len());
    }
}
