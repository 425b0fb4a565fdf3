//! `Attention`: causal attention of whole sequences and its gradient. The scores of a few queries exist at a time, and are
//! computed again for the gradient.

use super::cross_entropy::largest;
use super::product::{Matrix, Start, product};
use super::{Dropout, for_rows};
use crate::ops;
use crate::parallel::Threads;

/// Queries whose scores exist at once. A multiple of every tile's rows.
const QUERIES: usize = 96;

/// The shape of attention: B sequences of T tokens, H heads of D numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qkv {
    /// B
    pub batch: usize,
    /// T
    pub tokens: usize,
    /// H
    pub heads: usize,
    /// D
    pub head_dim: usize,
}

impl Qkv {
    /// C = H · D.
    #[must_use]
    pub fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Queries, keys or values (`part` 0, 1, 2) of one head in one sequence: `n` tokens from `first` on, (n, D).
    fn head<'a>(
        &self,
        qkv: &'a [f32],
        part: usize,
        (b, h): (usize, usize),
        first: usize,
        n: usize,
    ) -> Matrix<'a> {
        let c = self.width();
        let start = (b * self.tokens + first) * 3 * c + part * c + h * self.head_dim;
        Matrix::with_stride(&qkv[start..], n, self.head_dim, 3 * c)
    }
}

/// Causal attention: softmax(scale · q kᵀ) v, each token over itself and the tokens before it, with dropout on the
/// weights.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// The shape.
    pub shape: Qkv,
    /// The factor of the scores, 1 / √D in plain GPT-2.
    pub scale: f32,
    /// Of the attention weights.
    pub dropout: Option<Dropout>,
}

impl Attention {
    /// `qkv`: (B·T, 3C). Results: `out` (B·T, C), and `log_sums` (B·T, H), ln Σ e^score of each row, which
    /// [`Attention::backward`] needs.
    ///
    /// # Panics
    /// If a length differs.
    pub fn forward(&self, threads: &Threads, qkv: &[f32], out: &mut [f32], log_sums: &mut [f32]) {
        let Qkv {
            batch,
            tokens,
            heads,
            head_dim,
        } = self.shape;
        let c = self.shape.width();
        assert_eq!(qkv.len(), batch * tokens * 3 * c, "qkv is (B·T, 3C)");
        assert_eq!(out.len(), batch * tokens * c, "out is (B·T, C)");
        assert_eq!(
            log_sums.len(),
            batch * tokens * heads,
            "log_sums is (B·T, H)"
        );
        let mut parts = Vec::new();
        for (b, (out, log_sums)) in out
            .chunks_mut(tokens * c)
            .zip(log_sums.chunks_mut(tokens * heads))
            .enumerate()
        {
            let rows = out
                .chunks_mut(QUERIES * c)
                .zip(log_sums.chunks_mut(QUERIES * heads));
            parts.extend(
                rows.enumerate()
                    .map(|(tile, rows)| (b, tile * QUERIES, rows)),
            );
        }
        // The last queries of a sequence have the most work, so they come first.
        parts.reverse();
        let one = Threads::default();
        threads.for_each(&mut parts, |_, (b, first, (out, log_sums))| {
            let n = out.len() / c;
            let n_keys = *first + n;
            let mut scores = vec![0.0; n * n_keys];
            for h in 0..heads {
                let q = self.shape.head(qkv, 0, (*b, h), *first, n);
                let k = self.shape.head(qkv, 1, (*b, h), 0, n_keys);
                let v = self.shape.head(qkv, 2, (*b, h), 0, n_keys);
                product(&one, q, k.t(), Start::Zero, &mut scores, n_keys);
                for (i, row) in scores.chunks_exact_mut(n_keys).enumerate() {
                    let (seen, later) = row.split_at_mut(*first + i + 1);
                    later.fill(0.0);
                    seen.iter_mut().for_each(|x| *x *= self.scale);
                    let max = largest(seen);
                    let sum = ops::exp_of_difference(seen, max);
                    seen.iter_mut().for_each(|x| *x /= sum);
                    log_sums[i * heads + h] = max + libm::logf(sum);
                    if let Some(dropout) = self.dropout {
                        dropout.apply(self.first_index(*b, h, *first + i), seen);
                    }
                }
                let probs = Matrix::new(&scores, n, n_keys);
                product(&one, probs, v, Start::Zero, &mut out[h * head_dim..], c);
            }
        });
    }

