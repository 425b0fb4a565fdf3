//! Native: finds or installs the wasm tools, builds `dist/`, serves it.
//!
//! Reading order: [`source`] finds the sources, [`toolchain`] a Rust that can build for the browser,
//! [`tools`] the two programs cargo does not bring, [`mod@build`] calls them, [`one_file`] makes the page a single
//! file, [`relaxed`] and [`threads`] add the worker's other builds, of which [`worker`] has the list, [`shell`] the
//! list of what is kept for visits without a network; [`fingerprint`] tells when all that is not needed. [`server`]
//! serves the result, [`mirror`] serves models beside it, and [`sizes`] weighs it. [`progress`] is the one place that
//! talks while this goes on, and [`apt`] the one that installs system packages.

pub mod apt;
pub mod build;
pub mod check;
pub mod error;
mod files;
pub mod fingerprint;
pub mod mirror;
pub mod one_file;
pub mod progress;
pub mod relaxed;
pub mod server;
pub mod shell;
pub mod sizes;
pub mod source;
pub mod threads;
pub mod toolchain;
pub mod tools;
pub mod worker;

pub use build::{BuildOptions, Built, build};
pub use check::check;
pub use error::SiteError;
pub use progress::Progress;
pub use server::{Isolation, Port, ServeOptions, Server};
pub use shell::Shell;
pub use sizes::Sizes;
pub use source::SourceTree;
