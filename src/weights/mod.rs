//! Checkpoints: reading safetensors, PyTorch files and GGUF tensor by tensor, or as they arrive; writing GGUF.

pub mod checkpoint;
pub mod conversion;
pub mod dtype;
pub mod error;
pub mod gguf;
pub mod gguf_writer;
pub mod journal;
pub mod names;
mod needed;
mod pickle;
mod pickle_global;
mod pytorch;
pub mod quantize;
mod rows;
pub mod safetensors;
mod source;
mod stored_tensor;
mod zip;

pub use checkpoint::{Checkpoint, ReadSeek};
pub use conversion::{Conversion, ConversionParams, WriteAt};
pub use error::WeightsError;
pub use journal::Journal;
