//! Checkpoints: reading and writing safetensors and GGUF, tensor by tensor.

pub mod checkpoint;
pub mod dtype;
pub mod error;
pub mod gguf;
pub mod gguf_writer;
pub mod names;
pub mod quantize;
pub mod safetensors;
mod stored_tensor;

pub use checkpoint::{Checkpoint, ReadSeek};
pub use error::WeightsError;
