//! The learning rate of every step, as `transformers`' schedules have it.

use super::params::{FineTuneParams, Schedule};

/// The learning rate of the step with this index, from 0 to below `n_steps`.
pub fn learning_rate(params: &FineTuneParams, step: u32, n_steps: u32) -> f32 {
    let (step, n_steps) = (f64::from(step), f64::from(n_steps));
    // A share such as 0.1 is a little above the decimal it was written as.
    let warmup = libm::ceil(f64::from(params.warmup) * n_steps - 1e-3);
    let factor = if step < warmup {
        step / warmup
    } else {
        let progress = (step - warmup) / (n_steps - warmup).max(1.0);
        match params.schedule {
            Schedule::Cosine => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress)),
            Schedule::Linear => 1.0 - progress,
            Schedule::Constant => 1.0,
        }
    };
    (f64::from(params.learning_rate) * factor.max(0.0)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_begins_at_the_whole_rate_and_ends_near_zero() {
        let params = FineTuneParams::full();
        let at = |step| learning_rate(&params, step, 100) / params.learning_rate;
        assert_eq!(at(0), 1.0);
        assert!((at(50) - 0.5).abs() < 1e-6);
        assert!(at(99) < 3e-4 && at(99) > 0.0);
    }

    #[test]
    fn the_warm_up_is_a_line_from_zero() {
        let params = FineTuneParams {
            warmup: 0.1,
            schedule: Schedule::Linear,
            ..FineTuneParams::full()
        };
        let at = |step| learning_rate(&params, step, 100) / params.learning_rate;
        assert_eq!((at(0), at(10)), (0.0, 1.0));
        assert!((at(5) - 0.5).abs() < 1e-6 && (at(55) - 0.5).abs() < 1e-6);
    }
}
