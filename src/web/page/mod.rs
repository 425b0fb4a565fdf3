//! The page: components, the bridge to the worker, the address, the service worker, picked files.

pub mod address;
pub mod app;
pub mod clipboard;
pub mod components;
pub mod context;
pub mod dropped;
pub mod isolation;
pub mod kept;
pub mod launched;
pub mod lookup;
pub mod offline;
pub mod one_file;
pub mod saved_file;
pub mod scroll;
pub mod service_worker;
pub mod theme;
pub mod worker_bridge;
