//! Checkpoints: reading and writing safetensors and GGUF, tensor by tensor.

pub mod checkpoint;
pub mod conversion;
pub mod dtype;
pub mod error;
pub mod gguf;
pub mod gguf_writer;
pub mod journal;
pub mod names;
mod needed;
pub mod quantize;
mod rows;
pub mod safetensors;
mod source;
mod stored_tensor;

pub use checkpoint::{Checkpoint, ReadSeek};
pub use conversion::{Conversion, ConversionParams, WriteAt};
pub use error::WeightsError;
pub use journal::Journal;
