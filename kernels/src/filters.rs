//! Pure functions that cut candidates by their probabilities, besides top-k and top-p.
//!
//! Probabilities are relative to the candidates, so candidates cut earlier do not count. The order of the candidates that
//! stay does not change, but for [`top_h`]. `least` candidates always stay.

use crate::logits::{Candidate, total};

/// Most candidates that top-h keeps.
const TOP_H_MOST: usize = 100;

/// Keeps candidates with at least `min_p` of the greatest probability.
pub fn min_p(candidates: &mut Vec<Candidate>, min_p: f32, least: usize) {
    if min_p > 0.0 {
        let most = greatest(candidates, 1);
        keep_from(candidates, f64::from(min_p) * most, least);
    }
}

/// Keeps candidates of at least this probability, if it is between 0 and 1.
///
/// Source: Hewitt et al. 2022, Truncation Sampling as Language Model Desmoothing.
pub fn epsilon(candidates: &mut Vec<Candidate>, epsilon: f32, least: usize) {
    if epsilon > 0.0 && epsilon < 1.0 {
        keep_from(candidates, f64::from(epsilon) * total(candidates), least);
    }
}

/// Keeps candidates of at least the probability min(η, √η · e^−entropy), if η is between 0 and 1.
///
/// Source: as [`epsilon`].
pub fn eta(candidates: &mut Vec<Candidate>, eta: f32, least: usize) {
    if eta > 0.0 && eta < 1.0 {
        let eta = f64::from(eta);
        let limit = eta.min(eta.sqrt() * libm::exp(-entropy(candidates)));
        keep_from(candidates, limit * total(candidates), least);
    }
}

/// Keeps the candidates whose information −ln p is closest to the entropy, until their probabilities reach `mass`,
/// including the candidate that reaches it and its ties.
///
/// Source: Meister et al. 2022, Locally Typical Sampling.
pub fn typical(candidates: &mut Vec<Candidate>, mass: f32, least: usize) {
    if mass >= 1.0 || candidates.is_empty() {
        return;
    }
    let (total, entropy) = (total(candidates), entropy(candidates));
    let distance = |c: &Candidate| (-libm::log(c.weight / total) - entropy).abs();
    let mut sorted: Vec<(f64, f64)> = candidates.iter().map(|c| (distance(c), c.weight)).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let enough = f64::from(mass) * total;
    let mut sum = 0.0;
    let reached = sorted.iter().position(|(_, weight)| {
        sum += weight;
        sum >= enough
    });
    let last = reached
        .unwrap_or(sorted.len() - 1)
        .max(least - 1)
        .min(sorted.len() - 1);
    let limit = sorted[last].0;
    candidates.retain(|c| distance(c) <= limit);
}

/// Keeps the most probable candidates whose parts of the entropy reach at most this share of it; the most probable stays.
/// The entropy is that of the hundred most probable. The kept candidates are in order of falling weight.
///
/// Source: Potraghloo et al. 2025, Top-H Decoding.
pub fn top_h(candidates: &mut Vec<Candidate>, share: f32) {
    let order = |a: &Candidate, b: &Candidate| {
        b.weight
            .total_cmp(&a.weight)
            .then(a.token_id.cmp(&b.token_id))
    };
    if candidates.len() > TOP_H_MOST {
        candidates.select_nth_unstable_by(TOP_H_MOST - 1, order);
        candidates.truncate(TOP_H_MOST);
    }
    candidates.sort_unstable_by(order);
    let enough = f64::from(share) * entropy(candidates);
    let total = total(candidates);
    let mut sum = 0.0;
    let end = candidates.iter().position(|c| {
        sum += information(c.weight / total);
        sum > enough
    });
    candidates.truncate(end.unwrap_or(candidates.len()).max(1));
}

/// Keeps the `k` most probable candidates and those that tie with the last; `k` = 0 keeps all.
pub fn top_k(candidates: &mut Vec<Candidate>, k: usize) {
    if k > 0 && k < candidates.len() {
        let limit = greatest(candidates, k);
        candidates.retain(|c| c.weight >= limit);
    }
}

fn keep_from(candidates: &mut Vec<Candidate>, limit: f64, least: usize) {
    let limit = limit.min(greatest(candidates, least));
    candidates.retain(|c| c.weight >= limit);
}

