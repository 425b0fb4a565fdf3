//! `Parameter`: the numbers of one tensor, their gradients, and what the optimiser remembers of them.
//!
//! Operations add to the gradients in place, as PyTorch's `.grad`. In candle's own store a gradient would exist three
//! times while it is added: 460 MB for the embedding of GPT-2 124M.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::kernels::training::adam::{AdamW, Update};
use crate::kernels::training::squares;
use crate::parallel::Threads;

/// A tensor of a model in training.
#[derive(Debug)]
pub struct Parameter {
    name: String,
    /// Outermost first, as in Hugging Face's files.
    shape: Vec<usize>,
    value: RwLock<Vec<f32>>,
    /// `None` if the tensor is frozen.
    trained: Option<Mutex<Trained>>,
}

/// What a trained tensor has beside its numbers; each as long.
#[derive(Debug)]
struct Trained {
    grad: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Parameter {
    /// A tensor that is not trained.
    pub fn frozen(name: impl Into<String>, shape: Vec<usize>, value: Vec<f32>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), value.len());
        Self {
            name: name.into(),
            shape,
            value: RwLock::new(value),
            trained: None,
        }
    }

    /// A tensor that is trained.
    pub fn trained(name: impl Into<String>, shape: Vec<usize>, value: Vec<f32>) -> Self {
        let zeros = || vec![0.0; value.len()];
        let trained = Trained {
            grad: zeros(),
            mean: zeros(),
            square: zeros(),
        };
        Self {
            trained: Some(Mutex::new(trained)),
            ..Self::frozen(name, shape, value)
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether it is trained.
    pub fn is_trained(&self) -> bool {
        self.trained.is_some()
    }

    /// Bytes of its numbers, gradients and moments.
    pub fn size_bytes(&self) -> usize {
        let copies = if self.is_trained() { 4 } else { 1 };
        self.shape.iter().product::<usize>() * 4 * copies
    }

    /// Its numbers.
    pub fn value(&self) -> RwLockReadGuard<'_, Vec<f32>> {
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> Option<MutexGuard<'_, Trained>> {
        let trained = self.trained.as_ref()?;
        Some(trained.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls `add` with its gradients, if it is trained.
    pub fn add_grad(&self, add: impl FnOnce(&mut [f32])) {
        if let Some(mut trained) = self.lock() {
            add(&mut trained.grad);
        }
    }

    /// A copy of its gradients; empty if it is frozen.
    pub fn grad(&self) -> Vec<f32> {
        self.lock()
            .map_or_else(Vec::new, |trained| trained.grad.clone())
    }

    /// Sets its gradients to 0.
    pub fn clear_grad(&self) {
        self.add_grad(|grad| grad.fill(0.0));
    }

    /// The sum of its squared gradients.
    pub fn grad_squares(&self, threads: &Threads) -> f64 {
        self.lock()
            .map_or(0.0, |trained| squares(threads, &trained.grad))
    }

    /// One step of the optimiser, after which the gradients are 0.
    pub fn update(&self, threads: &Threads, adam: &AdamW) {
        let Some(mut trained) = self.lock() else {
            return;
        };
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let Trained { grad, mean, square } = &mut *trained;
        let update = Update {
            value: &mut value,
            grad,
            mean,
            square,
        };
        adam.update(threads, update);
    }

    /// Calls `with` with numbers and moments, in the order in which a checkpoint has them. Does nothing for a frozen
    /// tensor.
    ///
    /// # Errors
    /// That of `with`.
    pub fn for_each_state<E>(
        &self,
        mut with: impl FnMut(&mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(mut trained) = self.lock() else {
            return Ok(());
        };
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        with(&mut value)?;
        with(&mut trained.mean)?;
        with(&mut trained.square)
    }
}
