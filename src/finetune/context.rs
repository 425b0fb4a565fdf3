//! `Context`: what all operations of a training share: threads, buffers, and the pass that is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernels::training::{Dropout, dequantize};
use crate::kernels::{PackedWeight, Scratch};
use crate::parallel::Threads;

/// A pass of a block through the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pass {
    /// To measure the loss: nothing is dropped, and there are no gradients.
    Evaluate,
    /// To train.
    Train {
        /// The share that is dropped.
        dropout: f32,
        /// Of dropout.
        seed: u64,
        /// Tells this pass from all others of the training.
        number: u64,
        /// What the block's loss is multiplied by before the gradients: 1 / blocks of the step.
        scale: f32,
    },
}

/// The shared state of a model's operations.
#[derive(Debug)]
pub struct Context {
    threads: Threads,
    /// Quantized inputs of the product under way.
    scratch: Mutex<Scratch>,
    /// A frozen matrix as floats.
    floats: Mutex<Vec<f32>>,
    pass: Mutex<(Pass, u64)>,
    most_logits: usize,
}

/// Logits that exist at once, 51 MB: 256 positions of GPT-2's vocabulary.
const MOST_LOGITS: usize = 50_304 << 8;

impl Context {
    /// A context whose operations run on `threads`.
    pub fn new(threads: Threads) -> Arc<Self> {
        Self::with_most_logits(threads, MOST_LOGITS)
    }

    /// A context in which at most so many logits exist at once.
    pub fn with_most_logits(threads: Threads, most_logits: usize) -> Arc<Self> {
        Arc::new(Self {
            most_logits,
            scratch: Mutex::new(Scratch::with_threads(threads.clone())),
            threads,
            floats: Mutex::default(),
            pass: Mutex::new((Pass::Evaluate, 0)),
        })
    }

    /// Most logits that exist at once, but for one position's.
    pub fn most_logits(&self) -> usize {
        self.most_logits
    }

    /// The threads that compute.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Begins a pass.
    pub fn begin(&self, pass: Pass) {
        *lock(&self.pass) = (pass, 0);
    }

    /// The pass under way.
    pub fn pass(&self) -> Pass {
        lock(&self.pass).0
    }

    /// The dropout at the next place of the model. Places are counted in the order of the forward pass.
    pub fn next_dropout(&self) -> Option<Dropout> {
        let mut pass = lock(&self.pass);
        let place = pass.1;
        pass.1 += 1;
        match pass.0 {
            Pass::Evaluate => None,
            Pass::Train {
                dropout,
                seed,
                number,
                ..
            } => Dropout::new(dropout, seed, number, place),
        }
    }

    /// The buffer for products with packed weights.
    pub fn scratch(&self) -> MutexGuard<'_, Scratch> {
        lock(&self.scratch)
    }

    /// Calls `with` with rows of a packed matrix as floats, (rows, cols).
    pub fn with_floats<T>(&self, weight: &PackedWeight, with: impl FnOnce(&[f32]) -> T) -> T {
        self.with_rows(weight, 0..weight.rows(), with)
    }

    /// Calls `with` with some rows of a packed matrix as floats, (rows, cols).
    pub fn with_rows<T>(
        &self,
        weight: &PackedWeight,
        rows: std::ops::Range<usize>,
        with: impl FnOnce(&[f32]) -> T,
    ) -> T {
        let mut floats = lock(&self.floats);
        let len = rows.len() * weight.cols();
        if floats.len() < len {
            floats.resize(len, 0.0);
        }
        dequantize(&self.threads, weight, rows, &mut floats[..len]);
        with(&floats[..len])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
