//! What page and worker both need: errors, stored models, and what tabs tell each other.

pub mod js_error;
pub mod model_news;
pub mod model_storage;
pub mod tab_lock;