    /// The gradient of `qkv`, (B·T, 3C), into `grad_qkv`. `out` and `log_sums` are those of [`Attention::forward`], `grad`
    /// (B·T, C) is the gradient of `out`.
    ///
    /// Of o = P v with P = softmax(s), s = scale · q kᵀ: dv = Pᵀ do, dP = do vᵀ, ds = P (dP − Σ do o), dq = scale · ds k,
    /// dk = scale · dsᵀ q. With dropout, o and dv have P times the mask, and dP is multiplied by it.
    ///
    /// # Panics
    /// If a length differs.
    pub fn backward(
        &self,
        threads: &Threads,
        (qkv, out, log_sums): (&[f32], &[f32], &[f32]),
        grad: &[f32],
        grad_qkv: &mut [f32],
    ) {
        let Qkv {
            batch,
            tokens,
            heads,
            head_dim: d,
        } = self.shape;
        let c = self.shape.width();
        assert_eq!(qkv.len(), batch * tokens * 3 * c, "qkv is (B·T, 3C)");
        assert_eq!(grad_qkv.len(), qkv.len(), "grad_qkv is (B·T, 3C)");
        assert!(
            out.len() == batch * tokens * c && grad.len() == out.len(),
            "out and grad are (B·T, C)"
        );
        // (B, H, [q, k, v], T, D): each head's own.
        let mut by_head = vec![0.0; qkv.len()];
        let mut parts: Vec<_> = by_head.chunks_exact_mut(3 * tokens * d).collect();
        let one = Threads::default();
        threads.for_each(&mut parts, |part, head_grad| {
            let at = (part / heads, part % heads);
            let (b, h) = at;
            let (grad_q, rest) = head_grad.split_at_mut(tokens * d);
            let (grad_k, grad_v) = rest.split_at_mut(tokens * d);
            let mut probs = vec![0.0; QUERIES.min(tokens) * tokens];
            let mut grad_probs = probs.clone();
            for first in (0..tokens).step_by(QUERIES) {
                let n = QUERIES.min(tokens - first);
                let n_keys = first + n;
                let (probs, grad_probs) = (&mut probs[..n * n_keys], &mut grad_probs[..n * n_keys]);
                let q = self.shape.head(qkv, 0, at, first, n);
                let k = self.shape.head(qkv, 1, at, 0, n_keys);
                let v = self.shape.head(qkv, 2, at, 0, n_keys);
                let start = (b * tokens + first) * c + h * d;
                let grad_out = Matrix::with_stride(&grad[start..], n, d, c);
                product(&one, q, k.t(), Start::Zero, probs, n_keys);
                product(&one, grad_out, v.t(), Start::Zero, grad_probs, n_keys);
                let rows = probs
                    .chunks_exact_mut(n_keys)
                    .zip(grad_probs.chunks_exact_mut(n_keys));
                for (i, (probs, grad_probs)) in rows.enumerate() {
                    let (seen, later) = probs.split_at_mut(first + i + 1);
                    later.fill(0.0);
                    grad_probs[first + i + 1..].fill(0.0);
                    let row = b * tokens + first + i;
                    seen.iter_mut().for_each(|x| *x *= self.scale);
                    ops::exp_of_difference(seen, log_sums[row * heads + h]);
                    let from = row * c + h * d;
                    let products = out[from..from + d].iter().zip(&grad[from..from + d]);
                    let dot = products.fold(0.0, |sum, (out, grad)| sum + out * grad);
                    let index = self.first_index(b, h, first + i);
                    let grads = grad_probs[..seen.len()].iter_mut();
                    match self.dropout {
                        None => {
                            for (grad, p) in grads.zip(seen) {
                                *grad = self.scale * (*p * (*grad - dot));
                            }
                        }
                        Some(dropout) => {
                            for (j, (grad, p)) in grads.zip(seen).enumerate() {
                                let factor = dropout.factor(index.wrapping_add(j as u32));
                                *grad = self.scale * (*p * (*grad * factor - dot));
                                *p *= factor;
                            }
                        }
                    }
                }
                let probs = Matrix::new(probs, n, n_keys);
                let grad_scores = Matrix::new(grad_probs, n, n_keys);
                product(&one, probs.t(), grad_out, Start::Result, grad_v, d);
                product(
                    &one,
                    grad_scores,
                    k,
                    Start::Zero,
                    &mut grad_q[first * d..],
                    d,
                );
                product(&one, grad_scores.t(), q, Start::Result, grad_k, d);
            }
        });
        let by_head = &by_head;
        for_rows(threads, grad_qkv, 3 * c, |row, grad_qkv| {
            let (b, t) = (row / tokens, row % tokens);
            for (i, place) in grad_qkv.chunks_exact_mut(d).enumerate() {
                let (part, h) = (i / heads, i % heads);
                let from = (((b * heads + h) * 3 + part) * tokens + t) * d;
                place.copy_from_slice(&by_head[from..from + d]);
            }
        });
    }

