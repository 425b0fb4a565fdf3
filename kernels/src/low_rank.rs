//! `LowRank`: the change of a matrix by two thin ones, as LoRA has it, added to a product.

/// Numbers that are summed side by side.
const LANES: usize = 8;

/// A change of rank r of a matrix (out, in): scale · B A.
#[derive(Debug, Clone)]
pub struct LowRank {
    n_in: usize,
    /// A (r, in)
    a: Vec<f32>,
    /// scale · Bᵀ (r, out)
    b: Vec<f32>,
}

impl LowRank {
    /// The change by `a` (r, in) and `b` (out, r), row after row.
    ///
    /// # Panics
    /// If they do not fit each other.
    #[must_use]
    pub fn new(rank: usize, a: Vec<f32>, b: &[f32], scale: f32) -> Self {
        assert!(rank > 0 && a.len().is_multiple_of(rank) && b.len().is_multiple_of(rank));
        let n_out = b.len() / rank;
        let row = |r| b.iter().skip(r).step_by(rank).map(move |b| scale * b);
        Self {
            n_in: a.len() / rank,
            a,
            b: (0..rank).flat_map(row).take(rank * n_out).collect(),
        }
    }

    /// Bytes of its numbers.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        4 * (self.a.len() + self.b.len())
    }

    /// Columns of the matrix.
    #[must_use]
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Rows of the matrix.
    #[must_use]
    pub fn n_out(&self) -> usize {
        self.b.len() / self.rank()
    }

    fn rank(&self) -> usize {
        self.a.len() / self.n_in
    }

    /// Adds `share` of the change's product with `x` (n, in) to `out` (n, out). 2 r (in + out) operations per row.
    ///
    /// # Panics
    /// If a length is not a multiple of the matrix's.
    pub fn add(&self, x: &[f32], share: f32, out: &mut [f32]) {
        let n_out = self.n_out();
        assert_eq!(x.len() / self.n_in, out.len() / n_out);
        let rows = x.chunks_exact(self.n_in).zip(out.chunks_exact_mut(n_out));
        for (x, out) in rows {
            let thin = self
                .a
                .chunks_exact(self.n_in)
                .zip(self.b.chunks_exact(n_out));
            for (a, b) in thin {
                let factor = share * dot(a, x);
                for (out, b) in out.iter_mut().zip(b) {
                    *out += factor * b;
                }
            }
        }
    }
}

fn dot(a: &[f32], x: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (x, x_rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, x) in a.iter().zip(x) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * x[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(x_rest).map(|(a, x)| a * x).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_product_with_both_thin_matrices() {
        let (rank, n_in, n_out) = (3, 13, 5);
        let number = |i: usize| ((i * 37 % 19) as f32 - 9.0) / 8.0;
        let a: Vec<f32> = (0..rank * n_in).map(number).collect();
        let b: Vec<f32> = (0..n_out * rank).map(|i| number(i + 5)).collect();
        let x: Vec<f32> = (0..2 * n_in).map(|i| number(i + 11)).collect();
        let low_rank = LowRank::new(rank, a.clone(), &b, 2.0);
        assert_eq!((low_rank.n_in(), low_rank.n_out()), (n_in, n_out));
        let mut out = vec![1.0; 2 * n_out];
        low_rank.add(&x, 0.5, &mut out);
        for row in 0..2 {
            for o in 0..n_out {
                let mut expected = 1.0;
                for r in 0..rank {
                    for i in 0..n_in {
                        expected += b[o * rank + r] * a[r * n_in + i] * x[row * n_in + i];
                    }
                }
                let got = out[row * n_out + o];
                assert!((got - expected).abs() < 1e-4, "{got} {expected}");
            }
        }
    }
}
