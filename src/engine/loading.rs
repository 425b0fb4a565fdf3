//! `Loading`: builds an `OpenModel` from a checkpoint, part by part.

use std::ops::Range;
use std::sync::Arc;

use crate::infer::{Adapter, LoadProgress, Loader, Mix, Model};
use crate::parallel::Threads;
use crate::protocol::{ModelInfo, Retention};
use crate::tokenizer::Tokenizer;

use super::{EngineError, ModelFile};

/// A model that takes requests.
pub struct OpenModel {
    /// Configuration and weights.
    pub model: Arc<Model>,
    /// Its tokenizer, no larger than its vocabulary.
    pub tokenizer: Arc<Tokenizer>,
    /// Adapters that change what its weights compute.
    pub adapters: Vec<OpenAdapter>,
    /// Its description. The host fills in time and memory of the load, which are 0 here, and where the model is kept.
    pub info: ModelInfo,
}

/// An adapter of the open model.
pub struct OpenAdapter {
    /// The name that the page calls it by.
    pub name: String,
    /// Its weights.
    pub adapter: Arc<Adapter>,
    /// Its share of the mix.
    pub share: f32,
}

impl OpenModel {
    /// Its adapters with their shares.
    pub fn mix(&self) -> Mix {
        let adapters = self.adapters.iter();
        adapters
            .map(|open| (Arc::clone(&open.adapter), open.share))
            .collect()
    }
}

/// A model that is being built from a checkpoint.
pub struct Loading {
    file: ModelFile,
    name: String,
    size_bytes: u64,
    loader: Loader,
}

impl Loading {
    /// Prepares to read a checkpoint called `name`, whose files have `size_bytes`. Nothing is read yet.
    pub fn new(file: ModelFile, name: &str, size_bytes: u64) -> Self {
        Self {
            loader: Loader::new(file.config.clone(), file.tensors.parts()),
            file,
            name: name.to_owned(),
            size_bytes,
        }
    }

    /// The same, with matrices that several threads pack.
    #[must_use]
    pub fn with_threads(mut self, threads: Threads) -> Self {
        self.loader = self.loader.with_threads(threads);
        self
    }

    /// Bytes read so far.
    pub fn progress(&self) -> LoadProgress {
        self.loader.progress()
    }

    /// The bytes of the file that the next step reads; `None` once all are read.
    pub fn next_bytes(&self) -> Option<Range<u64>> {
        self.loader.next_bytes()
    }

    /// Reads the next part of the weights.
    ///
    /// # Errors
    /// [`EngineError::Weights`].
    pub fn step(&mut self) -> Result<LoadProgress, EngineError> {
        Ok(self.loader.step(&mut self.file.tensors)?)
    }

    /// The model.
    ///
    /// # Panics
    /// If a tensor is still to be read.
    pub fn finish(self) -> OpenModel {
        let ModelFile {
            config,
            tokenizer,
            defaults,
            dtype,
            mut notices,
            ..
        } = self.file;
        notices.dedup();
        OpenModel {
            model: Arc::new(self.loader.finish()),
            tokenizer: Arc::new(tokenizer),
            adapters: Vec::new(),
            info: ModelInfo {
                name: self.name,
                dtype,
                size_bytes: self.size_bytes,
                n_params: config.n_params(),
                defaults: defaults.clipped(config.n_ctx),
                config,
                notices,
                load_ms: 0.0,
                memory_bytes: 0,
                retention: Retention::None,
            },
        }
    }
}
