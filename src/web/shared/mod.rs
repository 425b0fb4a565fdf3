//! Shared by page and workers: messages of the channel, browser errors, memory, stored models, locks and messages between tabs.

pub mod channel;
pub mod js_error;
pub mod memory;
pub mod model_news;
pub mod model_storage;
pub mod tab_lock;
pub mod time_limit;
