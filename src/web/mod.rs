//! The browser edge: page, worker and the channel between them.

pub mod address;
pub mod app;
pub mod blob_reader;
pub mod clipboard;
pub mod components;
pub mod download;
pub mod isolation;
pub mod js_error;
pub mod kept;
pub mod page;
pub mod scroll;
pub mod theme;
pub mod worker_bridge;
pub mod worker_host;
