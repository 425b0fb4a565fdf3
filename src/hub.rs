//! Where a model's files are and which of them to take; strings and JSON only.
//!
//! Reading order: [`web_address`] checks an `http(s)` address; [`endpoint`] is the Hub or a mirror of it;
//! [`address`] reads what a visitor typed; [`listing`] is what an endpoint says a repository holds; [`dtype`] tells
//! types by their names; [`plan`] chooses the files to fetch, [`shard_index`] reads which of them hold tensors;
//! [`footprint`] is what a model takes, [`offer`] whether a device has it.

pub mod address;
pub mod dtype;
pub mod endpoint;
pub mod footprint;
pub mod listing;
pub mod offer;
pub mod plan;
pub mod repo_id;
pub mod shard_index;
pub mod web_address;

pub use address::{AddressError, ModelAddress};
pub use dtype::{Dtype, GgufType};
pub use endpoint::{Endpoint, HUB};
pub use footprint::{Footprint, Shape};
pub use listing::{ListedFile, Listing, ListingError};
pub use offer::{Choice, Lack, MOST_MEMORY, Offer, Room, beyond_any_browser};
pub use plan::{NEEDS, Need, Parts, Plan, PlanError, Weights, choose, choose_file};
pub use repo_id::{RepoId, RepoIdError};
pub use shard_index::{ShardIndex, ShardIndexError};
pub use web_address::{WebAddress, WebAddressError};

/// Whether `name` is a path that stays inside its repository: plain parts between slashes.
///
/// At most 512 bytes; no `.` or `..` or empty part, no backslash, colon or control character.
#[must_use]
pub fn is_inside(name: &str) -> bool {
    name.len() <= 512
        && !name.contains(['\\', ':'])
        && !name.chars().any(char::is_control)
        && name
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}
