//! Native: finds or installs the tools for WebAssembly, builds `dist/`, serves it.
//!
//! Reading order: [`source_tree`] finds the clone, [`toolchain`] a Rust that can build for the browser, [`mod@build`]
//! runs the stages: [`wasm_cargo`] compiles, `bindings` binds programs to JavaScript, `assemble` makes the folder of
//! the page from `www/index.html` (whose tags `document` reads), `bot_pages` makes `index.html` and a page per bot of
//! it, with the drawings of `first_screen` and the words for other sites of `unfurl`; `joined_module` makes one file of
//! the parts of the ES module, [`one_file`] one of the page.
//! [`worker_build`] has the list of the worker's builds, [`threads`] the tools for two of them, and `maker_build` makes
//! the programs of the maker; `loader` writes the list of the finished builds into the page, [`app_shell`] the list of
//! files for visits without a network.
//! `compressed` writes the compressed copies beside them.
//! [`fingerprint`] tells whether a page is up to date, and `built_pages` keeps complete ones for other clones.
//! [`server`] serves the page (`representation` chooses between a file and its copies), [`mirror`] models beside it, and
//! [`sizes`] measures it.
//! `bot_facts` writes what the element for other sites shows of each bot.
//! [`progress`] prints the steps; `registries` finds the downloaded crates; [`apt`] installs system packages, [`tools`] the programs that tests need.

pub mod app_shell;
pub mod apt;
mod assemble;
mod bindings;
mod bot_facts;
mod bot_pages;
pub mod build;
mod built_pages;
mod cache_folder;
pub mod check;
pub mod comments;
mod compressed;
mod document;
pub mod error;
mod files;
pub mod fingerprint;
mod first_screen;
mod joined_module;
mod loader;
mod maker_build;
pub mod mirror;
pub mod one_file;
pub mod progress;
mod registries;
mod representation;
pub mod server;
pub mod sizes;
pub mod source_tree;
pub mod threads;
pub mod toolchain;
pub mod tools;
mod unfurl;
pub mod wasm_cargo;
pub mod worker_build;
mod worker_program;

pub use app_shell::AppShell;
pub use build::{BuildOptions, Built, FirstPage, build};
pub use check::check;
pub use error::SiteError;
pub use progress::Progress;
pub use server::{Isolation, Port, ServeOptions, Server};
pub use sizes::Sizes;
pub use source_tree::SourceTree;
pub use worker_build::WorkerBuild;
pub use worker_program::WorkerProgram;
