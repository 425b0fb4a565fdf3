//! The page: components, the bridge to the worker, the page's address, the service worker, the visitor's files.

pub mod address;
pub mod app;
pub mod browser_window;
pub mod components;
pub mod context;
pub mod device;
pub mod dropped_files;
pub mod history;
pub mod isolation;
pub mod launch_queue;
pub mod local_storage;
pub mod page_updates;
pub mod service_worker;
pub mod service_worker_switch;
pub mod stored_models;
pub mod theme;
pub mod worker_bridge;
