//! The worker: the host that steps the engine, and how a model reaches it.

pub mod acquisition;
pub mod blob_reader;
mod blob_stream;
pub mod download;
pub mod host;
pub mod memory_file;
