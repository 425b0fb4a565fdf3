//! `ShardIndex`: the list of the files of sharded weights.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::is_inside;

/// Most shards of a model.
pub const MAX_SHARDS: usize = 1000;

/// The content of a `model.safetensors.index.json` or `pytorch_model.bin.index.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    /// The files that hold tensors, sorted; each lies beside the index or in a folder beside it.
    pub files: Vec<String>,
}

/// An index that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` does not say which files in its folder hold the weights")]
pub struct ShardIndexError {
    /// The index.
    pub name: String,
}

impl ShardIndexError {
    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "download the index again, or take another model"
    }
}

impl ShardIndex {
    /// Parses the index called `name`.
    ///
    /// # Errors
    /// [`ShardIndexError`] if it is not an index, names no file or too many, or a file outside of its folder.
    pub fn from_json(name: &str, json: &[u8]) -> Result<Self, ShardIndexError> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: HashMap<String, Value>,
        }
        let bad_index = || ShardIndexError {
            name: name.to_owned(),
        };
        let index: Index = crate::json::from_slice(json).map_err(|_| bad_index())?;
        let names = index.weight_map.values().filter_map(Value::as_str);
        let files = names.map(|name| name.trim_start_matches("./").to_owned());
        let files: BTreeSet<String> = files.collect();
        let is_inside = |file: &String| is_inside(file);
        if !(1..=MAX_SHARDS).contains(&files.len()) || !files.iter().all(is_inside) {
            return Err(bad_index());
        }
        Ok(Self {
            files: files.into_iter().collect(),
        })
    }
}
