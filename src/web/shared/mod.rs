//! Shared by page and worker: browser errors, stored models, locks and messages between tabs.

pub mod js_error;
pub mod model_news;
pub mod model_storage;
pub mod tab_lock;
pub mod time_limit;
