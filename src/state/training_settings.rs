//! `TrainingSettings`: the method and the numbers of a training that the visitor chooses.

use crate::finetune::FineTuneParams;
use crate::finetune::params::Method;
use crate::hub::Dtype;

/// The method and the numbers of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    /// LoRA instead of every weight.
    pub is_lora: bool,
    /// The largest learning rate; `None`: the method's own.
    pub learning_rate: Option<f32>,
    /// Tokens of a block; `None`: the model's context.
    pub block_len: Option<usize>,
    /// Passes over the text.
    pub passes: u32,
    /// LoRA's rank.
    pub rank: usize,
    /// Less memory, a third more time.
    pub little_memory: bool,
    /// Type of the GGUF's matrices.
    pub dtype: Dtype,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            is_lora: false,
            learning_rate: None,
            block_len: None,
            passes: 1,
            rank: 8,
            little_memory: false,
            dtype: Dtype::Q8_0,
        }
    }
}

impl TrainingSettings {
    /// The settings of the training, whose seed is that of the text.
    #[must_use]
    pub fn params(&self, seed: u64) -> FineTuneParams {
        let mut params = match self.is_lora {
            true => FineTuneParams::lora(),
            false => FineTuneParams::full(),
        };
        if let Method::Lora(lora) = &mut params.method {
            (lora.alpha, lora.rank) = (2.0 * self.rank as f32, self.rank);
        }
        params.learning_rate = self.learning_rate.unwrap_or(params.learning_rate);
        params.block_len = self.block_len;
        params.passes = self.passes;
        params.seed = seed;
        params
    }

    /// The settings of a training, beside those that do not change what it learns.
    #[must_use]
    pub fn of(params: &FineTuneParams, others: &Self) -> Self {
        let (rank, method) = match &params.method {
            Method::Lora(lora) => (lora.rank, FineTuneParams::lora()),
            Method::Full => (others.rank, FineTuneParams::full()),
        };
        let rate = params.learning_rate;
        Self {
            is_lora: matches!(params.method, Method::Lora(_)),
            learning_rate: Some(rate).filter(|rate| *rate != method.learning_rate),
            block_len: params.block_len,
            passes: params.passes,
            rank,
            ..others.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_has_the_alpha_that_keeps_the_factor() {
        let settings = TrainingSettings {
            is_lora: true,
            rank: 4,
            ..TrainingSettings::default()
        };
        let Method::Lora(lora) = settings.params(7).method else {
            panic!("LoRA was asked for");
        };
        assert_eq!((lora.rank, lora.alpha), (4, 8.0));
    }

    #[test]
    fn the_methods_own_rate_is_no_choice() {
        let settings = TrainingSettings::of(&FineTuneParams::full(), &TrainingSettings::default());
        assert_eq!(settings, TrainingSettings::default());
    }
}