/// The k-th greatest weight, or the smallest if there are fewer; k ≥ 1.
fn greatest(candidates: &[Candidate], k: usize) -> f64 {
    if k == 1 {
        return candidates.iter().fold(0.0, |most, c| c.weight.max(most));
    }
    let mut weights: Vec<f64> = candidates.iter().map(|c| c.weight).collect();
    let place = k.min(weights.len()).saturating_sub(1);
    if weights.is_empty() {
        return 0.0;
    }
    let (_, weight, _) = weights.select_nth_unstable_by(place, |a, b| b.total_cmp(a));
    *weight
}

/// −p ln p, which is 0 at 0.
fn information(p: f64) -> f64 {
    match p > 0.0 {
        true => -p * libm::log(p),
        false => 0.0,
    }
}

fn entropy(candidates: &[Candidate]) -> f64 {
    let total = total(candidates);
    candidates
        .iter()
        .map(|c| information(c.weight / total))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids that stay of tokens with these probabilities.
    fn kept(probs: &[f64], filter: impl FnOnce(&mut Vec<Candidate>)) -> Vec<u32> {
        let candidate = |(token_id, p): (u32, &f64)| Candidate {
            token_id,
            // Weights need not add up to 1.
            weight: 3.0 * p,
        };
        let mut candidates: Vec<Candidate> = (0..).zip(probs).map(candidate).collect();
        filter(&mut candidates);
        candidates.iter().map(|c| c.token_id).collect()
    }

    const PROBS: [f64; 5] = [0.05, 0.5, 0.2, 0.15, 0.1];

    #[test]
    fn min_p_is_a_share_of_the_greatest_probability() {
        assert_eq!(kept(&PROBS, |c| min_p(c, 0.35, 1)), [1, 2]);
        assert_eq!(kept(&PROBS, |c| min_p(c, 0.0, 1)), [0, 1, 2, 3, 4]);
        assert_eq!(kept(&PROBS, |c| min_p(c, 1.0, 1)), [1]);
        assert_eq!(kept(&PROBS, |c| min_p(c, 1.0, 3)), [1, 2, 3]);
    }

    #[test]
    fn epsilon_is_a_probability_and_one_token_stays() {
        assert_eq!(kept(&PROBS, |c| epsilon(c, 0.14, 1)), [1, 2, 3]);
        assert_eq!(kept(&PROBS, |c| epsilon(c, 0.9, 1)), [1]);
        assert_eq!(kept(&PROBS, |c| epsilon(c, 1.0, 1)), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn eta_falls_with_the_entropy() {
        // Entropy 1.333 nats: √0.3 · e^−1.333 = 0.144.
        assert_eq!(kept(&PROBS, |c| eta(c, 0.3, 1)), [1, 2, 3]);
        assert_eq!(kept(&[0.97, 0.03], |c| eta(c, 0.02, 1)), [0, 1]);
        assert_eq!(kept(&[0.97, 0.03], |c| eta(c, 0.2, 1)), [0]);
    }

    #[test]
    fn typical_keeps_what_surprises_as_expected() {
        // Entropy 1.333 nats: distances 1.66, 0.64, 0.28, 0.56, 0.97 for PROBS in order.
        assert_eq!(kept(&PROBS, |c| typical(c, 0.19, 1)), [2]);
        assert_eq!(kept(&PROBS, |c| typical(c, 0.3, 1)), [2, 3]);
        assert_eq!(kept(&PROBS, |c| typical(c, 0.5, 1)), [1, 2, 3]);
        assert_eq!(kept(&PROBS, |c| typical(c, 0.1, 2)), [2, 3]);
    }

    #[test]
    fn top_h_keeps_a_share_of_the_entropy() {
        // −p ln p in falling order of p: 0.347, 0.322, 0.285, 0.230, 0.150; sum 1.333.
        assert_eq!(kept(&PROBS, |c| top_h(c, 0.1)), [1]);
        assert_eq!(kept(&PROBS, |c| top_h(c, 0.51)), [1, 2]);
        assert_eq!(kept(&PROBS, |c| top_h(c, 0.9)), [1, 2, 3, 4]);
        assert_eq!(kept(&[0.01; 120], |c| top_h(c, 1.0)).len(), 100);
    }

    #[test]
    fn top_k_keeps_ties() {
        assert_eq!(kept(&[0.2, 0.5, 0.2, 0.1], |c| top_k(c, 2)), [0, 1, 2]);
        assert_eq!(kept(&PROBS, |c| top_k(c, 0)).len(), 5);
    }
}
