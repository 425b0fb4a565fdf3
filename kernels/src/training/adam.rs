//! `AdamW`: one update of weights in place.

use crate::parallel::Threads;

/// Numbers that a thread updates at once.
const PART: usize = 1 << 14;

/// The figures of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// The step's learning rate.
    pub learning_rate: f32,
    /// Decay of the mean of gradients.
    pub beta1: f32,
    /// Decay of the mean of squared gradients.
    pub beta2: f32,
    /// Added to the root.
    pub epsilon: f32,
    /// Weights are first multiplied by 1 − learning rate · this.
    pub weight_decay: f32,
    /// The number of this update, from 1.
    pub step: u32,
    /// Factor of the gradients, 1 unless they are clipped.
    pub grad_scale: f32,
}

/// The weights of a parameter and what the optimiser remembers of it, all of one length.
#[derive(Debug)]
pub struct Update<'a> {
    /// The weights.
    pub value: &'a mut [f32],
    /// Their gradients, which become 0.
    pub grad: &'a mut [f32],
    /// The mean of gradients.
    pub mean: &'a mut [f32],
    /// The mean of squared gradients.
    pub square: &'a mut [f32],
}

impl AdamW {
    /// Updates weights and means, in the order of PyTorch's `AdamW`:
    /// w −= lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
    pub fn update(&self, threads: &Threads, update: Update) {
        let n = update.value.len();
        assert!(
            n == update.grad.len() && n == update.mean.len() && n == update.square.len(),
            "one length"
        );
        let correction = |beta: f32| 1.0 - libm::pow(f64::from(beta), f64::from(self.step));
        let factors = Factors {
            adam: *self,
            step_size: (f64::from(self.learning_rate) / correction(self.beta1)) as f32,
            root: libm::sqrt(correction(self.beta2)) as f32,
            keep: 1.0 - self.learning_rate * self.weight_decay,
        };
        let mut parts: Vec<_> = update
            .value
            .chunks_mut(PART)
            .zip(update.grad.chunks_mut(PART))
            .zip(update.mean.chunks_mut(PART))
            .zip(update.square.chunks_mut(PART))
            .collect();
        threads.for_each(&mut parts, |_, (((value, grad), mean), square)| {
            factors.update(value, grad, mean, square);
        });
    }
}

/// The figures of one update, with those that follow from them.
struct Factors {
    adam: AdamW,
    step_size: f32,
    root: f32,
    keep: f32,
}

impl Factors {
    // Not inlined: a caller that is compiled for size would take the vectors from the loop.
    #[inline(never)]
    fn update(&self, value: &mut [f32], grad: &mut [f32], mean: &mut [f32], square: &mut [f32]) {
        let AdamW {
            beta1,
            beta2,
            epsilon,
            grad_scale,
            ..
        } = self.adam;
        let all = value.iter_mut().zip(grad).zip(mean).zip(square);
        for (((value, grad), mean), square) in all {
            let grad = std::mem::take(grad) * grad_scale;
            *mean += (1.0 - beta1) * (grad - *mean);
            *square = beta2 * *square + (1.0 - beta2) * (grad * grad);
            let decayed = *value * self.keep;
            *value = decayed - self.step_size * (*mean / (square.sqrt() / self.root + epsilon));
        }
    }
}
