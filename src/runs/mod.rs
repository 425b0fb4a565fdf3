//! `Run`: what was done with which data, as huggingtweets kept it in W&B: configuration, metrics, artifacts and lineage.
//!
//! A run is a value and one JSON document. [`events`] and [`csv`] write it for other programs, [`files`] names its files,
//! [`compare`] lays two side by side. Times and ids are handed in.

pub mod compare;
pub mod csv;
pub mod events;
pub mod files;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::posts::record::{self, is_run_id};

/// Most bytes of a run's JSON: 100,000 metrics take 16 MB.
pub const MAX_RUN_BYTES: usize = 1 << 26;

/// A step of making a bot, with the artifacts that it took and made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run.
    pub run: Run,
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
}

/// One step of making a bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Eight characters of a to z and 0 to 9.
    pub id: String,
    /// What it does.
    pub job_type: JobType,
    /// `@h1-h2-train`, the handles in the order of input.
    pub name: String,
    /// Whether it goes on.
    pub state: State,
    /// When it began, in milliseconds since 1970.
    pub begun_ms: i64,
    /// When it ended.
    #[serde(default)]
    pub ended_ms: Option<i64>,
    /// Its parameters.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Versions of this program and of the formats it writes.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Seeds by their purpose.
    #[serde(default)]
    pub seeds: BTreeMap<String, u64>,
    /// What was measured, in the order of steps.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Its results.
    #[serde(default)]
    pub summary: Map<String, Value>,
    /// Artifacts taken in, as `name:version`.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Artifacts made, as `name:version`.
    #[serde(default)]
    pub outputs: Vec<String>,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobType {
    /// Makes a training text of posts.
    Preprocess,
    /// Trains a model on it.
    Train,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does, or was interrupted.
    Running,
    /// It has done all.
    Finished,
    /// It was ended before.
    Stopped,
}

/// What was measured at one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The step, from 1.
    pub step: u32,
    /// In milliseconds since 1970.
    pub time_ms: i64,
    /// By name, such as `train/loss`.
    pub values: BTreeMap<String, f64>,
}

/// Files that a run took or made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// As in `dataset-h1-h2`, the handles sorted.
    pub name: String,
    /// `raw-dataset`, `train-dataset`, `pretrained-model` or `finetuned-model`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `v0`, `v1` and so on, per name.
    pub version: String,
    /// Its files.
    pub files: Vec<ArtifactFile>,
    /// Facts about it.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// The run that made it, if any did.
    #[serde(default)]
    pub made_by: Option<String>,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactFile {
    /// Its name in the artifact.
    pub name: String,
    /// Its bytes.
    pub size_bytes: u64,
    /// SHA-256 of them, in hexadecimal.
    pub sha256: String,
}

impl Artifact {
    /// `name:version`.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.name, self.version)
    }
}

/// Why a run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is too long.
    #[error("the run has {got} bytes, more than {MAX_RUN_BYTES}")]
    TooLarge {
        /// Its bytes.
        got: usize,
    },
    /// It is no run's JSON.
    #[error("the file is not the record of a run: {0}")]
    Json(#[from] serde_json::Error),
    /// Its id could not be the name of a folder.
    #[error("the run's id is not eight characters of a to z and 0 to 9")]
    BadId,
}

impl RunRecord {
    /// The run in a JSON document.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn from_json(json: &[u8]) -> Result<Self, RunError> {
        if json.len() > MAX_RUN_BYTES {
            return Err(RunError::TooLarge { got: json.len() });
        }
        let record: Self = serde_json::from_slice(json)?;
        match is_run_id(&record.run.id) {
            true => Ok(record),
            false => Err(RunError::BadId),
        }
    }

    /// The run as a JSON document.
    pub fn to_json(&self) -> String {
        // Maps with texts as keys and finite numbers can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl From<record::Record> for RunRecord {
    /// The run that made a training text.
    fn from(record: record::Record) -> Self {
        let record::Record { run, artifacts } = record;
        let map = |value: Result<Value, serde_json::Error>| match value {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let mut summary = Map::new();
        let counts = serde_json::to_value(&run.counts).unwrap_or_default();
        summary.insert("counts".to_owned(), counts);
        let artifacts = artifacts.into_iter().map(|artifact| Artifact {
            name: artifact.name,
            kind: match artifact.kind {
                record::ArtifactKind::RawDataset => "raw-dataset".to_owned(),
                record::ArtifactKind::TrainDataset => "train-dataset".to_owned(),
            },
            version: artifact.version,
            files: vec![ArtifactFile {
                name: artifact.file,
                size_bytes: artifact.size_bytes,
                sha256: artifact.sha256,
            }],
            metadata: map(serde_json::to_value(artifact.metadata)),
            made_by: artifact.made_by,
        });
        Self {
            artifacts: artifacts.collect(),
            run: Run {
                id: run.id,
                job_type: JobType::Preprocess,
                name: run.name,
                state: State::Finished,
                begun_ms: run.time_ms,
                ended_ms: Some(run.time_ms),
                versions: [("huggingtweets-web".to_owned(), run.config.version.clone())].into(),
                seeds: [("data".to_owned(), run.config.dataset.seed)].into(),
                config: map(serde_json::to_value(run.config)),
                metrics: Vec::new(),
                summary,
                inputs: run.inputs,
                outputs: run.outputs,
            },
        }
    }
}

impl Run {
    /// The names of all that was measured, in order of the alphabet.
    pub fn metric_names(&self) -> Vec<&str> {
        let names = self.metrics.iter().flat_map(|metric| metric.values.keys());
        let names: std::collections::BTreeSet<&str> = names.map(String::as_str).collect();
        names.into_iter().collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example(id: &str, rate: f64) -> RunRecord {
        let metric = |step: u32| Metric {
            step,
            time_ms: 1_700_000_000_000 + 1000 * i64::from(step),
            values: [
                ("train/loss".to_owned(), 4.0 / f64::from(step)),
                ("train/learning_rate".to_owned(), rate),
            ]
            .into(),
        };
        RunRecord {
            run: Run {
                id: id.to_owned(),
                job_type: JobType::Train,
                name: "@zoe-train".to_owned(),
                state: State::Finished,
                begun_ms: 1_700_000_000_000,
                ended_ms: Some(1_700_000_020_000),
                config: [("learning_rate".to_owned(), Value::from(rate))]
                    .into_iter()
                    .collect(),
                versions: BTreeMap::new(),
                seeds: [("trainer".to_owned(), 7)].into(),
                metrics: vec![metric(1), metric(5), metric(10)],
                summary: Map::new(),
                inputs: vec!["dataset-zoe:v0".to_owned()],
                outputs: vec!["model-zoe:v0".to_owned()],
            },
            artifacts: Vec::new(),
        }
    }

    #[test]
    fn a_run_is_the_same_after_json() {
        let record = example("abcdefg1", 0.5);
        let read = RunRecord::from_json(record.to_json().as_bytes());
        assert_eq!(read.ok(), Some(record));
    }

    #[test]
    fn an_id_that_could_name_another_folder_is_refused() {
        let json = example("../../ab", 0.5).to_json();
        assert!(matches!(
            RunRecord::from_json(json.as_bytes()),
            Err(RunError::BadId)
        ));
        assert!(matches!(
            RunRecord::from_json(b"{}"),
            Err(RunError::Json(_))
        ));
    }

    #[test]
    fn metrics_are_named_once() {
        let names = example("abcdefg1", 0.5).run;
        assert_eq!(names.metric_names(), ["train/learning_rate", "train/loss"]);
    }
}
