//! Checkpoints: safetensors, PyTorch files and GGUF, read tensor by tensor or as they arrive; GGUF, written.
//!
//! Reading order: [`names`] is the table of GPT-2's tensors, [`dtype`] the types of their numbers. [`checkpoint`] opens
//! files that can be seeked in. [`conversion`] turns files that arrive into one GGUF: `conversion::source` is what is
//! read, `conversion::output` what is written, [`journal`] the progress, [`report`] the result. The formats: [`gguf`] is
//! read, [`gguf_layout`] written, [`gguf_metadata`] both; `file_parser` parses safetensors and, with `pytorch`, `pickle`
//! and `zip`, PyTorch's files, which `torch_order` reads as `torch.save` has ordered them.

mod candle_blocks;
pub mod checkpoint;
pub mod conversion;
pub mod dtype;
pub mod error;
mod expected;
mod file_parser;
mod ggml_blocks;
pub mod gguf;
pub mod gguf_layout;
pub mod gguf_metadata;
mod grids;
mod hash;
pub mod journal;
mod location;
pub mod names;
mod pickle;
mod pickle_global;
mod pytorch;
mod pytorch_legacy;
mod remarks;
pub mod report;
mod row_codec;
mod safetensors;
mod scan;
mod storages;
mod stored_tensor;
mod target;
mod tied_head;
mod torch_order;
mod transcoder;
mod write_at;
mod zip;

pub use checkpoint::Checkpoint;
pub use conversion::{Conversion, ConversionParams};
pub use error::WeightsError;
pub use journal::Journal;
pub use report::ConversionReport;
pub use stored_tensor::ReadSeek;
pub use torch_order::in_torch_order;
pub use write_at::WriteAt;
