//! Cross-entropy of logits, and its gradient in their place.

use super::rows::for_rows_of_two;
use crate::ops;
use crate::parallel::Threads;

/// The loss of every row of `logits` (rows, V): `−ln softmax(row)[target]`, into `losses` (rows). A row without a target
/// has loss 0.
///
/// With `scale` the logits become their gradient: scale · (softmax(row) − onehot(target)).
///
/// # Panics
/// If a target is not below V.
pub fn cross_entropy(
    threads: &Threads,
    logits: &mut [f32],
    targets: &[Option<u32>],
    losses: &mut [f32],
    scale: Option<f32>,
) {
    let v = logits.len() / targets.len().max(1);
    assert_eq!(losses.len(), targets.len(), "a loss per row");
    for_rows_of_two(threads, (logits, v), (losses, 1), |row, logits, loss| {
        let Some(target) = targets[row] else {
            loss[0] = 0.0;
            logits.fill(0.0);
            return;
        };
        let target = target as usize;
        let of_target = logits[target];
        let max = largest(logits);
        match scale {
            None => {
                let sum = ops::exp_sum(logits, max);
                loss[0] = (libm::log(sum) - f64::from(of_target - max)) as f32;
            }
            Some(scale) => {
                let sum = exp_in_place(logits, max);
                loss[0] = (libm::log(sum) - f64::from(of_target - max)) as f32;
                let factor = (f64::from(scale) / sum) as f32;
                logits.iter_mut().for_each(|x| *x *= factor);
                logits[target] -= scale;
            }
        }
    });
}

/// The largest number; −∞ of none. A NaN is passed over.
pub(super) fn largest(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 8];
    let (eights, rest) = x.as_chunks::<8>();
    for x in eights {
        for (lane, x) in lanes.iter_mut().zip(x) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    let all = lanes.iter().chain(rest);
    all.fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max })
}

/// Replaces each x by e^(x − max) and returns their sum.
fn exp_in_place(x: &mut [f32], max: f32) -> f64 {
    let mut sum = 0.0;
    for part in x.chunks_mut(1 << 10) {
        sum += f64::from(ops::exp_of_difference(part, max));
    }
    sum
}
