//! The trainer's worker: takes the page's requests, does the steps, keeps checkpoints and the bot's files.

mod bot_writer;
mod failure;
pub mod folder;
mod host;
pub mod kept_checkpoints;
pub mod out_file;
mod preparation;
pub mod requests;
mod site_copy;
mod trained_bot;
mod turn;