    /// The index of a query's first weight, for dropout.
    fn first_index(&self, b: usize, h: usize, t: usize) -> u32 {
        let Qkv { tokens, heads, .. } = self.shape;
        // Beyond 2³² weights the masks of later heads repeat.
        ((b * heads + h) as u32)
            .wrapping_mul(tokens as u32)
            .wrapping_add(t as u32)
            .wrapping_mul(tokens as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Qkv = Qkv {
        batch: 2,
        tokens: 110,
        heads: 2,
        head_dim: 8,
    };

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    /// The formula, in `f64`.
    fn by_definition(attention: &Attention, qkv: &[f32]) -> Vec<f64> {
        let Qkv {
            batch,
            tokens,
            heads,
            head_dim,
        } = attention.shape;
        let c = attention.shape.width();
        let mut out = vec![0.0; batch * tokens * c];
        let at = |b: usize, t: usize, part: usize, h: usize, i: usize| {
            f64::from(qkv[(b * tokens + t) * 3 * c + part * c + h * head_dim + i])
        };
        for b in 0..batch {
            for h in 0..heads {
                for t in 0..tokens {
                    let scores: Vec<f64> = (0..=t)
                        .map(|s| {
                            let dot = (0..head_dim).map(|i| at(b, t, 0, h, i) * at(b, s, 1, h, i));
                            (f64::from(attention.scale) * dot.sum::<f64>()).exp()
                        })
                        .collect();
                    let sum: f64 = scores.iter().sum();
                    let first = attention.first_index(b, h, t);
                    for (s, score) in scores.iter().enumerate() {
                        let factor = attention
                            .dropout
                            .map_or(1.0, |it| f64::from(it.factor(first + s as u32)));
                        for i in 0..head_dim {
                            out[(b * tokens + t) * c + h * head_dim + i] +=
                                factor * score / sum * at(b, s, 2, h, i);
                        }
                    }
                }
            }
        }
        out
    }

    fn cases() -> [Attention; 2] {
        [None, Dropout::new(0.3, 1, 2, 3)].map(|dropout| Attention {
            shape: SHAPE,
            scale: 0.4,
            dropout,
        })
    }

    fn forward(attention: &Attention, threads: &Threads, qkv: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let n = SHAPE.batch * SHAPE.tokens;
        let mut out = vec![0.0; n * SHAPE.width()];
        let mut log_sums = vec![0.0; n * SHAPE.heads];
        attention.forward(threads, qkv, &mut out, &mut log_sums);
        (out, log_sums)
    }

    #[test]
    fn attention_is_its_formula() {
        let qkv = numbers(SHAPE.batch * SHAPE.tokens * 3 * SHAPE.width(), 1);
        for attention in cases() {
            let (out, _) = forward(&attention, &Threads::default(), &qkv);
            for (got, expected) in out.iter().zip(by_definition(&attention, &qkv)) {
                assert!(
                    (f64::from(*got) - expected).abs() < 2e-6,
                    "{got}, {expected}"
                );
            }
        }
    }

    #[test]
    fn the_gradient_agrees_with_finite_differences_of_the_formula() {
        let n = SHAPE.batch * SHAPE.tokens;
        let qkv = numbers(n * 3 * SHAPE.width(), 2);
        let grad = numbers(n * SHAPE.width(), 3);
        for attention in cases() {
            let (out, log_sums) = forward(&attention, &Threads::default(), &qkv);
            let mut grad_qkv = vec![0.0; qkv.len()];
            let threads = Threads::default();
            attention.backward(&threads, (&qkv, &out, &log_sums), &grad, &mut grad_qkv);
            let value = |qkv: &[f32]| -> f64 {
                let out = by_definition(&attention, qkv);
                out.iter()
                    .zip(&grad)
                    .map(|(out, grad)| out * f64::from(*grad))
                    .sum()
            };
            for place in (0..qkv.len()).step_by(331) {
                let moved = |delta: f32| {
                    let mut qkv = qkv.clone();
                    qkv[place] += delta;
                    value(&qkv)
                };
                let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                assert!(
                    (f64::from(grad_qkv[place]) - expected).abs() < 1e-3,
                    "{place}: {}, finite difference {expected}",
                    grad_qkv[place]
                );
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn threads_do_not_change_a_bit() {
        let n = SHAPE.batch * SHAPE.tokens;
        let qkv = numbers(n * 3 * SHAPE.width(), 4);
        let grad = numbers(n * SHAPE.width(), 5);
        let [_, attention] = cases();
        let of = |n_threads: usize| {
            let threads = Threads::new(n_threads);
            let (out, log_sums) = forward(&attention, &threads, &qkv);
            let mut grad_qkv = vec![0.0; qkv.len()];
            attention.backward(&threads, (&qkv, &out, &log_sums), &grad, &mut grad_qkv);
            (out, log_sums, grad_qkv)
        };
        assert_eq!(of(1), of(2));
        assert_eq!(of(1), of(3));
    }
}
