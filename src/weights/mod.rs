//! Checkpoints: reading and writing safetensors and GGUF, tensor by tensor.
pub mod dtype;
pub mod error;
pub mod gguf;
pub mod names;
pub use error::WeightsError;
