//! Pure functions on logits: what forbids, reweights and cuts tokens before one is drawn.
//!
//! Order, as in `transformers`: repetition penalty, minimum length, temperature, top-k, top-p.
//! `candle_transformers` gives the repetition penalty. Its `LogitsProcessor` is not used for the rest: its top-p
//! after top-k adds up probabilities of the whole vocabulary instead of the k kept ones (so with a flat
//! distribution it cuts nothing), it tells no probability, and its softmax uses the platform's `exp`.

use candle_core::{Device, Tensor};

/// A token that may be drawn, with its weight; weights add up to anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The token.
    pub token_id: u32,
    /// Not negative; its probability is this over the sum of all candidates' weights.
    pub weight: f64,
}

/// Divides the positive and multiplies the negative logits of the tokens in `context` by `penalty`, each once.
///
/// `logits`: (V); ids of `context` from V on are ignored.
///
/// Source: Keskar et al. 2019, CTRL, §4.1.
pub fn penalize_repetition(logits: &mut [f32], context: &[u32], penalty: f32) {
    if penalty == 1.0 {
        return;
    }
    let penalized = Tensor::from_slice(logits, logits.len(), &Device::Cpu)
        .and_then(|t| candle_transformers::utils::apply_repeat_penalty(&t, penalty, context))
        .and_then(|t| t.to_vec1::<f32>())
        .expect("a one-dimensional f32 tensor on the CPU stays one");
    logits.copy_from_slice(&penalized);
}

/// Forbids a token; one that does not exist is left alone.
pub fn forbid(logits: &mut [f32], token_id: u32) {
    if let Some(logit) = logits.get_mut(token_id as usize) {
        *logit = f32::NEG_INFINITY;
    }
}

/// The most probable token, the lowest id among equals; none if all are forbidden.
pub fn most_probable(logits: &[f32]) -> Option<u32> {
    let mut best: Option<(usize, f32)> = None;
    for (i, &logit) in logits.iter().enumerate() {
        if logit > best.map_or(f32::NEG_INFINITY, |(_, most)| most) {
            best = Some((i, logit));
        }
    }
    best.and_then(|(i, _)| u32::try_from(i).ok())
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
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let most = f64::from(most);
    let sum: f64 = logits
        .iter()
        .map(|&logit| libm::exp(f64::from(logit) - most))
        .sum();
    most + libm::log(sum)
}

/// Fills `candidates` with every token that is not forbidden, weighted exp(logit / temperature), after top-k.
///
/// `top_k` = 0 keeps all. Tokens that tie with the k-th are kept, as in `transformers`. In order of id.
/// `scratch` saves an allocation per call.
pub fn top_k(
    logits: &[f32],
    temperature: f32,
    top_k: usize,
    scratch: &mut Vec<f32>,
    candidates: &mut Vec<Candidate>,
) {
    candidates.clear();
    let mut least = f32::NEG_INFINITY;
    if top_k > 0 && top_k < logits.len() {
        scratch.clear();
        scratch.extend_from_slice(logits);
        // Selects instead of sorting the vocabulary.
        let (_, kth, _) = scratch.select_nth_unstable_by(top_k - 1, |a, b| b.total_cmp(a));
        least = *kth;
    }
    let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let temperature = f64::from(temperature);
    for (token_id, &logit) in (0u32..).zip(logits) {
        if logit >= least && logit > f32::NEG_INFINITY {
            candidates.push(Candidate {
                token_id,
                weight: libm::exp((f64::from(logit) - most) / temperature),
            });
        }
    }
}

/// Keeps the most probable candidates until their probabilities reach `top_p`, the crossing one included.
///
/// The probabilities are those among `candidates`, that is, after whatever was cut before.
/// 1 keeps all and leaves the order; below 1 the kept ones are in order of falling weight, equals by id.
pub fn top_p(candidates: &mut Vec<Candidate>, top_p: f32) {
    if top_p >= 1.0 || candidates.is_empty() {
        return;
    }
    let total: f64 = candidates.iter().map(|c| c.weight).sum();
    let enough = f64::from(top_p) * total;
    let order = |a: &Candidate, b: &Candidate| {
        b.weight
            .total_cmp(&a.weight)
            .then(a.token_id.cmp(&b.token_id))
    };
    // Few candidates usually carry top_p, so only as many are sorted as turn out to be needed.
    let mut sorted = 256.min(candidates.len());
    loop {
        if sorted < candidates.len() {
            candidates.select_nth_unstable_by(sorted - 1, order);
        }
        candidates[..sorted].sort_unstable_by(order);
        let mut sum = 0.0;
        for (i, candidate) in candidates[..sorted].iter().enumerate() {
            sum += candidate.weight;
            if sum >= enough {
                candidates.truncate(i + 1);
                return;
            }
        }
        if sorted == candidates.len() {
            // Only rounding keeps the sum of all below `enough`.
            return;
        }
        sorted = (sorted * 8).min(candidates.len());
    }
}
