//! `ShardIndex`: which files the tensors of sharded weights are in.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::is_inside;
use super::plan::PlanError;

/// Most files of sharded weights.
pub const MAX_SHARDS: usize = 1000;

/// `model.safetensors.index.json` or `pytorch_model.bin.index.json`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    /// The files that hold tensors, sorted; each lies beside the index.
    pub files: Vec<String>,
}

impl ShardIndex {
    /// Reads the index called `name`.
    ///
    /// # Errors
    /// [`PlanError::BadIndex`] if it is no index, names no file or too many, or one that is not beside it.
    pub fn from_json(name: &str, json: &[u8]) -> Result<Self, PlanError> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: HashMap<String, String>,
        }
        let bad_index = || PlanError::BadIndex {
            name: name.to_owned(),
        };
        let index: Index = serde_json::from_slice(json).map_err(|_| bad_index())?;
        let files: BTreeSet<String> = index.weight_map.into_values().collect();
        let is_beside = |file: &String| is_inside(file) && !file.contains('/');
        if !(1..=MAX_SHARDS).contains(&files.len()) || !files.iter().all(is_beside) {
            return Err(bad_index());
        }
        Ok(Self {
            files: files.into_iter().collect(),
        })
    }
}
