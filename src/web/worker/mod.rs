//! The worker: the host that steps the engine, and how a model's bytes reach it.

pub mod acquisition;
pub mod blob_reader;
mod blob_stream;
mod download;
pub mod host;
mod memory_file;
mod message;
mod outbox;
