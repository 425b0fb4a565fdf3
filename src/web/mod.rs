//! The browser edge: page, worker and the channel between them.

pub mod blob_reader;
pub mod download;
pub mod js_error;
pub mod worker_bridge;
pub mod worker_host;
