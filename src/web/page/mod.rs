//! The page: components, the bridge to the worker, the page's address, the service worker, the visitor's files, and the
//! page in a frame.

pub mod address;
pub mod app;
pub mod browser_window;
pub mod community_archive;
pub mod components;
pub mod content_height;
pub mod context;
pub mod device;
pub mod document_state;
pub mod dropped_files;
pub mod frame;
pub mod frame_host;
pub mod history;
pub mod host_link;
pub mod isolation;
pub mod kept_bots;
pub mod launch_queue;
pub mod local_storage;
pub mod made_bot;
pub mod maker;
pub mod maker_app;
pub mod maker_door;
pub mod maker_drop;
pub mod page_updates;
pub mod picture;
pub mod service_worker;
pub mod service_worker_switch;
pub mod shared_files;
pub mod site_bot;
pub mod stored_models;
pub mod theme;
pub mod trainer;
pub mod worker_bridge;
pub mod worker_script;
