//! Native: finds or installs the tools for WebAssembly, builds `dist/`, serves it.
//!
//! Reading order: [`source_tree`] finds the clone, [`toolchain`] a Rust that can build for the browser, [`mod@build`]
//! runs the stages: [`wasm_cargo`] compiles, `bindings` binds programs to JavaScript, `assemble` makes the folder of
//! the page from `www/index.html` (whose tags `document` reads), [`one_file`] makes the page a single file.
//! [`worker_build`] has the list of the worker's builds, [`threads`] the tools for two of them, `loader` writes the
//! list of the finished builds into the page, [`app_shell`] writes the list of files for visits without a network.
//! [`fingerprint`] tells whether a page is up to date. [`server`] serves the page, [`mirror`] models beside it, and
//! [`sizes`] measures it.
//! [`progress`] prints the steps; [`apt`] installs system packages, [`tools`] the programs that tests need.

pub mod app_shell;
pub mod apt;
mod assemble;
mod bindings;
pub mod build;
mod cache_folder;
pub mod check;
mod document;
pub mod error;
mod files;
pub mod fingerprint;
mod loader;
pub mod mirror;
pub mod one_file;
pub mod progress;
pub mod server;
pub mod sizes;
pub mod source_tree;
pub mod threads;
pub mod toolchain;
pub mod tools;
pub mod wasm_cargo;
pub mod worker_build;

pub use app_shell::AppShell;
pub use build::{BuildOptions, Built, FirstPage, build};
pub use check::check;
pub use error::SiteError;
pub use progress::Progress;
pub use server::{Isolation, Port, ServeOptions, Server};
pub use sizes::Sizes;
pub use source_tree::SourceTree;
pub use worker_build::WorkerBuild;
