//! What a browser's worker has: messages of the page, picked files, and the private file system.

pub mod blob_file;
pub mod bot_folder;
pub mod host;
pub mod picked_folder;
