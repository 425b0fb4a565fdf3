//! The browser edge: page, worker and the channel between them.

pub mod acquisition;
pub mod blob_reader;
mod blob_stream;
pub mod download;
#[cfg(not(target_feature = "atomics"))]
pub mod isolation;
pub mod js_error;
#[cfg(not(target_feature = "atomics"))]
pub mod kept;
#[cfg(not(target_feature = "atomics"))]
pub mod launched;
pub mod memory_file;
pub mod model_news;
pub mod model_storage;
pub mod tab_lock;
pub mod worker_host;

// The page is never built with threads: it would wait, which a page may not.
#[cfg(not(target_feature = "atomics"))]
pub mod address;
#[cfg(not(target_feature = "atomics"))]
pub mod app;
#[cfg(not(target_feature = "atomics"))]
pub mod clipboard;
#[cfg(not(target_feature = "atomics"))]
pub mod components;
#[cfg(not(target_feature = "atomics"))]
pub mod dropped;
#[cfg(not(target_feature = "atomics"))]
pub mod lookup;
#[cfg(not(target_feature = "atomics"))]
pub mod offline;
#[cfg(not(target_feature = "atomics"))]
pub mod one_file;
#[cfg(not(target_feature = "atomics"))]
pub mod page;
#[cfg(not(target_feature = "atomics"))]
pub mod saved_file;
#[cfg(not(target_feature = "atomics"))]
pub mod scroll;
#[cfg(not(target_feature = "atomics"))]
pub mod service_worker;
#[cfg(not(target_feature = "atomics"))]
pub mod theme;
#[cfg(not(target_feature = "atomics"))]
pub mod worker_bridge;
