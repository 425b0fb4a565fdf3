//! `FineTune`: continues the training of a GPT-2 on a text, one step of the optimiser per [`FineTune::step`].
//!
//! Reading order: [`params`], [`batches`], [`schedule`]; [`parameter`] is what is trained, `lora` what is trained beside
//! frozen weights, `ops` what the model is computed with; `load` reads a base model; [`checkpoint`] and [`export`] write.
//!
//! [`crate::model::gpt2`] is the model, and candle's autograd goes through it; `ops` has the operations. The results
//! depend on the base, the text and the figures alone, not on the number of threads. Builds with fused multiply-adds and
//! builds without them differ in the last bits, see [`crate::kernels::training`].

pub mod batches;
pub mod checkpoint;
mod context;
mod error;
pub mod estimate;
pub mod export;
mod load;
mod lora;
mod ops;
pub mod parameter;
pub mod params;
pub mod schedule;

use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use error::FineTuneError;
pub use ops::layer::Keep;
pub use params::FineTuneParams;

use crate::kernels::training::adam::AdamW;
use crate::model::config::Gpt2Config;
use crate::model::gpt2::Gpt2;
use crate::parallel::Threads;
use crate::weights::Checkpoint;
use batches::Batches;
use context::Pass;
use ops::Trained;
use parameter::Parameter;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Its number, from 1.
    pub step: u32,
    /// Steps in all.
    pub n_steps: u32,
    /// The mean loss of its blocks before the step, in nats per token.
    pub loss: f32,
    /// Its learning rate.
    pub learning_rate: f32,
    /// The norm of all gradients before clipping.
    pub grad_norm: f32,
    /// Tokens of its blocks.
    pub tokens: usize,
}

/// A training under way.
pub struct FineTune {
    model: Gpt2<Trained>,
    /// In the order of checkpoints.
    trained: Vec<Arc<Parameter>>,
    params: FineTuneParams,
    batches: Batches,
    /// Steps done.
    step: u32,
    frozen_sum: u32,
}

impl FineTune {
    /// A training of `base` on `tokens`, the ids of a training text, before its first step.
    ///
    /// # Errors
    /// [`FineTuneError::OutOfRange`], [`FineTuneError::TooLittleText`], [`FineTuneError::TokenOutOfRange`];
    /// [`FineTuneError::Weights`].
    pub fn new(
        base: &mut Checkpoint,
        params: &FineTuneParams,
        tokens: Vec<u32>,
        threads: Threads,
    ) -> Result<Self, FineTuneError> {
        let config = base.config().clone();
        params.validate(config.n_ctx)?;
        check_tokens(&tokens, &config)?;
        let batches = Batches::new(
            tokens,
            params.block_len(config.n_ctx),
            params.batch_size,
            params.passes,
            params.seed,
        )?;
        let loaded = load::load(base, params, threads)?;
        Ok(Self {
            model: Gpt2::with_operations(&config, loaded.ops)?,
            trained: loaded.trained,
            params: params.clone(),
            batches,
            step: 0,
            frozen_sum: loaded.frozen_sum,
        })
    }

    /// The figures.
    pub fn params(&self) -> &FineTuneParams {
        &self.params
    }

    /// The model's shape.
    pub fn config(&self) -> &Gpt2Config {
        self.model.config()
    }

    /// Steps done.
    pub fn steps_done(&self) -> u32 {
        self.step
    }

    /// Steps in all.
    pub fn n_steps(&self) -> u32 {
        self.batches.n_steps()
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.step >= self.n_steps()
    }

    /// The tokens of the first step's first block.
    pub fn first_block(&self) -> Vec<u32> {
        let first = self.batches.blocks(0).into_iter().next();
        first.map(<[u32]>::to_vec).unwrap_or_default()
    }

    /// What is trained: name, shape and numbers.
    pub fn trained(&self) -> &[Arc<Parameter>] {
        &self.trained
    }

    /// Bytes of the numbers that are trained, their gradients and moments.
    pub fn trained_bytes(&self) -> usize {
        self.trained
            .iter()
            .map(|parameter| parameter.size_bytes())
            .sum()
    }

    /// What layers keep in memory from now on; [`Keep::All`] at first. The results are the same.
    pub fn set_keep(&mut self, keep: Keep) {
        self.model.operations_mut().set_keep(keep);
    }

