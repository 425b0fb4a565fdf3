//! The files of a sharded checkpoint, as `model.safetensors.index.json` or `pytorch_model.bin.index.json` names them.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::error::WeightsError;

#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

/// Names of the shards beside the index, sorted, each once.
///
/// # Errors
/// [`WeightsError::BadShardIndex`] if it is no such JSON, names no file, or one that would lie elsewhere.
pub fn files(index_json: &[u8]) -> Result<Vec<String>, WeightsError> {
    let Index { weight_map } =
        serde_json::from_slice(index_json).map_err(|_| WeightsError::BadShardIndex)?;
    let names: BTreeSet<String> = weight_map.into_values().collect();
    match names.is_empty() || !names.iter().all(|name| is_file_name(name)) {
        true => Err(WeightsError::BadShardIndex),
        false => Ok(names.into_iter().collect()),
    }
}

/// Whether it is a plain name: no way into another folder, on no system and in no address.
fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.+ ".contains(c))
}
