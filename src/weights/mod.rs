//! Checkpoints: reading and writing safetensors and GGUF, tensor by tensor.

pub mod checkpoint;
pub mod dtype;
pub mod error;
pub mod gguf;
pub mod names;
pub mod quantize;
pub mod safetensors;

pub use checkpoint::{Checkpoint, ReadSeek};
pub use error::WeightsError;
