//! The address of a model, the list of its files and the choice of the files to fetch; strings and JSON only.
//!
//! Reading order: [`web_address`] checks an `http(s)` address; [`endpoint`] is the Hub or a mirror of it; [`address`]
//! parses the text a visitor types; [`dtype`] names types of weights; [`model_ref`] joins these three to `ModelRef`,
//! the one form that names a model. [`listing`] is an endpoint's list of a repository's files; [`plan`] chooses the
//! files to fetch, [`shard_index`] lists the files of sharded weights; [`footprint`] is the size of a model on the device and in memory,
//! [`offer`] compares it with the device's room.

pub mod address;
pub mod dtype;
pub mod endpoint;
pub mod footprint;
pub mod listing;
pub mod model_ref;
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
pub use model_ref::{ModelRef, ModelRefError, ModelText};
pub use offer::{MAX_MEMORY_BYTES, Offer, Room, Shortage, TypeOffer, over_address_space};
pub use plan::{
    ADAPTER_CONFIG, NEEDS, Need, Plan, PlanError, WeightFiles, WeightList, Weights, choose,
    choose_file,
};
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