    /// Does the next step: the gradients of its blocks, then one update.
    ///
    /// # Errors
    /// [`FineTuneError::NotFinite`] if the loss has become infinite or no number: the weights are then as before the
    /// step. [`FineTuneError::Model`].
    ///
    /// # Panics
    /// If all steps are done.
    pub fn step(&mut self) -> Result<StepReport, FineTuneError> {
        assert!(!self.is_done(), "a step is left");
        let step = self.step;
        let blocks = self.batches.blocks(step);
        let scale = 1.0 / blocks.len() as f32;
        let mut loss_sum = 0.0;
        let mut tokens = 0;
        let begun = blocks.iter().enumerate().try_for_each(|(i, block)| {
            self.model.operations().context().begin(Pass::Train {
                dropout: self.params.dropout,
                seed: self.params.seed,
                number: u64::from(step) << 16 | i as u64,
                scale,
            });
            tokens += block.len();
            let block_loss = self.model.loss(&row(block)?)?;
            loss_sum += block_loss
                .to_scalar::<f32>()
                .map_err(crate::model::ModelError::Tensor)?;
            let scaled = (block_loss * f64::from(scale)).and_then(|loss| loss.backward().map(drop));
            Ok(scaled.map_err(crate::model::ModelError::Tensor)?)
        });
        let loss = loss_sum * scale;
        let threads = self.model.operations().context().threads();
        let squares = self.trained.iter().map(|it| it.grad_squares(threads));
        let grad_norm = squares.sum::<f64>().sqrt() as f32;
        let begun = begun.and_then(|()| match loss.is_finite() && grad_norm.is_finite() {
            true => Ok(()),
            false => Err(FineTuneError::NotFinite { step: step + 1 }),
        });
        if let Err(error) = begun {
            self.trained.iter().for_each(|it| it.clear_grad());
            return Err(error);
        }
        let adam = AdamW {
            learning_rate: schedule::learning_rate(&self.params, step, self.n_steps()),
            beta1: self.params.beta1,
            beta2: self.params.beta2,
            epsilon: self.params.epsilon,
            weight_decay: self.params.weight_decay,
            step: step + 1,
            grad_scale: match self.params.max_grad_norm {
                max if max > 0.0 => (max / (grad_norm + 1e-6)).min(1.0),
                _ => 1.0,
            },
        };
        for parameter in &self.trained {
            parameter.update(threads, &adam);
        }
        self.step += 1;
        Ok(StepReport {
            step: self.step,
            n_steps: self.n_steps(),
            loss,
            learning_rate: adam.learning_rate,
            grad_norm,
            tokens,
        })
    }

    /// The mean loss of a block of tokens as the model is now, in nats per token, without dropout.
    ///
    /// # Errors
    /// [`FineTuneError::TooLittleText`] for fewer than two tokens, [`FineTuneError::TokenOutOfRange`],
    /// [`FineTuneError::Model`] for more than the context holds.
    pub fn evaluate(&self, block: &[u32]) -> Result<f32, FineTuneError> {
        if block.len() < 2 {
            return Err(FineTuneError::TooLittleText {
                got: block.len(),
                block_len: 2,
            });
        }
        check_tokens(block, self.config())?;
        self.model.operations().context().begin(Pass::Evaluate);
        let loss = self.model.loss(&row(block)?)?;
        Ok(loss.to_scalar().map_err(crate::model::ModelError::Tensor)?)
    }

    /// The scores (V) of the token that follows `tokens`, as the model is now, without dropout.
    ///
    /// # Errors
    /// [`FineTuneError::TooLittleText`] for no token, [`FineTuneError::TokenOutOfRange`],
    /// [`FineTuneError::Model`] for more than the context holds.
    pub fn next_logits(&self, tokens: &[u32]) -> Result<Vec<f32>, FineTuneError> {
        if tokens.is_empty() {
            return Err(FineTuneError::TooLittleText {
                got: 0,
                block_len: 1,
            });
        }
        check_tokens(tokens, self.config())?;
        self.model.operations().context().begin(Pass::Evaluate);
        let logits = self.model.last_logits(&row(tokens)?)?;
        let logits = logits.flatten_all().and_then(|logits| logits.to_vec1());
        Ok(logits.map_err(crate::model::ModelError::Tensor)?)
    }
}

fn check_tokens(tokens: &[u32], config: &Gpt2Config) -> Result<(), FineTuneError> {
    match tokens.iter().find(|id| **id as usize >= config.vocab_size) {
        None => Ok(()),
        Some(&token_id) => Err(FineTuneError::TokenOutOfRange {
            token_id,
            vocab_size: config.vocab_size,
        }),
    }
}

/// (1, T)
fn row(block: &[u32]) -> Result<Tensor, FineTuneError> {
    let row = Tensor::from_slice(block, (1, block.len()), &Device::Cpu);
    Ok(row.map_err(crate::model::ModelError::Tensor)?)
}
