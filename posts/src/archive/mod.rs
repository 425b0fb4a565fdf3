//! Exports of social networks: told apart by their content, and read into posts a bounded amount at a time.
//!
//! ```no_run
//! use posts::archive::{Import, ImportOptions, Step};
//!
//! let file = std::fs::File::open("archive.zip")?;
//! let mut import = Import::open(Box::new(file), "archive.zip", ImportOptions::default())?;
//! let mut posts = Vec::new();
//! while import.step(1 << 20, &mut |post| {
//!     posts.push(post);
//!     std::ops::ControlFlow::Continue(())
//! })? == Step::More
//! {}
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whatever an export holds, memory stays bounded: lists are read element by element, an element has at most
//! [`error::MAX_ELEMENT_BYTES`], and a compressed file is given up when it grows out of proportion.

mod bluesky;
mod car;
mod csv;
mod edits;
mod elements;
pub mod entries;
pub mod error;
mod gzipped;
mod html;
mod import;
mod interest;
mod json;
mod lossy;
mod mastodon;
mod notes;
mod pages;
mod plain;
mod quote;
mod reader;
mod report;
mod salvage;
mod tar_walk;
mod tweet;
mod twitter;
mod window;
mod zipped;

pub use entries::{Entries, Entry, Source};
pub use error::ReadError;
pub use import::{Import, Progress};
pub use interest::is_of_interest;
pub use report::{ImportNotice, ImportOptions, Kind, Report, Step};

use entries::SharedSource;
use zipped::ZipEntries;

/// The files of a zip whose names `is_wanted`. Each is checked against its size and checksum as it is read, and given up
/// where it grows out of proportion.
///
/// # Errors
/// [`ReadError::Archive`] if the file has no directory of a zip; [`ReadError::Io`].
pub fn zip_files(
    file: Box<dyn Source>,
    is_wanted: fn(&str) -> bool,
) -> Result<Box<dyn Entries>, ReadError> {
    let shared = SharedSource::new(file).map_err(|source| ReadError::of_io("the zip", source))?;
    Ok(Box::new(ZipEntries::wanted(shared, is_wanted)?))
}
